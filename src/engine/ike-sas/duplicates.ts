// More than one IKE SA between the same two identities: which stays (RFC 7296 2.4, swanctl.conf `unique`).
import type { EngineState } from '../engine-state.ts';
import { peerCalledAnew } from '../recovery/course.ts';
import { pathOf } from '../recovery/path-knowledge.ts';
import type { IkeEntry } from './ike-sa-registry.ts';

/** Called when `fresh` has just been established. @param initialContact the peer says that it knows no other IKE SA */
export function resolveDuplicates(state: EngineState, fresh: IkeEntry, initialContact: boolean): void {
  const { identities } = fresh;
  const { unique, name } = fresh.sa.connection;
  if (identities === undefined || unique === 'never') return;
  const others = state.registry
    .ofIdentities(identities)
    // An IKE SA made at the same time as this one is the other half of a simultaneous initiation: the peer knows it.
    .filter(
      (entry) =>
        entry !== fresh &&
        // One that fell silent ends by its own retransmissions, or by a Delete once it answers (RFC 7296 2.4).
        (initialContact || entry.successorOfSilence === undefined) &&
        (entry.establishedAt ?? Number.POSITIVE_INFINITY) <= fresh.createdAt,
    );
  for (const other of others) {
    if (initialContact) {
      report(state, name, fresh, other, 'the peer sent INITIAL_CONTACT: it has no other IKE SA');
      peerCalledAnew(state, other, 'the peer began anew with INITIAL_CONTACT: it has lost its state');
      // The peer has forgotten this SA: there is nobody to tell.
      end(state, other, 'abandon', 'the peer lost its state (INITIAL_CONTACT)');
    } else if (unique === 'replace') {
      report(state, name, fresh, other, 'unique = replace');
      end(state, other, 'delete', 'replaced by a newer IKE SA of the same peer (unique = replace)');
    } else if (unique === 'keep') {
      if (Math.max(pathOf(state, other.ikeId).heardAt, other.sa.lastInboundAt) > fresh.createdAt) {
        keepOlder(state, other, fresh);
        return;
      }
      // A peer that lost its state need not say so (RFC 7296 2.4): whether the older one lives is asked, and both stand meanwhile.
      other.contested = true;
      const reason = 'the peer has made another IKE SA (unique = keep)';
      other.sa.handle({ kind: 'command', at: state.at, command: { kind: 'check-liveness', reason } });
      state.touch(other);
    }
  }
}

/** The peer has said something on an IKE SA that newer ones stand beside: it is kept, and they go (`unique = keep`). */
export function settleContest(state: EngineState, older: IkeEntry): void {
  const { identities, establishedAt } = older;
  if (!older.contested || identities === undefined || establishedAt === undefined) return;
  older.contested = false;
  for (const entry of state.registry.ofIdentities(identities)) {
    if (entry !== older && entry.createdAt >= establishedAt) keepOlder(state, older, entry);
  }
}

function keepOlder(state: EngineState, older: IkeEntry, fresh: IkeEntry): void {
  report(state, fresh.sa.connection.name, older, fresh, 'unique = keep');
  end(state, fresh, 'delete', 'an older IKE SA of the same peer is kept (unique = keep)');
}

function report(
  state: EngineState,
  connection: string,
  kept: IkeEntry,
  ended: IkeEntry,
  reason: string,
): void {
  state.event({ kind: 'duplicate-ike-sa', connection, kept: kept.ikeId, ended: ended.ikeId, reason });
}

function end(state: EngineState, entry: IkeEntry, kind: 'abandon' | 'delete', reason: string): void {
  entry.sa.handle({ kind: 'command', at: state.at, command: { kind, reason } });
  state.touch(entry);
}
