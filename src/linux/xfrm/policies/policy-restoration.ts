// The kernel has our policies as they are to be: those that somebody else removes come back, and what it refused is tried again.
import type { XfrmMessage } from '#wire';
import { unlessRefused } from '../refusal.ts';
import type { PolicyTable } from './policy-table.ts';

/** After the kernel did not tell, or did not do what it was asked. */
const againMs = 1_000;

export class PolicyRestoration {
  readonly #table: PolicyTable;
  /** Places in the kernel's SPD that somebody had cleared. */
  restored = 0;
  #againAt = Number.POSITIVE_INFINITY;
  /** Not before this time. */
  #catchUpAt = 0;

  constructor(table: PolicyTable) {
    this.#table = table;
  }

  /** A policy has gone, or all of them have: ours come back if it was not us. @param at monotonic milliseconds */
  takeRemoval(message: XfrmMessage, at: number): void {
    if (message.kind === 'flush-policies') this.restore(at);
    else if (message.kind === 'delete-policy') this.#try(() => this.#table.restoreOne(message), at);
  }

  restore(at: number): void {
    this.#try(() => this.#table.restore(), at);
  }

  #try(work: () => number, at: number): void {
    const restored = unlessRefused(work, undefined);
    this.restored += restored ?? 0;
    if (restored === undefined) this.#againAt = Math.min(this.#againAt, at + againMs);
  }

  /** When `handleTimeout` is due; infinity if nothing waits. */
  deadline(): number {
    return this.#table.isBehind ? Math.min(this.#againAt, this.#catchUpAt) : this.#againAt;
  }

  handleTimeout(at: number): void {
    if (this.#table.isBehind && at >= this.#catchUpAt) {
      this.#table.catchUp();
      this.#catchUpAt = at + againMs;
    }
    if (at < this.#againAt) return;
    this.#againAt = Number.POSITIVE_INFINITY;
    this.restore(at);
  }
}
