// How often something may happen for each source, however many sources there are or are made up.
import type { IpAddress } from '#sa';
import type { ReplyRate } from '../verdict/policy.ts';
import { SourceTable } from './source-table.ts';

/**
 * For what is cheap and must not be had without end. No source has to wait for longer than its rate says, whatever was done in its
 * name, and others cannot fill the table: who meets somebody in a cell shares its rate.
 */
export class SourceRate {
  readonly #table: SourceTable;
  readonly #rate: ReplyRate;

  /** @param salt makes cells unpredictable to strangers */
  constructor(options: {
    readonly sources: number;
    readonly salt: number;
    readonly rate: ReplyRate;
    readonly at: number;
  }) {
    this.#rate = options.rate;
    this.#table = new SourceTable(options.sources, options.salt, options.rate, options.at);
  }

  /** Takes the turn of a source if it has one. */
  take(source: IpAddress, at: number): boolean {
    const { bucket } = this.#table.cellOf(source);
    if (!bucket.has(at, this.#rate)) return false;
    bucket.take();
    return true;
  }
}
