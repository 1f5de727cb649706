// Both ends began at once, and made an IKE SA each: one of the two goes, and both ends agree on which.
//
// RFC 7296 2.8.2 has the rule for rekeyings, and it serves here: the IKE SA whose first exchange had the lowest nonce of all
// is deleted by the end that began it. Only that end acts, so that never both are deleted; a peer that knows nothing of the
// rule keeps two IKE SAs, as RFC 7296 2.8 allows.
import { compareNonces } from '#ike';
import type { EngineState } from '../engine-state.ts';
import type { IkeEntry } from './ike-sa-registry.ts';

/** The peer may still wait for the answer that makes the other IKE SA its own: nothing goes before traffic could move. */
const settleMs = 1_000;

/** Called when `fresh` has just been established. */
export function noteSimultaneousInitiation(state: EngineState, fresh: IkeEntry): void {
  if (fresh.sa.connection.unique === 'never') return;
  for (const other of standingBeside(state, fresh)) {
    const [ours, theirs] = fresh.initiator ? [fresh, other] : [other, fresh];
    if (ours.initiator === theirs.initiator || !overlap(ours, theirs)) continue;
    if (ours.lowestNonce === undefined || theirs.lowestNonce === undefined) continue;
    if (compareNonces(ours.lowestNonce, theirs.lowestNonce) < 0) markRedundant(state, ours);
  }
}

/** Also an IKE SA that a rekeying made of a redundant one. */
export function markRedundant(state: EngineState, entry: IkeEntry): void {
  entry.redundant = true;
  state.deadlines.set(`duplicate ${entry.ikeId}`, state.at + settleMs);
}

/** It goes, if the other one really stands and has everything that it has. */
export function deleteRedundant(state: EngineState, entry: IkeEntry): void {
  const { sa } = entry;
  if (!entry.redundant || (sa.phase !== 'established' && sa.phase !== 'rekeying')) return;
  const kept = standingBeside(state, entry).find(
    (other) =>
      !other.redundant &&
      sa.children.every(({ name }) =>
        other.sa.children.some((child) => child.name === name && child.phase === 'installed'),
      ),
  );
  if (kept === undefined) return;
  const reason = 'both ends began at once, and this one had the lowest nonce';
  state.event({
    kind: 'duplicate-ike-sa',
    connection: sa.connection.name,
    kept: kept.ikeId,
    ended: entry.ikeId,
    reason,
  });
  sa.handle({ kind: 'command', at: state.at, command: { kind: 'delete', reason } });
  state.touch(entry);
}

/**
 * The peer has just made what an attempt of ours was for, and has not answered ours: it is given up before there are two. Once
 * our IKE_SA_INIT is answered it goes on, for then the peer's own attempt may have been given up for it.
 */
export function peerCameFirst(state: EngineState, fresh: IkeEntry): void {
  const { name } = fresh.sa.connection;
  const initiation = state.initiations.get(name);
  if (initiation === undefined) return;
  const { phase, wanted } = initiation;
  const attempt = phase.name === 'connecting' ? state.registry.byId(phase.ikeId) : undefined;
  if (attempt !== undefined && !attempt.sa.unanswered) return;
  const carried = new Set(fresh.sa.children.map((child) => child.name));
  if ([...wanted.keys()].some((child) => !carried.has(child))) return;
  state.initiations.end(name);
  state.deadlines.set(`connect ${name}`, undefined);
  if (attempt === undefined) return;
  const reason = 'the peer made an IKE SA of its own before it answered';
  attempt.sa.handle({ kind: 'command', at: state.at, command: { kind: 'abandon', reason } });
  state.touch(attempt);
}

/** Other IKE SAs of the same connection between the same identities. */
function standingBeside(state: EngineState, entry: IkeEntry): IkeEntry[] {
  const { identities, sa } = entry;
  if (identities === undefined) return [];
  return state.registry
    .ofIdentities(identities)
    .filter((other) => other !== entry && other.sa.connection.name === sa.connection.name);
}

/** Neither stood when the other was begun. */
function overlap(one: IkeEntry, other: IkeEntry): boolean {
  const stoodAt = ({ establishedAt }: IkeEntry): number => establishedAt ?? Number.POSITIVE_INFINITY;
  return one.createdAt < stoodAt(other) && other.createdAt < stoodAt(one);
}
