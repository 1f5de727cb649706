// DSCP and ECN across the tunnel (RFC 7296 2.24, RFC 4301 5.1.2, RFC 2983, RFC 6040).
import type { SaParameters } from '#sa';

const ecnMask = 0b11;
const ecn = { notCapable: 0b00, capable1: 0b01, capable0: 0b10, congestion: 0b11 } as const;

/** The outer traffic class at tunnel entry. ECN is always copied (RFC 6040 4.1, normal mode). */
export function outerTrafficClass(inner: number, copyDscp: SaParameters['copyDscp']): number {
  return copyDscp === 'out' || copyDscp === 'yes' ? inner : inner & ecnMask;
}

/** The inner traffic class at tunnel exit; -1 if the packet must be dropped. */
export function innerTrafficClass(inner: number, outer: number, copyDscp: SaParameters['copyDscp']): number {
  const marked = innerEcn(inner & ecnMask, outer & ecnMask);
  if (marked < 0) return -1;
  const dscpFrom = copyDscp === 'in' || copyDscp === 'yes' ? outer : inner;
  return (dscpFrom & ~ecnMask) | marked;
}

/** RFC 6040 4.2, figure 4. */
function innerEcn(inner: number, outer: number): number {
  if (inner === ecn.notCapable) return outer === ecn.congestion ? -1 : inner;
  if (inner === ecn.congestion || outer === ecn.congestion) return ecn.congestion;
  return outer === ecn.capable1 ? ecn.capable1 : inner;
}
