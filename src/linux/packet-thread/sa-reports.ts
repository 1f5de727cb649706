// Counters of the SAs that moved since they were told last.
import type { MemoryDataPlane, SaUsage } from '#ipsec';
import type { IpAddress, SaCommand } from '#sa';
import type { SaReport } from './messages.ts';
import { type IndexedSa, SaIndex } from './sa-index.ts';

interface KnownSa extends IndexedSa {
  remote: IpAddress;
  readonly usage: SaUsage;
  reportedPackets: number;
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
        const { protocol, direction, spi, childId, remote } = command.sa;
        const usage = this.#plane.usage(protocol, direction, spi, remote);
        if (usage === undefined) break;
        this.#known.add({ protocol, direction, spi, childId, remote, usage, reportedPackets: 0 });
        break;
      }
      case 'update-addresses': {
        const sa = this.#known.ofPair(command);
        if (sa !== undefined) this.#known.move(sa, command.remote.address);
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
  takeLast(command: Extract<SaCommand, { kind: 'remove' }>): SaReport | undefined {
    const sa = this.#known.named(command);
    return sa !== undefined && hasMoved(sa) ? report(sa) : undefined;
  }
}

function hasMoved({ usage, reportedPackets }: KnownSa): boolean {
  return usage.packets !== reportedPackets;
}

function report(sa: KnownSa): SaReport {
  const { protocol, direction, spi, childId, usage } = sa;
  const counters = usage.counters();
  sa.reportedPackets = counters.packets;
  return { protocol, direction, spi, childId, counters };
}
