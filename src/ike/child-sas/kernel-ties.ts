// Marks and XFRM interfaces of a Child SA: what the configuration says, with the numbers that are the Child SA's own.
import type { KernelTies, PacketMark, PolicyParameters, SaDirection, SaParameters } from '#sa';
import type { ChildConfiguration, DirectionTies, UniqueNumber } from '../configuration.ts';

const wholeMask = 0xffff_ffff;

/** Child SAs are numbered from 1, and keep their number over rekeyings: two of the numbers here are for each. */
function ownNumber(choice: UniqueNumber, childId: number, direction: SaDirection): number {
  return 2 * childId + (choice === 'unique-per-direction' && direction === 'outbound' ? 1 : 0);
}

function markOf({ mark }: DirectionTies, childId: number, direction: SaDirection): PacketMark | undefined {
  if (typeof mark !== 'string') return mark;
  return { value: ownNumber(mark, childId, direction), mask: wholeMask };
}

function lookupTies(ties: DirectionTies, childId: number, direction: SaDirection): KernelTies {
  const mark = markOf(ties, childId, direction);
  const { interfaceId } = ties;
  return {
    ...(mark !== undefined && { mark }),
    ...(interfaceId !== undefined && {
      interfaceId: typeof interfaceId === 'number' ? interfaceId : ownNumber(interfaceId, childId, direction),
    }),
  };
}

/** Of the SA of one direction. */
export function kernelTiesOfSa(
  { kernelTies }: ChildConfiguration,
  childId: number,
  direction: SaDirection,
): SaParameters['kernelTies'] {
  if (kernelTies === undefined) return undefined;
  const ties = kernelTies[direction];
  const { mark, ...others } = lookupTies(ties, childId, direction);
  const asksForMark = direction === 'outbound' || kernelTies.markInboundSa;
  const setMark = ties.setMark === 'same' ? mark : ties.setMark;
  return {
    ...others,
    ...(asksForMark && mark !== undefined && { mark }),
    ...(setMark !== undefined && { setMark }),
  };
}

/** Of the policies of a Child SA, or of a trap, which has no numbers of its own. */
export function kernelTiesOfPolicy(
  { kernelTies }: ChildConfiguration,
  childId: number,
): PolicyParameters['kernelTies'] {
  if (kernelTies === undefined) return undefined;
  return {
    inbound: lookupTies(kernelTies.inbound, childId, 'inbound'),
    outbound: lookupTies(kernelTies.outbound, childId, 'outbound'),
  };
}
