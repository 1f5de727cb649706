// A token proved that the peer has forgotten an IKE SA: it goes without a word, and a new one is made at once (RFC 6290 4.5).
import type { EngineState } from '../engine-state.ts';
import type { IkeEntry } from '../ike-sas/ike-sa-registry.ts';
import { childrenForgotten } from './keep-history.ts';
import { withdrawUnheardAttempt } from './parallel-attempt.ts';
import { callChildren } from './reestablish.ts';

export function peerForgot(state: EngineState, entry: IkeEntry): void {
  const { connection, phase } = entry.sa;
  // Our Delete arrived, and its answer was lost: the peer has forgotten what it was to forget.
  const wasDeleted = phase === 'deleting';
  const standing = entry.sa.children.map(({ name }) => name);
  const toCome = entry.sa.unfinishedChildren.filter((name) => !entry.unwanted.has(name));
  const children = [...new Set([...standing, ...toCome])];
  if (!wasDeleted) childrenForgotten(state, entry);
  const reason = 'the peer proved with a token that it has forgotten this IKE SA';
  entry.sa.handle({ kind: 'command', at: state.at, command: { kind: 'abandon', reason } });
  state.touch(entry);
  if (state.shuttingDown || wasDeleted) return;
  withdrawUnheardAttempt(state, entry);
  // The peer has begun anew already, or we have: what stands since then is not proven lost.
  const lost = children.filter((name) => !state.registry.carriesNewer(entry, name));
  if (lost.length === 0) return;
  // The token is proof: no back-off, for it can be had only once per IKE SA.
  callChildren(state, connection, lost, 'token');
}
