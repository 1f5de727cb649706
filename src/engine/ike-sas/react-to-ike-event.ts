// What the host does when one of its IKE SAs reports something.
import { type ChildSaSummary, type IkeEvent, type IkeFailure, type IkeSpis, ticketOutlives } from '#ike';
import { type NotifyPayload, NotifyType } from '#wire';
import { connectionFailed, initiateChild } from '../commands/initiate-connection.ts';
import { connectionRefused } from '../commands/refused-connection.ts';
import { beginAnewInDoubt } from '../commands/twice-answered.ts';
import type { EngineState } from '../engine-state.ts';
import { courseStands } from '../recovery/course.ts';
import { receiveProtectedInvalidSpi } from '../recovery/hints-received.ts';
import { childBegan, childEnded, recordsFollow } from '../recovery/keep-history.ts';
import {
  answeredLate,
  attemptInParallel,
  oldIkeSaAnswered,
  parallelEstablished,
  silencePassesOn,
} from '../recovery/parallel-attempt.ts';
import { forgetResumed } from '../resumption/resumption.ts';
import { resolveDuplicates } from './duplicates.ts';
import { replayEarly } from './early-messages.ts';
import { entryIdentities, type IkeEntry } from './ike-sa-registry.ts';
import { newEntry } from './new-entry.ts';
import { markRedundant, noteSimultaneousInitiation, peerCameFirst } from './simultaneous-initiation.ts';

/** Acts on one event and reports it. */
export function reactToIkeEvent(state: EngineState, entry: IkeEntry, event: IkeEvent): void {
  state.event({ kind: 'ike', context: state.contextOf(entry), event });
  const { connection } = entry.sa;
  switch (event.kind) {
    case 'ike-established':
      state.registry.identify(
        entry,
        entryIdentities(event.localIdentity, event.remoteIdentity, event.remoteEapIdentity),
      );
      entry.establishedAt = state.at;
      entry.lowestNonce = entry.sa.lowestNonce;
      closeHalfOpen(state, entry);
      courseStands(state, entry, event.resumed);
      concludeInitiation(state, entry);
      parallelEstablished(state, entry);
      resolveDuplicates(state, entry, event.initialContact);
      noteSimultaneousInitiation(state, entry);
      // INITIAL_CONTACT may just have told that the peer was lost.
      courseStands(state, entry, event.resumed);
      break;
    case 'ike-resumed':
      // Its ticket is used by that. What the new IKE SA was given stays.
      state.clientTickets.dropOf(connection.name, event.former);
      forgetResumed(state, event.former);
      break;
    case 'ike-ended':
      if (!ticketOutlives(event.failure)) state.clientTickets.dropOf(connection.name, spisOf(entry));
      break;
    case 'ike-failed':
      // What the peer still has of the time before, it is told by the next attempt.
      if (entry.initialContact !== undefined) state.contacted.delete(entry.initialContact);
      connectionFailed(state, entry.ikeId, connection.name, event.failure);
      break;
    case 'peer-refused':
      connectionRefused(state, entry, event.failure.detail);
      break;
    case 'ike-sa-created':
      adoptOffspring(state, entry);
      break;
    case 'ike-rekeyed':
      moveChildren(state, entry);
      state.clientTickets.dropOf(connection.name, spisOf(entry));
      break;
    case 'reauthentication-due':
    case 'move-refused':
      for (const child of entry.sa.children) {
        const configuration = connection.children.find(({ name }) => name === child.name);
        if (configuration !== undefined)
          initiateChild(state, connection, { configuration }, { anew: true, persistent: true, inFull: true });
      }
      break;
    case 'child-established':
      state.registry.assignChild(event.child.childId, entry.ikeId);
      childBegan(state, entry, event.child);
      childUp(state, entry, event.child);
      if (entry.unwanted.delete(event.child.name)) {
        const command = { kind: 'delete-child', childId: event.child.childId } as const;
        entry.sa.handle({ kind: 'command', at: state.at, command });
        state.touch(entry);
      }
      break;
    case 'child-rekeyed':
      childBegan(state, entry, event.child);
      break;
    case 'notify-received':
      notifyReceived(state, entry, event.notify);
      break;
    case 'peer-moved':
      entry.lastMove = { at: state.at, by: 'peer', from: { local: entry.sa.local, remote: event.from } };
      recordsFollow(state, entry);
      break;
    case 'moved':
      entry.lastMove = { at: state.at, by: 'us', from: event.from };
      recordsFollow(state, entry);
      break;
    case 'path-checked':
      recordsFollow(state, entry);
      break;
    case 'retransmitting':
      if (event.attempt >= 1 && entry.establishedAt !== undefined) {
        attemptInParallel(state, entry, 'a request was not answered in time');
      } else if (entry.answeredTwice && entry.establishedAt === undefined) {
        beginAnewInDoubt(state, entry, event.attempt);
      }
      break;
    case 'answered-twice':
      entry.answeredTwice = true;
      break;
    case 'liveness-confirmed':
      oldIkeSaAnswered(state, entry);
      answeredLate(state, entry);
      break;
    case 'child-failed':
      entry.unwanted.delete(event.name);
      // Another IKE SA is being made for it, and whoever waits for it waits for that.
      if (isWantedElsewhere(state, entry, event.name)) break;
      state.pending.initiationFailed(connection.name, event.name, event.failure.detail);
      // Refused by a peer that lives: asking again would not change its mind.
      if (entry.sa.phase === 'ended') bringBack(state, entry, event.name, event.failure);
      break;
    case 'child-ended':
      childEnded(state, event.child, event.failure);
      childDown(state, entry, event.child, event.failure);
      break;
    case 'virtual-addresses':
      entry.virtualAddresses = event.addresses;
      entry.nameServers = event.dns;
      break;
    case 'nat-detected':
      entry.behindNat = event.local;
      entry.natDetected = event.local || event.remote;
      if (event.local && state.configuration.natKeepaliveMs > 0) {
        state.deadlines.set(`keepalive ${entry.ikeId}`, state.at + state.configuration.natKeepaliveMs);
      }
      break;
    default:
      break;
  }
}

