// Rung 4: a peer that does not answer gets a fresh IKE_SA_INIT beside the IKE SA that still retransmits (RFC 7296 2.4).
// Nothing is concluded from silence: the old IKE SA stays until its own tries are spent or the peer answers on it.
import { ExchangeType, zeroIkeSpi } from '#wire';
import type { EngineState } from '../engine-state.ts';
import { settleContest } from '../ike-sas/duplicates.ts';
import type { IkeEntry } from '../ike-sas/ike-sa-registry.ts';
import { courseCancelled, firstSignAt } from './course.ts';
import { isSilent, waitsToMove } from './path-knowledge.ts';
import { callChildren, mayCall } from './reestablish.ts';

/** How long packets may be on their way when the peer has changed over to another IKE SA. */
const overtakenMsMin = 1_000;
const overtakenRoundTrips = 2;

/**
 * Starts a second IKE SA with the peer of one that is silent, at most one and once per back-off step. A request that is not
 * answered, or a stranger's word, is not enough while protected traffic comes in.
 */
export function attemptInParallel(state: EngineState, entry: IkeEntry, why: string): void {
  const { sa } = entry;
  const { name } = sa.connection;
  if (!state.unknownSpi.parallelAttempts || !isSilent(state, entry)) return;
  if (waitsToMove(state, entry)) return;
  if (state.shuttingDown || (sa.phase !== 'established' && sa.phase !== 'rekeying')) return;
  if (state.initiations.get(name) !== undefined || entry.successorOfSilence !== undefined) return;
  const children = [...new Set(sa.children.map((child) => child.name))]
    // What a newer IKE SA with the same peer carries has moved already.
    .filter((child) => !state.registry.carriesNewer(entry, child));
  if (children.length === 0 || !mayCall(sa.connection)) return;
  if (!state.recovery.reestablishments.take(name, state.at)) return;
  state.rung(name, 'silence', 'parallel', why);
  state.recovery.parallel.set(name, entry.ikeId);
  state.recovery.answeredMeanwhile.delete(entry.ikeId);
  callChildren(state, sa.connection, children, 'silence', firstSignAt(state, entry));
}

/**
 * The old IKE SA answered: an attempt that is still under way is cancelled, unless the peer may have authenticated it
 * already. Dropped in silence, such a one would stay with the peer and draw its traffic.
 */
export function oldIkeSaAnswered(state: EngineState, entry: IkeEntry): void {
  const { name } = entry.sa.connection;
  if (state.recovery.parallel.get(name) !== entry.ikeId || !goesOn(entry)) return;
  const initiation = state.initiations.get(name);
  const attempt =
    initiation?.phase.name === 'connecting' ? state.registry.byId(initiation.phase.ikeId) : undefined;
  if (attempt !== undefined && isAuthenticating(attempt)) {
    state.recovery.answeredMeanwhile.add(entry.ikeId);
    return;
  }
  state.recovery.parallel.delete(name);
  if (initiation === undefined) return;
  state.initiations.end(name);
  courseCancelled(state, name);
  state.rung(name, 'silence', 'answered', 'the peer answered on the old IKE SA: the attempt is cancelled');
  if (attempt === undefined) return;
  const reason = 'the old IKE SA answered first';
  attempt.sa.handle({ kind: 'command', at: state.at, command: { kind: 'abandon', reason } });
  state.touch(attempt);
}

/** An IKE SA on its way out answers its Delete, or what stood before that: it has to be replaced all the same. */
function goesOn({ sa }: IkeEntry): boolean {
  return (sa.phase === 'established' || sa.phase === 'rekeying') && !sa.leaving;
}

function isAuthenticating({ sa }: IkeEntry): boolean {
  return sa.outstanding.some(({ exchangeType }) => exchangeType === ExchangeType.IKE_AUTH);
}

/**
 * The peer is back, and says so with proof. What the attempt sent went to nobody: its next try may be seconds away, and
 * what silence may not present, a ticket, is good now. An attempt that was answered already goes on.
 */
export function withdrawUnheardAttempt(state: EngineState, old: IkeEntry): void {
  const { name } = old.sa.connection;
  if (state.recovery.parallel.get(name) !== old.ikeId) return;
  const initiation = state.initiations.get(name);
  if (initiation?.phase.name !== 'connecting') return;
  const attempt = state.registry.byId(initiation.phase.ikeId);
  if (attempt === undefined || attempt.sa.responderSpi !== zeroIkeSpi) return;
  state.recovery.parallel.delete(name);
  state.initiations.enter(initiation, { name: 'waiting' });
  initiation.inFull = false;
  const reason = 'the peer is back: the attempt begins anew';
  attempt.sa.handle({ kind: 'command', at: state.at, command: { kind: 'abandon', reason } });
  state.touch(attempt);
}

