// Which SAs a host's data plane has, and what it tells of their use.
import type { TrafficNote } from '#engine';
import type { MemoryDataPlane } from '#ipsec';
import type { SaCommand, SaName } from '#sa';

interface InstalledSa extends SaName {
  reportedPackets: number;
}

export class InstalledSas {
  readonly #sas = new Map<string, InstalledSa>();

  /** The data plane has carried it out. */
  note(command: SaCommand): void {
    if (command.kind === 'install') {
      const { protocol, direction, spi, childId } = command.sa;
      this.#sas.set(keyOf(command.sa), { protocol, direction, spi, childId, reportedPackets: 0 });
    } else if (command.kind === 'remove') {
      this.#sas.delete(keyOf(command));
    }
  }

  /** One note for each pair that was used since the last time. */
  trafficNotes(plane: MemoryDataPlane): readonly TrafficNote[] {
    const notes = new Map<number, TrafficNote>();
    for (const sa of this.#sas.values()) {
      const { childId, direction } = sa;
      const { lastUsedAt, packets } = plane.usage(sa)?.counters() ?? {};
      if (lastUsedAt === undefined || packets === undefined || packets === sa.reportedPackets) continue;
      sa.reportedPackets = packets;
      const note = notes.get(childId) ?? { childId };
      const field = direction === 'inbound' ? 'lastInboundAt' : 'lastOutboundAt';
      notes.set(childId, { ...note, [field]: Math.max(note[field] ?? 0, lastUsedAt) });
    }
    return [...notes.values()];
  }
}

function keyOf({ direction, spi, childId }: SaName): string {
  return `${direction} ${spi} ${childId}`;
}
