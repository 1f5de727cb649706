// What an IKE SA of this host sees of the brake on guessing, and what is told of it.
import { formatIdentity, type GuessPort } from '#ike';
import type { EngineState } from '../engine-state.ts';
import type { IkeLine } from '../ike-sas/ike-sa-registry.ts';

export function guessPort(state: EngineState, { ikeId }: IkeLine): GuessPort {
  return {
    admit: (attempt) => {
      const entry = state.registry.byId(ikeId);
      const source = entry?.initRequestFrom?.address;
      if (entry === undefined || source === undefined) return { kind: 'judge' };
      const verdict = state.guesses.admit(attempt, source, state.at);
      if (verdict.kind !== 'judge') {
        state.event({
          kind: 'guess-braked',
          outcome: verdict.kind === 'wait' ? 'delayed' : 'refused',
          by: verdict.by,
          secret: attempt.secret,
          user: formatIdentity(attempt.user),
          remote: entry.sa.remote,
          connection: entry.sa.connection.name,
        });
      }
      return verdict;
    },
    right: (attempt) => {
      const source = state.registry.byId(ikeId)?.initRequestFrom?.address;
      if (source !== undefined) state.guesses.right(attempt, source, state.at);
    },
  };
}
