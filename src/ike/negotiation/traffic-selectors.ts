// Traffic selectors of a Child SA: onto the wire and back, `dynamic` resolved, narrowed, and answers judged (RFC 7296 2.9).
import {
  addressBytes,
  addressFromBytes,
  compareAddresses,
  containsSelector,
  equalSelectors,
  type IpAddress,
  isIpv6,
  narrowSelectors,
  sameFamily,
  selectorOfRange,
  type TrafficSelector,
} from '#sa';
import { TsType, type WireTrafficSelector } from '#wire';
import type { ChildSelector } from '../configuration.ts';
import { narrowRanges } from './ranged-selector.ts';
import { selectorsCover, selectorsVolume } from './selector-coverage.ts';

/** TSi and TSr of one Child SA. */
export interface SelectorPair {
  readonly initiator: readonly TrafficSelector[];
  readonly responder: readonly TrafficSelector[];
}

export type Narrowing =
  | { readonly kind: 'accepted'; readonly selectors: SelectorPair }
  | { readonly kind: 'ts-unacceptable' };

/** RFC 7296 3.13: the number of selectors is one octet. */
const selectorsMax = 255;

export function selectorsToWire(selectors: readonly TrafficSelector[]): WireTrafficSelector[] {
  return selectors.map(({ protocol, startPort, endPort, start, end }) => ({
    tsType: isIpv6(start) ? TsType.IPV6_ADDR_RANGE : TsType.IPV4_ADDR_RANGE,
    protocol,
    startPort,
    endPort,
    startAddress: addressBytes(start),
    endAddress: addressBytes(end),
  }));
}

/** Selectors of types we do not know, and empty ranges, are left out: they select nothing that we could carry. */
export function selectorsFromWire(wire: readonly WireTrafficSelector[]): TrafficSelector[] {
  const selectors: TrafficSelector[] = [];
  for (const selector of wire) {
    if ('body' in selector) continue;
    const { protocol, startPort, endPort } = selector;
    const start = addressFromBytes(selector.startAddress);
    const end = addressFromBytes(selector.endAddress);
    const opaque = startPort === 65535 && endPort === 0;
    if (compareAddresses(start, end) > 0 || (startPort > endPort && !opaque)) continue;
    selectors.push({ protocol, startPort, endPort, start, end });
  }
  return selectors;
}

/** Replaces `dynamic` by hosts: the virtual addresses if there are any, else the outer address. */
export function resolveSelectors(
  selectors: readonly ChildSelector[],
  hosts: readonly IpAddress[],
): TrafficSelector[] {
  const resolved: TrafficSelector[] = [];
  for (const selector of selectors) {
    if (!('dynamic' in selector)) {
      resolved.push(selector);
      continue;
    }
    const { protocol, startPort, endPort } = selector;
    for (const host of hosts) resolved.push({ protocol, startPort, endPort, start: host, end: host });
  }
  return resolved;
}

/** Initiator: what goes into TSi or TSr; the packet that made us ask comes first (RFC 7296 2.9). */
export function proposeSelectors(
  policy: readonly TrafficSelector[],
  packet?: TrafficSelector,
): TrafficSelector[] {
  if (packet === undefined || !policy.some((selector) => containsSelector(selector, packet)))
    return [...policy];
  return [packet, ...policy.filter((selector) => !equalSelectors(selector, packet))];
}

/** Whether some packet could have both: its source described by one and its destination by the other. */
function areCompatible(a: TrafficSelector, b: TrafficSelector): boolean {
  return sameFamily(a.start, b.start) && (a.protocol === 0 || b.protocol === 0 || a.protocol === b.protocol);
}

/**
 * Responder: the part of the proposal that our policy allows. Selectors that no packet could use, because nothing on the
 * other side is of their family and protocol, are left out.
 */
export function narrowPair(proposed: SelectorPair, policy: SelectorPair): Narrowing {
  const initiator = narrowRanges(proposed.initiator, policy.initiator, selectorsMax);
  const responder = narrowRanges(proposed.responder, policy.responder, selectorsMax);
  const selectors = {
    initiator: initiator.filter((one) => responder.some((other) => areCompatible(one, other))),
    responder: responder.filter((one) => initiator.some((other) => areCompatible(one, other))),
  };
  // Whoever has a counterpart is that one's counterpart: both sides are empty, or neither is.
  return selectors.initiator.length === 0 ? { kind: 'ts-unacceptable' } : { kind: 'accepted', selectors };
}

/**
 * Responder: the candidate that suits the proposal best: one that allows the first, specific selectors, then the one
 * that keeps the most of the proposal, then the earlier one.
 */
export function chooseCandidate<T extends { readonly policy: SelectorPair }>(
  proposed: SelectorPair,
  candidates: readonly T[],
):
  | {
      readonly candidate: T;
      readonly selectors: SelectorPair;
      /** Another candidate would allow proposed traffic that this one does not: send ADDITIONAL_TS_POSSIBLE. */
      readonly additionalPossible: boolean;
    }
  | undefined {
  const possible: { candidate: T; selectors: SelectorPair; first: boolean; volume: bigint }[] = [];
  for (const candidate of candidates) {
    const narrowing = narrowPair(proposed, candidate.policy);
    if (narrowing.kind !== 'accepted') continue;
    const { selectors } = narrowing;
    const first = pairCovers(selectors, {
      initiator: proposed.initiator.slice(0, 1),
      responder: proposed.responder.slice(0, 1),
    });
    const volume = selectorsVolume(selectors.initiator) * selectorsVolume(selectors.responder);
    possible.push({ candidate, selectors, first, volume });
  }
  const [one, ...others] = possible;
  if (one === undefined) return undefined;
  const better = (a: typeof one, b: typeof one): boolean =>
    a.first === b.first ? a.volume > b.volume : a.first;
  const best = others.reduce((known, other) => (better(other, known) ? other : known), one);
  return {
    candidate: best.candidate,
    selectors: best.selectors,
    additionalPossible: possible.some(
      (other) => other !== best && !pairCovers(best.selectors, other.selectors),
    ),
  };
}

function pairCovers(outer: SelectorPair, inner: SelectorPair): boolean {
  return selectorsCover(outer.initiator, inner.initiator) && selectorsCover(outer.responder, inner.responder);
}

/** Initiator: whether the responder's TSi and TSr are not empty and describe only traffic that we proposed. */
export function answerIsWithin(answer: SelectorPair, proposed: SelectorPair): boolean {
  return answer.initiator.length > 0 && answer.responder.length > 0 && pairCovers(proposed, answer);
}

/** Transport mode: the selectors cut down to one host, ports and protocols kept (RFC 7296 2.23.1). */
export function hostSelectors(selectors: readonly TrafficSelector[], host: IpAddress): TrafficSelector[] {
  return narrowSelectors(selectors, [selectorOfRange(host, host)]);
}

/**
 * Transport mode through a NAT (RFC 7296 2.23.1): replaces the selectors' host by the address seen on the IKE SA;
 * `original` is the one that was replaced, for the way back and for checksums. `undefined` if the selectors are not
 * all of one single host, which transport mode demands.
 */
export function substituteHost(
  selectors: readonly TrafficSelector[],
  seen: IpAddress,
): { readonly selectors: readonly TrafficSelector[]; readonly original: IpAddress } | undefined {
  const original = selectors[0]?.start;
  if (original === undefined || !sameFamily(original, seen)) return undefined;
  if (selectors.some(({ start, end }) => start !== original || end !== original)) return undefined;
  return { selectors: selectors.map((selector) => ({ ...selector, start: seen, end: seen })), original };
}
