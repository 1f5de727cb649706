// The peer refuses our IKE_SA_INIT, or somebody does in its name: an answer that comes after that counts (RFC 7296 2.21.1).
import type { EngineState } from '../engine-state.ts';
import type { IkeEntry } from '../ike-sas/ike-sa-registry.ts';
import { answerWithin } from '../recovery/path-knowledge.ts';

/** Whoever saw the request is faster than the peer: its answer is waited for as long as answers take. */
export function connectionRefused(state: EngineState, entry: IkeEntry, detail: string): void {
  const key = `refused ${entry.ikeId}`;
  if (state.initiations.byIke(entry.ikeId) === undefined) return;
  entry.refusal = detail;
  if (state.deadlines.at(key) === undefined) state.deadlines.set(key, state.at + answerWithin(entry.sa));
}

/**
 * There was no other answer. A persistent initiation goes on trying all the same; a person who waits is told, and can try again.
 */
export function refusalStands(state: EngineState, entry: IkeEntry): void {
  const { refusal: detail, sa } = entry;
  const initiation = state.initiations.byIke(entry.ikeId);
  if (initiation === undefined || detail === undefined || !sa.unanswered) return;
  const { connection, persistent } = initiation;
  state.pending.initiationFailed(connection.name, undefined, detail);
  if (persistent) return;
  state.initiations.end(connection.name);
  state.event({ kind: 'connect-failed', connection: connection.name, detail });
  sa.handle({ kind: 'command', at: state.at, command: { kind: 'abandon', reason: detail } });
  state.touch(entry);
}
