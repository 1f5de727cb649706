// From an IKE SA to its snapshot, if it is in a state that another process could go on from.
import type { IkeSpi } from '#wire';
import type { ChildSa } from '../child-sas/child-sa.ts';
import type { OutstandingRequest } from '../exchanges/exchange.ts';
import type { IkeSaState } from '../ike-sa-state.ts';
import type { Mobility } from '../mobility.ts';
import type { RetainedSa } from './retained.ts';
import {
  type ChildSaSnapshot,
  copyIkeKeys,
  copyPacketKeys,
  type IkeSaSnapshot,
  type MobilitySnapshot,
  type RequestSnapshot,
} from './snapshot.ts';

/**
 * `undefined`: nobody could go on from here. That is so before the peer is authenticated and when the end has begun, and
 * while an exchange of ours is under way whose secrets (a private key of a key exchange) are not kept: whatever stood in
 * an earlier snapshot has to be forgotten then, since its next Message ID is used. Of one that was replaced there is one as long
 * as the peer may repeat what replaced it.
 * @param at monotonic milliseconds
 */
export function takeSnapshot(state: IkeSaState, at: number): IkeSaSnapshot | undefined {
  const { protection, localIdentity, remoteIdentity, establishedAt, phase } = state;
  const successor = awaitedSuccessor(state);
  if (protection?.keys === undefined) return undefined;
  if (phase.name !== 'established' && successor === undefined) return undefined;
  if (localIdentity === undefined || remoteIdentity === undefined || establishedAt === undefined) {
    return undefined;
  }
  // What the peer's own rekeying made may still win, or is not decided about.
  if (state.collision !== undefined || state.parent?.collision?.successor === state) return undefined;
  if (state.synchronization !== undefined) return undefined;
  // What was asked before it was replaced is of no use any more.
  const requests = successor === undefined ? state.requests.all().map(requestSnapshot) : [];
  const answers = state.responses.answered();
  const children = state.children.map((child) => childSnapshot(child, wallClock));
  if (!isComplete(requests) || answers === undefined || !isComplete(children)) return undefined;
  const { messageIdSync, fragmentation, childless, tickets } = state.peer;
  const { lease, clientMethod, clientCredential, remoteEapIdentity } = state;
  return {
    connection: state.connection.name,
    role: state.role,
    spis: state.spis,
    local: state.local,
    remote: state.remote,
    nat: state.nat,
    localIdentity,
    remoteIdentity,
    ...(remoteEapIdentity !== undefined && { remoteEapIdentity }),
    suite: protection.suite,
    keys: copyIkeKeys({ ...protection, ...protection.keys }),
    nextIv: protection.sealer.nextIv,
    nextRequestId: state.requests.nextMessageId,
    requestWindow: state.requests.size,
    requests,
    expectedRequestId: state.responses.expected,
    responseWindow: state.responses.size,
    answers,
    highestSyncedId: state.highestSyncedId,
    peer: { fragmentation, childless, tickets, messageIdSync },
    // Shared with what replaced it.
    ...(state.mobility !== undefined &&
      successor === undefined && { mobility: mobilitySnapshot(state, state.mobility) }),
    client: state.client,
    ...(clientMethod !== undefined && { clientMethod }),
    ...(clientCredential !== undefined && { clientCredential }),
    ticketGiven: state.ticketGiven,
    virtualAddresses: state.virtualAddresses,
    peerVirtualAddresses: state.peerVirtualAddresses,
    ...(lease !== undefined && { lease }),
    establishedAtMs: wallClock(establishedAt),
    ...(state.rekeyAt !== undefined && { rekeyAtMs: wallClock(state.rekeyAt) }),
    ...(state.reauthAt !== undefined && { reauthAtMs: wallClock(state.reauthAt) }),
    ...(state.expiresAt !== undefined && { expiresAtMs: wallClock(state.expiresAt) }),
    children,
    ...(successor !== undefined && { successor }),
  };

  function wallClock(time: number): number {
    return Math.max(0, Math.round(state.ports.wallClockMs() + (time - at)));
  }
}

/** Our SPI of what replaced it, if it is the peer who is to delete it. */
function awaitedSuccessor(state: IkeSaState): IkeSpi | undefined {
  const { successor, phase, tasks } = state;
  if (phase.name !== 'rekeyed' || successor === undefined || successor.ended) return undefined;
  return tasks.has('delete-ike') ? undefined : successor.spis[successor.role];
}

function mobilitySnapshot({ requests, tasks }: IkeSaState, mobility: Mobility): MobilitySnapshot {
  const { peerAddresses, proven } = mobility;
  const pending = mobilityWork.some(
    (kind) => tasks.has(kind) || requests.all().some(({ exchange }) => exchange.kind === kind),
  );
  return { peerAddresses, pending, ...(proven !== undefined && { proven }) };
}

const mobilityWork = ['update-addresses', 'announce-addresses'] as const;

function isComplete<T>(all: readonly (T | undefined)[]): all is readonly T[] {
  return !all.includes(undefined);
}

function requestSnapshot(request: OutstandingRequest): RequestSnapshot | undefined {
  const { messageId, exchangeType, datagrams, exchange } = request;
  const common = { messageId, exchangeType, datagrams };
  switch (exchange.kind) {
    // Whatever their answers say is asked again.
    case 'update-addresses':
    case 'check-path':
    case 'announce-addresses':
      return { ...common, purpose: { kind: 'notify' } };
    case 'liveness':
    case 'notify':
      return { ...common, purpose: { kind: exchange.kind } };
    case 'request-ticket':
      return { ...common, purpose: { kind: 'request-ticket', postponements: exchange.postponements } };
    case 'delete-child': {
      const { inboundSpi, child } = exchange;
      return { ...common, purpose: { kind: 'delete-child', inboundSpi, installed: child !== undefined } };
    }
    default:
      return undefined;
  }
}

function childSnapshot(child: ChildSa, wallClock: (time: number) => number): ChildSaSnapshot | undefined {
  const { agreement, retained, phase, replaces } = child;
  if (retained === undefined || child.collision !== undefined) return undefined;
  return {
    childId: agreement.childId,
    generation: agreement.generation,
    name: agreement.configuration.name,
    protocol: agreement.protocol,
    mode: agreement.mode,
    suite: agreement.suite,
    inboundSpi: agreement.inboundSpi,
    outboundSpi: agreement.outboundSpi,
    local: agreement.local,
    remote: agreement.remote,
    initiator: child.initiator,
    phase,
    outboundInUse: child.outboundInUse,
    ...(replaces !== undefined && { replaces: replaces.agreement.inboundSpi }),
    ...(child.expiresAt !== undefined && { expiresAtMs: wallClock(child.expiresAt) }),
    inbound: directionSnapshot(retained.inbound),
    outbound: directionSnapshot(retained.outbound),
  };
}

function directionSnapshot({ keys, reserved }: RetainedSa): ChildSaSnapshot['inbound'] {
  return { keys: copyPacketKeys(keys), limit: reserved.limit, blockPackets: reserved.blockPackets };
}
