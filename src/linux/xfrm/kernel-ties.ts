// Marks and XFRM interfaces: what the kernel tells SAs and policies of the same name apart by.
import type { KernelTies, SaParameters } from '#sa';
import type { XfrmAttributes } from '#wire';

/** Attributes that name an SA or a policy together with its structure. */
export type LookupAttributes = Pick<XfrmAttributes, 'mark' | 'interfaceId'>;

export function lookupAttributes({ mark, interfaceId }: KernelTies = {}): LookupAttributes {
  return {
    ...(mark !== undefined && { mark }),
    ...(interfaceId !== undefined && { interfaceId }),
  };
}

/** Those of something that the kernel tells of. */
export function lookupAttributesOf({ mark, interfaceId }: XfrmAttributes): LookupAttributes {
  return lookupAttributes({
    ...(mark !== undefined && { mark }),
    ...(interfaceId !== undefined && { interfaceId }),
  });
}

export function tiesAttributes(ties: SaParameters['kernelTies']): XfrmAttributes {
  const { value, mask } = ties?.setMark ?? {};
  return {
    ...lookupAttributes(ties),
    ...(value !== undefined && mask !== undefined && { outputMark: value, outputMarkMask: mask }),
  };
}

/** The same text for the same ties. */
export function tiesKey({ mark, interfaceId = 0 }: LookupAttributes): string {
  return `${mark?.value ?? 0}/${mark?.mask ?? 0} ${interfaceId}`;
}
