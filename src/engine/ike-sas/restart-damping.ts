// How soon a Child SA that went is made again: at once, but not over and over while a peer closes it each time.
import { retryDelayMs } from '../commands/initiations.ts';

/** A tunnel that stood so long had no trouble. */
const calmMs = 60_000;

interface Restarts {
  count: number;
  lastAt: number;
}

/** Restarts by connection; there are as many as the configuration names. */
export class RestartDamping {
  readonly #restarts = new Map<string, Restarts>();

  /** Milliseconds to wait before this restart; it counts as begun then. */
  take(connection: string, at: number): number {
    const known = this.#restarts.get(connection);
    const count = known === undefined || at - known.lastAt >= calmMs ? 0 : known.count;
    const waitMs = count === 0 ? 0 : retryDelayMs(count);
    this.#restarts.set(connection, { count: count + 1, lastAt: at + waitMs });
    return waitMs;
  }

  /** Of connections that are configured no more. */
  retain(connections: ReadonlySet<string>): void {
    for (const name of this.#restarts.keys()) if (!connections.has(name)) this.#restarts.delete(name);
  }
}
