// An IKE SA is made again from its snapshot, with its Child SAs, and everything of it can be rekeyed.

import { type SaDirection, type SequenceNumber, sequenceDistance } from '#sa';
import { installPolicy, installSa, useOutbound } from '../child-sas/child-installation.ts';
import type { ChildSa } from '../child-sas/child-sa.ts';
import { childLifetimes } from '../clocks/lifetimes.ts';
import type { ConnectionConfiguration } from '../configuration.ts';
import type { Exchange } from '../exchanges/exchange.ts';
import { awaitDelete } from '../exchanges/rekey-ike-sa/successor.ts';
import { failure, IkeSaState, type NatTraversalPorts } from '../ike-sa-state.ts';
import type { IkeSaPorts } from '../interface.ts';
import { ResponseWindow } from '../messages/message-window.ts';
import { newMobility } from '../mobility.ts';
import { protect } from '../protection/protection-keys.ts';
import { announceReservation } from './extend-reservation.ts';
import { renewedReservation } from './reservations.ts';
import {
  type ChildSaSnapshot,
  copyIkeKeys,
  copyPacketKeys,
  type IkeSaSnapshot,
  type RequestSnapshot,
} from './snapshot.ts';

export interface SnapshotOptions {
  /** Stays the host's, to be wiped. */
  readonly snapshot: IkeSaSnapshot;
  /** The connection that it names, with all the children that it names. */
  readonly connection: ConnectionConfiguration;
  readonly ports: IkeSaPorts;
  /** Monotonic milliseconds. */
  readonly at: number;
  readonly natTraversal: NatTraversalPorts;
  readonly keyLog: boolean;
  /** What the inbound SA with this SPI has received at most, if that is known better than by its reservation. */
  readonly received?: (spi: number) => SequenceNumber | undefined;
}

/**
 * Its first outputs install the Child SAs, with no sequence number reserved, and then ask for a reservation behind all that
 * may have been used (`extend-reservation`). Whatever it says must wait until a snapshot taken after this call is durable: as
 * long as it is not, yet another process may go on from the old one.
 * @param successor what replaced it, if the snapshot says that something did: it answers for a while yet
 */
export function adoptSnapshot(options: SnapshotOptions, successor?: IkeSaState): IkeSaState {
  const { snapshot, connection, ports, at } = options;
  const monotonic = (wallClockMs: number): number => at + (wallClockMs - ports.wallClockMs());
  const state = new IkeSaState({
    ports,
    role: snapshot.role,
    connection,
    spis: snapshot.spis,
    local: snapshot.local,
    remote: snapshot.remote,
    natTraversal: options.natTraversal,
    keyLog: options.keyLog,
    at,
    phase: { name: 'established' },
    firstRequestId: snapshot.nextRequestId,
    firstExpectedId: snapshot.expectedRequestId,
  });
  protect(state, snapshot.suite, copyIkeKeys(snapshot.keys), snapshot.nextIv);
  state.nat = snapshot.nat;
  state.localIdentity = snapshot.localIdentity;
  state.remoteIdentity = snapshot.remoteIdentity;
  state.remoteEapIdentity = snapshot.remoteEapIdentity;
  Object.assign(state.peer, snapshot.peer);
  state.client = snapshot.client;
  adoptMobility(state, snapshot);
  state.clientMethod = snapshot.clientMethod;
  state.clientCredential = snapshot.clientCredential;
  state.ticketGiven = snapshot.ticketGiven;
  state.highestSyncedId = snapshot.highestSyncedId;
  state.virtualAddresses = snapshot.virtualAddresses;
  state.peerVirtualAddresses = snapshot.peerVirtualAddresses;
  state.lease = snapshot.lease;
  state.establishedAt = monotonic(snapshot.establishedAtMs);
  if (snapshot.rekeyAtMs !== undefined) state.rekeyAt = monotonic(snapshot.rekeyAtMs);
  if (snapshot.reauthAtMs !== undefined) state.reauthAt = monotonic(snapshot.reauthAtMs);
  if (snapshot.expiresAtMs !== undefined) state.expiresAt = monotonic(snapshot.expiresAtMs);
  state.requests.enlarge(snapshot.requestWindow);
  state.responses = new ResponseWindow(snapshot.expectedRequestId, snapshot.responseWindow);
  for (const { messageId, datagrams } of snapshot.answers) state.responses.adopt(messageId, datagrams);
  adoptChildren(state, snapshot.children, monotonic, options.received);
  for (const request of snapshot.requests) adoptRequest(state, request);
  if (successor !== undefined) adoptSuccessor(state, successor);
  return state;
}

/** The peer was not heard meanwhile: it has all the time again. */
function adoptSuccessor(state: IkeSaState, successor: IkeSaState): void {
  state.successor = successor;
  state.offspring.push(successor);
  state.mobility = successor.mobility;
  awaitDelete(state);
}

function adoptMobility(state: IkeSaState, { mobility, local, remote }: IkeSaSnapshot): void {
  if (mobility === undefined) return;
  const { peerAddresses, proven, pending } = mobility;
  state.mobility = { ...newMobility(), peerAddresses, proven };
  if (state.client) {
    if (pending || proven !== undefined) state.tasks.add({ kind: 'update-addresses' });
    return;
  }
  if (pending) state.tasks.add({ kind: 'announce-addresses' });
  if (proven === undefined) return;
  state.mobility.candidate = { local, remote, by: 'update', failures: 0 };
  state.tasks.add({ kind: 'check-path' });
}

