// Traffic selectors of a Child SA: onto the wire and back, `dynamic` resolved, narrowed, and answers judged (RFC 7296 2.9).
import type { IpAddress, TrafficSelector } from '#sa';
import type { WireTrafficSelector } from '#wire';
import type { ChildSelector } from '../configuration.ts';

const todo = (): never => {
  throw new Error('not written yet');
};

/** TSi and TSr of one Child SA. */
export interface SelectorPair {
  readonly initiator: readonly TrafficSelector[];
  readonly responder: readonly TrafficSelector[];
}

export type Narrowing =
  | { readonly kind: 'accepted'; readonly selectors: SelectorPair }
  | { readonly kind: 'ts-unacceptable' };

export function selectorsToWire(_selectors: readonly TrafficSelector[]): WireTrafficSelector[] {
  return todo();
}

/** Selectors of types we do not know, and empty ranges, are left out (they select nothing that we could carry). */
export function selectorsFromWire(_wire: readonly WireTrafficSelector[]): TrafficSelector[] {
  return todo();
}

/** Replaces `dynamic` by hosts: the virtual addresses if there are any, else the outer address. */
export function resolveSelectors(
  _selectors: readonly ChildSelector[],
  _hosts: readonly IpAddress[],
): TrafficSelector[] {
  return todo();
}

/** Initiator: what goes into TSi or TSr; the packet that made us ask comes first (RFC 7296 2.9). */
export function proposeSelectors(
  _policy: readonly TrafficSelector[],
  _packet?: TrafficSelector,
): TrafficSelector[] {
  return todo();
}

/** Responder: the part of the proposal that our policy allows; selectors without any counterpart on the other side go. */
export function narrowPair(_proposed: SelectorPair, _policy: SelectorPair): Narrowing {
  return todo();
}

/**
 * Responder: the candidate that suits the proposal best: one that allows the first, specific selectors, then the one
 * that keeps the most of the proposal, then the earlier one.
 */
export function chooseCandidate<T extends { readonly policy: SelectorPair }>(
  _proposed: SelectorPair,
  _candidates: readonly T[],
):
  | {
      readonly candidate: T;
      readonly selectors: SelectorPair;
      /** Another candidate would allow proposed traffic that this one does not: send ADDITIONAL_TS_POSSIBLE. */
      readonly additionalPossible: boolean;
    }
  | undefined {
  return todo();
}

/** Initiator: whether the responder's TSi and TSr are not empty and describe only traffic that we proposed. */
export function answerIsWithin(_answer: SelectorPair, _proposed: SelectorPair): boolean {
  return todo();
}

/** Whether every packet that one of `inner` describes is described by one or several of `outer` together. */
export function selectorsCover(
  _outer: readonly TrafficSelector[],
  _inner: readonly TrafficSelector[],
): boolean {
  return todo();
}

/** Transport mode: the selectors cut down to one host, ports and protocols kept (RFC 7296 2.23.1). */
export function hostSelectors(_selectors: readonly TrafficSelector[], _host: IpAddress): TrafficSelector[] {
  return todo();
}

/**
 * Transport mode through a NAT (RFC 7296 2.23.1): replaces single-host selectors' address by the one seen on the outside;
 * `original` is the address that was replaced, for the way back. `undefined` if they are not selectors of one single host.
 */
export function substituteHost(
  _selectors: readonly TrafficSelector[],
  _seen: IpAddress,
): { readonly selectors: readonly TrafficSelector[]; readonly original: IpAddress } | undefined {
  return todo();
}
