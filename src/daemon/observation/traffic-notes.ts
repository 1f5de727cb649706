// From the counters of single SAs to when each pair was last used, in and out.
import type { TrafficNote } from '#engine';
import type { SaReport } from '#linux';

/** One note for each pair that has been used; of several generations the latest use counts. */
export function trafficNotes(reports: readonly SaReport[]): readonly TrafficNote[] {
  const notes = new Map<number, TrafficNote>();
  for (const { direction, childId, counters } of reports) {
    const { lastUsedAt } = counters;
    if (lastUsedAt === undefined) continue;
    const note = notes.get(childId) ?? { childId };
    const field = direction === 'inbound' ? 'lastInboundAt' : 'lastOutboundAt';
    notes.set(childId, { ...note, [field]: Math.max(note[field] ?? 0, lastUsedAt) });
  }
  return [...notes.values()];
}
