// Counters of the SAs that moved since they were told last.
import type { MemoryDataPlane } from '#ipsec';
import type { SaCommand, SaDirection, SaProtocol, Spi } from '#sa';
import type { SaReport } from './messages.ts';

interface KnownSa {
  readonly protocol: SaProtocol;
  readonly direction: SaDirection;
  readonly spi: Spi;
  readonly childId: number;
  reportedPackets: number;
}

export class SaReports {
  readonly #known = new Map<string, KnownSa>();

  /** A command that was carried out. */
  follow(command: SaCommand): void {
    if (command.kind === 'install') {
      const { protocol, direction, spi, childId, remote } = command.sa;
      this.#known.set(`${direction} ${spi} ${remote}`, {
        ...{ protocol, direction, spi, childId },
        reportedPackets: 0,
      });
    }
    if (command.kind === 'remove')
      this.#known.delete(`${command.direction} ${command.spi} ${command.remote}`);
  }

  take(plane: MemoryDataPlane): SaReport[] {
    const reports: SaReport[] = [];
    for (const sa of this.#known.values()) {
      const { protocol, direction, spi, childId } = sa;
      const counters = plane.counters(protocol, direction, spi);
      if (counters === undefined || counters.packets === sa.reportedPackets) continue;
      sa.reportedPackets = counters.packets;
      reports.push({ protocol, direction, spi, childId, counters });
    }
    return reports;
  }
}