function spisOf({ sa }: IkeEntry): IkeSpis {
  return { initiator: sa.initiatorSpi, responder: sa.responderSpi };
}

/** What the IKE SA leaves to its host (RFC 6290 4.2, RFC 7296 1.5). */
function notifyReceived(state: EngineState, entry: IkeEntry, notify: NotifyPayload): void {
  switch (notify.notifyType) {
    case NotifyType.QUICK_CRASH_DETECTION:
      state.recovery.heldBy(entry.ikeId).take(notify);
      break;
    case NotifyType.INVALID_SPI:
      receiveProtectedInvalidSpi(state, entry, notify);
      break;
    default:
      break;
  }
}

function closeHalfOpen(state: EngineState, entry: IkeEntry): void {
  if (entry.halfOpenSource !== undefined) state.halfOpen.remove(entry.halfOpenSource);
  entry.halfOpenSource = undefined;
}

/** The IKE SA stands: children that were asked for while it was on its way follow. */
function concludeInitiation(state: EngineState, entry: IkeEntry): void {
  const initiation = state.initiations.byIke(entry.ikeId);
  if (initiation === undefined) return;
  state.initiations.end(initiation.connection.name);
  for (const wanted of initiation.wanted.values()) {
    if (initiation.given.has(wanted.configuration.name)) continue;
    entry.sa.handle({
      kind: 'command',
      at: state.at,
      command: {
        kind: 'initiate-child',
        child: wanted.configuration,
        ...(wanted.acquired === undefined ? {} : { acquired: wanted.acquired }),
      },
    });
  }
}

/** A rekeying made a new IKE SA, or a collision two: their SPIs lead to them from now on. */
function adoptOffspring(state: EngineState, entry: IkeEntry): void {
  for (const sa of entry.sa.offspring) {
    if (state.registry.of(sa) !== undefined) continue;
    const heir = newEntry(state, {
      ikeId: state.registry.nextIkeId(),
      line: entry.line,
      sa,
      initiator: sa.role === 'initiator',
    });
    if (entry.identities !== undefined) state.registry.identify(heir, entry.identities);
    heir.establishedAt = state.at;
    heir.lowestNonce = entry.lowestNonce;
    if (entry.redundant) markRedundant(state, heir);
    heir.behindNat = entry.behindNat;
    heir.natDetected = entry.natDetected;
    heir.virtualAddresses = entry.virtualAddresses;
    heir.nameServers = entry.nameServers;
    heir.peerVirtualAddresses = entry.peerVirtualAddresses;
    heir.parent = entry;
    entry.offspring.push(heir);
    state.pending.ikeReplaced(entry.ikeId, heir.ikeId);
    if (heir.behindNat && state.configuration.natKeepaliveMs > 0) {
      state.deadlines.set(`keepalive ${heir.ikeId}`, state.at + state.configuration.natKeepaliveMs);
    }
    replayEarly(state, entry, heir);
    state.touch(heir);
  }
}

