// Traffic goes out and nothing comes: how long that has been so.
import type { Standing } from '../association.ts';
import type { HipInput } from '../interface.ts';

/** Packets of one flow are no further apart. */
const flowGapMs = 500;

/** The data plane told when it last used the SAs of a pair. */
export function noteTraffic(
  standing: Standing,
  { lastInboundAt, lastOutboundAt }: Extract<HipInput, { kind: 'traffic' }>,
): void {
  standing.lastInboundAt = Math.max(standing.lastInboundAt, lastInboundAt ?? 0);
  if (lastOutboundAt !== undefined) {
    // In a steady flow the first packet without an answer followed right on the last one that had one.
    const flowing = lastOutboundAt - standing.lastOutboundAt < flowGapMs;
    standing.lastOutboundAt = Math.max(standing.lastOutboundAt, lastOutboundAt);
    standing.unansweredSince ??= flowing ? standing.lastInboundAt : lastOutboundAt;
  }
  if (standing.lastInboundAt >= standing.lastOutboundAt || lastInboundAt !== undefined)
    standing.unansweredSince = undefined;
}