/** A fresh message came under the keys of an IKE SA: the peer has it, whether it answers us with that or not. */
export function heardOnIkeSa(state: EngineState, entry: IkeEntry): void {
  const { phase, lastInboundAt } = entry.sa;
  if (lastInboundAt !== state.at || (phase !== 'established' && phase !== 'rekeying')) return;
  oldIkeSaAnswered(state, entry);
  answeredLate(state, entry);
  settleContest(state, entry);
}

/** An IKE SA was rekeyed: what stood between it and others stands between them and its heir. */
export function silencePassesOn({ recovery, registry }: EngineState, old: IkeEntry, heir: IkeEntry): void {
  const { name } = old.sa.connection;
  heir.successorOfSilence = old.successorOfSilence;
  old.successorOfSilence = undefined;
  if (recovery.parallel.get(name) === old.ikeId) recovery.parallel.set(name, heir.ikeId);
  if (recovery.answeredMeanwhile.delete(old.ikeId)) recovery.answeredMeanwhile.add(heir.ikeId);
  for (const other of registry.allOfConnection(name)) {
    if (other.successorOfSilence === old.ikeId) other.successorOfSilence = heir.ikeId;
  }
}

/** The peer authenticated anew. Our traffic moves; the old IKE SA only receives from now on. */
export function parallelEstablished(state: EngineState, fresh: IkeEntry): void {
  const { name } = fresh.sa.connection;
  const oldId = state.recovery.parallel.get(name);
  if (oldId === undefined) return;
  state.recovery.parallel.delete(name);
  const old = state.registry.byId(oldId);
  if (old === undefined || old === fresh) return;
  old.successorOfSilence = fresh.ikeId;
  state.rung(name, 'silence', 'moved', 'the peer authenticated anew: traffic leaves through the new IKE SA');
  if (state.recovery.answeredMeanwhile.delete(oldId)) answeredLate(state, old);
}

/** The old IKE SA answered after all: the peer holds both, and one is enough. What is on its way through it may still arrive. */
export function answeredLate(state: EngineState, old: IkeEntry): void {
  const key = supersededKey(old);
  if (standingSuccessor(state, old) === undefined || state.deadlines.at(key) !== undefined) return;
  const { name } = old.sa.connection;
  state.rung(name, 'silence', 'answered', 'the peer answered on both IKE SAs: the old one is to be deleted');
  state.deadlines.set(
    key,
    state.at + Math.max(overtakenMsMin, overtakenRoundTrips * (old.sa.roundTripMs ?? 0)),
  );
}

/** What was on its way has arrived. The data plane or the peer may have refused to the new IKE SA what the old one has. */
export function deleteSuperseded(state: EngineState, old: IkeEntry): void {
  const fresh = standingSuccessor(state, old);
  if (fresh === undefined) return;
  const carried = childNames(fresh);
  if ([...childNames(old)].some((name) => !carried.has(name))) {
    if (fresh.sa.outstanding.length > 0 || fresh.sa.queued.length > 0) {
      state.deadlines.set(supersededKey(old), state.at + overtakenMsMin);
      return;
    }
    old.successorOfSilence = undefined;
    if (carried.size === 0) deleteOne(state, fresh, 'it has no Child SA, and the IKE SA that was silent has');
    return;
  }
  old.successorOfSilence = undefined;
  deleteOne(state, old, 'replaced by the IKE SA that was made while this one was silent');
}

function deleteOne(state: EngineState, entry: IkeEntry, reason: string): void {
  entry.sa.handle({ kind: 'command', at: state.at, command: { kind: 'delete', reason } });
  state.touch(entry);
}

function childNames({ sa }: IkeEntry): ReadonlySet<string> {
  return new Set(sa.children.filter(({ phase }) => phase !== 'deleting').map(({ name }) => name));
}

function supersededKey({ ikeId }: IkeEntry): string {
  return `superseded ${ikeId}`;
}

/** If it is gone, the old one is on its own again. */
function standingSuccessor({ registry }: EngineState, old: IkeEntry): IkeEntry | undefined {
  if (old.successorOfSilence === undefined) return undefined;
  const fresh = registry.byId(old.successorOfSilence);
  if (fresh !== undefined && fresh.sa.phase !== 'ended') return fresh;
  old.successorOfSilence = undefined;
  return undefined;
}
