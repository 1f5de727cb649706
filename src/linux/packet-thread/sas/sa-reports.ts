// Counters of the SAs that carried or refused something since they were told last.
import type { MemoryDataPlane, SaUsage } from '#ipsec';
import type { SaCommand, SaName } from '#sa';
import type { SaReport } from '../control/messages.ts';
import { SaIndex } from './sa-index.ts';

interface KnownSa extends SaName {
  readonly usage: SaUsage;
  reportedPackets: number;
  reportedRefusals: number;
}

export class SaReports {
  readonly #plane: Pick<MemoryDataPlane, 'usage'>;
  readonly #known = new SaIndex<KnownSa>();

  constructor(plane: Pick<MemoryDataPlane, 'usage'>) {
    this.#plane = plane;
  }

  /** A command that was carried out. */
  follow(command: SaCommand): void {
    switch (command.kind) {
      case 'install': {
        const { protocol, direction, spi, childId } = command.sa;
        const usage = this.#plane.usage(command.sa);
        if (usage === undefined) break;
        this.#known.add({
          protocol,
          direction,
          spi,
          childId,
          usage,
          reportedPackets: 0,
          reportedRefusals: 0,
        });
        break;
      }
      case 'remove':
        this.#known.remove(command);
        break;
    }
  }

  take(): SaReport[] {
    const reports: SaReport[] = [];
    for (const sa of this.#known.values()) if (hasMoved(sa)) reports.push(report(sa));
    return reports;
  }

  /** The last of an SA that is about to be removed; undefined if there is nothing new to tell. */
  takeLast(name: SaName): SaReport | undefined {
    const sa = this.#known.find(name);
    return sa !== undefined && hasMoved(sa) ? report(sa) : undefined;
  }
}

function hasMoved({ usage, reportedPackets, reportedRefusals }: KnownSa): boolean {
  return usage.packets !== reportedPackets || usage.refusals !== reportedRefusals;
}

function report(sa: KnownSa): SaReport {
  const { protocol, direction, spi, childId, usage } = sa;
  const counters = usage.counters();
  sa.reportedPackets = counters.packets;
  sa.reportedRefusals = usage.refusals;
  return { protocol, direction, spi, childId, counters };
}
