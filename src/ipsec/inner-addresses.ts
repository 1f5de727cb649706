// The addresses of packets that an SA carries without their IP header: transport and BEET mode.
import { type IpAddress, type SaParameters, sameFamily, type TrafficSelector } from '#sa';

/** One address on each side, from our point of view. */
export interface AddressPair {
  readonly local: IpAddress;
  readonly remote: IpAddress;
}

/**
 * RFC 7402 B.1.1: in BEET mode the selectors of each side are one address, both of one family.
 * @returns `undefined` if they are not
 */
export function beetAddresses(parameters: SaParameters): AddressPair | undefined {
  const local = onlyAddress(parameters.selectors.local);
  const remote = onlyAddress(parameters.selectors.remote);
  if (local === undefined || remote === undefined || !sameFamily(local, remote)) return undefined;
  return { local, remote };
}

function onlyAddress(selectors: readonly TrafficSelector[]): IpAddress | undefined {
  const first = selectors[0]?.start;
  return selectors.every((selector) => selector.start === first && selector.end === first)
    ? first
    : undefined;
}
