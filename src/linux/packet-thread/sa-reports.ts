// Counters of the SAs that moved since they were told last.
import type { MemoryDataPlane } from '#ipsec';
import type { IpAddress, SaCommand, SaDirection, SaProtocol, Spi } from '#sa';
import type { SaReport } from './messages.ts';

interface KnownSa {
  readonly protocol: SaProtocol;
  readonly direction: SaDirection;
  readonly spi: Spi;
  readonly childId: number;
  /** An SPI of the peer's choice names an SA together with this only. */
  readonly remote: IpAddress;
  reportedPackets: number;
}

const keyOf = ({ protocol, direction, spi, remote }: Omit<KnownSa, 'childId' | 'reportedPackets'>): string =>
  `${protocol} ${direction} ${spi} ${remote}`;

export class SaReports {
  readonly #known = new Map<string, KnownSa>();

  /** A command that was carried out. */
  follow(command: SaCommand): void {
    switch (command.kind) {
      case 'install': {
        const { protocol, direction, spi, childId, remote } = command.sa;
        this.#add({ protocol, direction, spi, childId, remote, reportedPackets: 0 });
        break;
      }
      case 'update-addresses':
        this.#move(command);
        break;
      case 'remove':
        this.#known.delete(keyOf(command));
        break;
    }
  }

  #add(sa: KnownSa): void {
    this.#known.set(keyOf(sa), sa);
  }

  #move({
    protocol,
    direction,
    spi,
    childId,
    remote,
  }: Extract<SaCommand, { kind: 'update-addresses' }>): void {
    for (const [key, sa] of this.#known) {
      if (sa.spi !== spi || sa.childId !== childId) continue;
      if (sa.direction !== direction || sa.protocol !== protocol) continue;
      this.#known.delete(key);
      this.#add({ ...sa, remote: remote.address });
      return;
    }
  }

  take(plane: Pick<MemoryDataPlane, 'counters'>): SaReport[] {
    const reports: SaReport[] = [];
    for (const sa of this.#known.values()) {
      const { protocol, direction, spi, childId, remote } = sa;
      const counters = plane.counters(protocol, direction, spi, remote);
      if (counters === undefined || counters.packets === sa.reportedPackets) continue;
      sa.reportedPackets = counters.packets;
      reports.push({ protocol, direction, spi, childId, counters });
    }
    return reports;
  }
}