function adoptChildren(
  state: IkeSaState,
  snapshots: readonly ChildSaSnapshot[],
  monotonic: (wallClockMs: number) => number,
  received: SnapshotOptions['received'],
): void {
  const bySpi = new Map<number, ChildSa>();
  for (const snapshot of snapshots) {
    const child = childOf(state, snapshot, monotonic);
    bySpi.set(snapshot.inboundSpi, child);
    state.children.push(child);
  }
  for (const { inboundSpi, replaces } of snapshots) {
    const child = bySpi.get(inboundSpi);
    if (child !== undefined && replaces !== undefined) child.replaces = bySpi.get(replaces);
  }
  const withPolicy = new Set<number>();
  for (const snapshot of snapshots) {
    const child = bySpi.get(snapshot.inboundSpi);
    if (child === undefined) continue;
    installAgain(state, child, snapshot, received?.(snapshot.inboundSpi));
    const { childId, configuration } = child.agreement;
    if (configuration.policies && !withPolicy.has(childId)) {
      withPolicy.add(childId);
      installPolicy(state, child);
    }
  }
  for (const { inboundSpi, outboundInUse } of snapshots) {
    const child = bySpi.get(inboundSpi);
    if (child !== undefined && outboundInUse) useOutbound(state, child);
  }
  for (const child of state.children) {
    if (child.phase !== 'replaced') continue;
    // Whoever rekeyed it deletes it (RFC 7296 2.8). If that is us, the task for it was not kept.
    const heir = state.children.find((other) => other.replaces === child && other.initiator);
    if (heir === undefined) continue;
    const { protocol, inboundSpi } = child.agreement;
    const reason = failure('replaced', 'a rekeyed Child SA took over');
    state.tasks.add({ kind: 'delete-child', protocol, inboundSpi, failure: reason });
  }
}

function childOf(
  state: IkeSaState,
  snapshot: ChildSaSnapshot,
  monotonic: (wallClockMs: number) => number,
): ChildSa {
  const { name, phase, initiator, expiresAtMs, inbound, outbound, suite } = snapshot;
  const configuration = state.connection.children.find((one) => one.name === name);
  if (configuration === undefined)
    throw new Error(`a Child SA ${name} that is not configured was to be adopted`);
  const { childId, generation, protocol, mode, inboundSpi, outboundSpi, local, remote } = snapshot;
  const retained = (direction: SaDirection, one: ChildSaSnapshot['inbound']) => ({
    keys: copyPacketKeys(one.keys),
    reserved: renewedReservation(direction, one, state.at, suite.esn),
  });
  return {
    agreement: {
      childId,
      generation,
      configuration,
      protocol,
      mode,
      suite,
      inboundSpi,
      outboundSpi,
      local,
      remote,
    },
    initiator,
    installedAt: state.at,
    phase,
    outboundInUse: false,
    rekeyAt: undefined,
    expiresAt: expiresAtMs === undefined ? undefined : monotonic(expiresAtMs),
    collision: undefined,
    replaces: undefined,
    retained: { inbound: retained('inbound', inbound), outbound: retained('outbound', outbound) },
  };
}

function installAgain(
  state: IkeSaState,
  child: ChildSa,
  snapshot: ChildSaSnapshot,
  received: SequenceNumber | undefined,
): void {
  const { agreement, expiresAt } = child;
  const { sa } = childLifetimes(agreement.configuration.lifetimes, state.ports.randomness);
  const { hardTimeMs: _, ...volumes } = sa;
  const lifetimes =
    expiresAt === undefined ? volumes : { ...volumes, hardTimeMs: Math.max(1, expiresAt - state.at) };
  for (const direction of ['inbound', 'outbound'] as const) {
    const { keys, limit } = snapshot[direction];
    // The data plane wipes what it is given.
    const known = direction === 'inbound' && received !== undefined && sequenceDistance(received, limit) > 0;
    const last = known ? received : limit;
    installSa(state, child, direction, copyPacketKeys(keys), lifetimes, { last, limit });
    announceReservation(state, child, direction);
  }
}

function adoptRequest(state: IkeSaState, request: RequestSnapshot): void {
  const { messageId, exchangeType, datagrams } = request;
  state.requests.adopt(messageId, {
    messageId,
    exchangeType,
    exchange: exchangeOf(state, request),
    datagrams,
    firstSentAt: state.at,
    sentAt: state.at,
    attempt: 0,
    // Whether it ever left is unknown: the same octets go out again at once.
    nextAt: state.at,
  });
}

function exchangeOf(state: IkeSaState, { purpose }: RequestSnapshot): Exchange {
  if (purpose.kind !== 'delete-child') return purpose;
  const { inboundSpi, installed } = purpose;
  const child = installed
    ? state.children.find(({ agreement }) => agreement.inboundSpi === inboundSpi)
    : undefined;
  const sibling = state.children.some(
    (other) => other !== child && other.agreement.childId === child?.agreement.childId,
  );
  const reason = sibling
    ? failure('replaced', 'a rekeyed Child SA took over')
    : failure('deleted-by-us', 'before the restart');
  return { kind: 'delete-child', inboundSpi, child, failure: reason };
}