function moveChildren(state: EngineState, entry: IkeEntry): void {
  adoptOffspring(state, entry);
  const successor = entry.sa.successor && state.registry.of(entry.sa.successor);
  if (successor === undefined) throw new Error('an IKE SA was rekeyed without a successor');
  entry.line.ikeId = successor.ikeId;
  successor.lastMove = entry.lastMove;
  for (const childId of successor.sa.childIds()) state.registry.assignChild(childId, successor.ikeId);
  for (const { name } of successor.sa.children) state.registry.lead(successor, name);
  recordsFollow(state, successor);
  silencePassesOn(state, entry, successor);
}

function childUp(state: EngineState, entry: IkeEntry, child: ChildSaSummary): void {
  const { connection } = entry.sa;
  const configuration = connection.children.find(({ name }) => name === child.name);
  if (configuration !== undefined) {
    state.event({ kind: 'child-up', context: state.contextOf(entry), child, configuration });
  }
  state.registry.lead(entry, child.name);
  takePrecedence(state, entry, child.name);
  if (!entry.initiator && entry.establishedAt === state.at) peerCameFirst(state, entry);
  state.onceCarriedOut(entry, () => state.pending.childUp(connection.name, child.name));
}

/** Two IKE SAs with one peer carry the same traffic: ours leaves through the newer, for the older may be forgotten. */
function takePrecedence(state: EngineState, entry: IkeEntry, name: string): void {
  for (const other of state.registry.leading(entry, name)) {
    const { phase } = other.sa;
    if (other.createdAt >= entry.createdAt || (phase !== 'established' && phase !== 'rekeying')) continue;
    for (const childId of other.sa.childIds(name)) state.demotePolicies(childId);
    state.registry.yield(other, name);
  }
}

function childDown(state: EngineState, entry: IkeEntry, child: ChildSaSummary, failure: IkeFailure): void {
  // A rekeyed generation went; the pair goes on, unless what replaced it went first.
  const holder = state.registry.byChild(child.childId);
  const goesOn = holder?.sa.childIds().includes(child.childId) ?? false;
  if (failure.code === 'replaced' && goesOn) return;
  const { connection } = entry.sa;
  state.registry.dropChild(child.childId);
  state.recovery.replacements.forget(String(child.childId));
  state.pending.childEnded(child.childId);
  const configuration = connection.children.find(({ name }) => name === child.name);
  if (configuration === undefined) return;
  state.event({ kind: 'child-down', context: state.contextOf(entry), child, configuration, failure });
  // Its traffic has moved already.
  if (entry.successorOfSilence !== undefined) return;
  bringBack(state, entry, child.name, failure);
}

function isWantedElsewhere({ initiations }: EngineState, { ikeId, sa }: IkeEntry, child: string): boolean {
  if (initiations.byIke(ikeId) !== undefined) return false;
  return initiations.get(sa.connection.name)?.wanted.has(child) === true;
}

/** A Child SA went, or never came, though somebody wants it: does what the configuration says. */
function bringBack(state: EngineState, entry: IkeEntry, child: string, failure: IkeFailure): void {
  const { connection } = entry.sa;
  const configuration = connection.children.find(({ name }) => name === child);
  if (configuration === undefined || state.shuttingDown) return;
  switch (actionAfter(failure, configuration)) {
    case 'start':
      // A duplicate that was closed left the tunnel up: another one would be closed again, without end.
      if (state.registry.carries(connection.name, child)) break;
      initiateChild(
        state,
        connection,
        { configuration },
        { persistent: true, afterMs: state.restarts.take(connection.name, state.at) },
      );
      break;
    case 'trap':
      state.setTrap(connection, configuration);
      break;
    case 'none':
      break;
  }
}

/** swanctl.conf: `dpd_action` when the peer fell silent, `close_action` when it closed the Child SA. */
function actionAfter(
  failure: IkeFailure,
  child: {
    readonly dpdAction: 'clear' | 'trap' | 'restart';
    readonly closeAction: 'none' | 'trap' | 'start';
  },
): 'none' | 'trap' | 'start' {
  switch (failure.code) {
    case 'no-answer':
      return child.dpdAction === 'restart' ? 'start' : child.dpdAction === 'trap' ? 'trap' : 'none';
    case 'deleted-by-peer':
    case 'expired':
      return child.closeAction;
    default:
      return 'none';
  }
}
