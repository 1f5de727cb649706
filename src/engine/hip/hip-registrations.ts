// The registrars of this host have an association with it, whatever happens to the last one (RFC 8003 3.2).
import { type HipConfiguration, type HipEvent, peersOf } from '#hip';
import type { Hit } from '#wire';
import type { EngineState } from '../engine-state.ts';
import type { HipSide } from './hip-side.ts';

/** Key of the one deadline of all registrars. */
export const hipRegistrationDeadline = 'hip registrations';

/** A call that fails is not repeated before this; it doubles. */
const waitMsMin = 6_000;
const waitMsMax = 60_000;

interface Due {
  readonly at: number;
  readonly waitMs: number;
}

export class HipRegistrations {
  /** Registrars with which nothing stands, but for those that somebody took down by hand. */
  readonly #due = new Map<Hit, Due>();

  /** Calls whom we are to be registered with, at the start and after a reload. */
  follow(state: EngineState, configuration: HipConfiguration): void {
    this.#due.clear();
    for (const hit of peersOf(configuration).registrars.keys())
      this.#due.set(hit, { at: state.at, waitMs: waitMsMin });
    this.#arm(state);
  }

  note(state: EngineState, hip: HipSide, event: HipEvent): void {
    if (event.kind !== 'established' && event.kind !== 'ended') return;
    const { remote } = event.context;
    if (!peersOf(hip.configuration).registrars.has(remote) || state.shuttingDown) return;
    // Taken down by hand is down until it is called by hand, by the registrar, or by a reload.
    if (event.kind === 'established' || event.cause === 'closed-by-us') this.#due.delete(remote);
    else this.#due.set(remote, { at: state.at + waitMsMin, waitMs: waitMsMin });
    this.#arm(state);
  }

  run(state: EngineState, hip: HipSide): void {
    for (const [hit, { at, waitMs }] of [...this.#due]) {
      if (at > state.at) continue;
      const peer = peersOf(hip.configuration).with(hit);
      if (hip.isStanding(hit) || peer === undefined) {
        this.#due.delete(hit);
        continue;
      }
      this.#due.set(hit, { at: state.at + waitMs, waitMs: Math.min(2 * waitMs, waitMsMax) });
      hip.call(peer, hit, 'we are to be registered with it');
    }
    this.#arm(state);
  }

  #arm(state: EngineState): void {
    const times = [...this.#due.values()].map(({ at }) => at);
    state.deadlines.set(hipRegistrationDeadline, times.length === 0 ? undefined : Math.min(...times));
  }
}
