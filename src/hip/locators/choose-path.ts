// Which of a peer's addresses is used, and when another takes its place (RFC 8046 3.3.3, 5.5, RFC 8047 4.2.3, 4.2.6, 5.4).
import type { HipAssociation, Standing } from '../association.ts';
import type { HipHostState } from '../host-state.ts';
import type { HipPath } from '../interface.ts';
import { announce, announcedAddresses, isOpen, isOurs, refreshAt, sourcesFor } from './own-locators.ts';
import type { PeerLocator, ToldLocator } from './peer-locators.ts';
import { type ProbeExtras, type Proven, probeNow, probeOf, repeatProbes, sendProbe } from './probe.ts';
import { followState, usePath } from './use-path.ts';
import { isSameWay } from './verified-path.ts';

/**
 * A LOCATOR_SET came, by this way.
 * @returns whether a probe carries the acknowledgement (RFC 8046 3.2.1, figure 3)
 */
export function takeLocators(
  state: HipHostState,
  association: HipAssociation,
  standing: Standing,
  { told, path, extras }: { told: readonly ToldLocator[]; path: HipPath; extras?: ProbeExtras },
): boolean {
  const { locators } = standing;
  locators.take(told, association.path.remote.address, state.at);
  const preferred = locators.all.find((one) => one.preferred);
  // Along the way by which the packet came each can hear the other.
  const open = isOpen(state, association.path, path);
  const source = locators.find(path.remote.address);
  if (open && source !== undefined) source.path = path;
  let carried = false;
  if (preferred?.state === 'UNVERIFIED' && probeOf(standing, preferred.address) === undefined)
    carried = sendProbe(state, association, standing, preferred, extras);
  choosePath(state, association, standing);
  // The peer sends from where we send to, but to another address of ours: there it has found us.
  const follows = preferred !== undefined && preferred === source && open;
  if (follows && preferred.address === association.path.remote.address && !isSameWay(path, association.path))
    usePath(state, association, standing, path);
  return carried;
}

/** The peer has answered from there. */
export function takeProof(
  state: HipHostState,
  association: HipAssociation,
  standing: Standing,
  { probe, locator, path }: Proven,
): void {
  const news = locator.state !== 'ACTIVE';
  Object.assign(locator, { state: 'ACTIVE', failures: 0, path });
  standing.lastInboundAt = state.at;
  // RFC 6298 3: the answer to a repeated packet says nothing about the time.
  if (probe.repetitions === 0) standing.rttMs ??= state.at - probe.sentAt;
  if (news) tell(state, association, locator);
  if (standing.suspect) {
    const left = standing.locators.find(association.path.remote.address);
    // RFC 8046 5.1: it has to prove itself before it is used again.
    if (left?.state === 'ACTIVE' && left !== locator)
      Object.assign(left, { state: 'UNVERIFIED', askAt: state.at });
    if (isSameWay(path, association.path)) standing.suspect = false;
    else usePath(state, association, standing, path);
  }
  choosePath(state, association, standing);
}

function choosePath(state: HipHostState, association: HipAssociation, standing: Standing): void {
  const { path } = association;
  const chosen = standing.locators.choose(path.remote.address, state.configuration.usesCredit);
  if (chosen !== undefined && chosen.address !== path.remote.address) {
    const way = wayTo(state, path, chosen);
    if (way !== undefined) {
      usePath(state, association, standing, way);
      return;
    }
  }
  followState(state, association, standing);
}

function wayTo(state: HipHostState, { local, remote }: HipPath, locator: PeerLocator): HipPath | undefined {
  if (locator.path !== undefined) return locator.path;
  const [source] = sourcesFor(state, { local, remote }, locator.address);
  if (source === undefined) return undefined;
  return {
    local: { address: source, port: local.port },
    remote: { address: locator.address, port: remote.port },
  };
}

