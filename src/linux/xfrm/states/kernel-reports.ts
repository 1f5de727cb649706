// Counters of our SAs in the kernel that moved since they were told last.
import type { SaName } from '#sa';
import { SystemCallError } from '../../libc/errno.ts';
import type { SaReport } from '../../packet-thread/control/messages.ts';
import type { KernelSa } from './kernel-sa.ts';
import type { SaPairs } from './sa-pairs.ts';
import { readFailures, readUsage, type StateRequests } from './sa-usage.ts';

export class KernelReports {
  readonly #kernel: StateRequests;
  readonly #sas: SaPairs;
  readonly #firstInbound: (sa: KernelSa) => void;

  /** @param firstInbound hears of each inbound SA that was used for the first time */
  constructor(kernel: StateRequests, sas: SaPairs, firstInbound: (sa: KernelSa) => void) {
    this.#kernel = kernel;
    this.#sas = sas;
    this.#firstInbound = firstInbound;
  }

  /** Whether the kernel was too busy to tell of all. */
  incomplete = false;

  /** Asks for the counters of all SAs; those that moved. @param failed packets were refused since the last time */
  take(at: number, failed: boolean): SaReport[] {
    const reports: SaReport[] = [];
    this.incomplete = false;
    for (const sa of this.#sas.all()) {
      try {
        const report = this.#reportOf(sa, at, failed);
        if (report !== undefined) reports.push(report);
      } catch (error) {
        if (!(error instanceof SystemCallError)) throw error;
        // What it has told counts, and the rest comes the next time.
        this.incomplete = true;
        break;
      }
    }
    return reports;
  }

  /** The last of an SA that is about to be removed, the only one that is asked for; undefined if it has not moved. */
  takeLast(name: SaName, at: number, failed: boolean): SaReport | undefined {
    const sa = this.#sas.find(name);
    return sa === undefined || sa.ended ? undefined : this.#reportOf(sa, at, failed);
  }

  #reportOf(sa: KernelSa, at: number, failed: boolean): SaReport | undefined {
    const inbound = sa.direction === 'inbound';
    const first = inbound && sa.packets === 0;
    const moved = readUsage(this.#kernel, sa, at);
    if (first && moved) this.#firstInbound(sa);
    const refused = failed && inbound && readFailures(this.#kernel, sa);
    if (!moved && !refused) return undefined;
    const { protocol, direction, spi, childId } = sa;
    return { protocol, direction, spi, childId, counters: sa.counters() };
  }
}