function tell(state: HipHostState, association: HipAssociation, locator: PeerLocator): void {
  const { address, state: now } = locator;
  state.emit({ kind: 'locator', context: association.context, address, state: now });
}

/** Whether there is another way than the one in use. */
function hasOtherWays(state: HipHostState, { path }: HipAssociation, { locators: all }: Standing): boolean {
  return all.all.some(
    ({ address, state: now }) =>
      now !== 'DEPRECATED' &&
      sourcesFor(state, path, address).some(
        (source) => address !== path.remote.address || source !== path.local.address,
      ),
  );
}

/** The way in use does not answer: all others are tried at once, and the first that answers is used. */
export function tryOtherWays(state: HipHostState, association: HipAssociation, standing: Standing): void {
  if (standing.suspect || !hasOtherWays(state, association, standing)) return;
  standing.suspect = true;
  state.emit({ kind: 'unanswered', context: association.context });
  for (const locator of standing.locators.all)
    if (locator.state !== 'DEPRECATED') probeNow(state, association, standing, locator, association.path);
}

/** When something goes out and nothing comes, a peer with other addresses is asked where it is. */
export function suspicionAt(
  state: HipHostState,
  association: HipAssociation,
  standing: Standing,
): number | undefined {
  const { unansweredSince, updates, suspect } = standing;
  if (unansweredSince === undefined || updates.outstanding !== undefined || suspect) return undefined;
  if (!hasOtherWays(state, association, standing)) return undefined;
  return unansweredSince + state.configuration.failoverMs;
}

/** When to look at the addresses of a peer again. */
export function locatorTimes(
  state: HipHostState,
  association: HipAssociation,
  standing: Standing,
): (number | undefined)[] {
  const { locators, updates, announceAt } = standing;
  const active = standing.state === 'ESTABLISHED';
  // Most peers have one address, and this is asked for all of them with every packet.
  if (locators.isSettled && updates.probes.size === 0 && standing.unansweredSince === undefined)
    return active && announceAt !== undefined ? [announceAt] : [];
  return [
    ...locators.deadlines(active),
    ...[...updates.probes.values()].map(({ nextAt }) => nextAt),
    active ? announceAt : undefined,
    suspicionAt(state, association, standing),
  ];
}

/** @returns whether the address in use has not answered although it had to */
export function tendLocators(state: HipHostState, association: HipAssociation, standing: Standing): boolean {
  const over = standing.locators.expire(state.at);
  for (const locator of over) tell(state, association, locator);
  const { address } = association.path.remote;
  const inVain = repeatProbes(state, association, standing);
  for (const locator of inVain) {
    if (locator.state === 'ACTIVE' && locator.address !== address) locator.state = 'UNVERIFIED';
    tell(state, association, locator);
  }
  if (standing.state === 'ESTABLISHED') {
    for (const locator of standing.locators.all) {
      if (locator.state !== 'UNVERIFIED' || state.at < locator.askAt) continue;
      if (probeOf(standing, locator.address) === undefined) sendProbe(state, association, standing, locator);
      else locator.askAt = Number.POSITIVE_INFINITY;
    }
    if (standing.announceAt !== undefined && state.at >= standing.announceAt) {
      standing.announceAt = refreshAt(state);
      announce(state, association, standing);
    }
  }
  if (over.length > 0) choosePath(state, association, standing);
  return inVain.some((one) => one.address === address && one.state === 'UNVERIFIED');
}

/** Addresses of ours have come or gone, or the operator has others in mind. */
export function followOwnAddresses(
  state: HipHostState,
  association: HipAssociation,
  standing: Standing,
): void {
  const told = announcedAddresses(state).join(' ');
  const news = told !== standing.told && told !== '';
  standing.told = told;
  // From where we are gone nothing can be told; whoever answers us elsewhere is told then.
  if (!isOurs(state, association.path.local.address)) tryOtherWays(state, association, standing);
  else if (news) announce(state, association, standing);
}
