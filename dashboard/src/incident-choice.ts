// Which incident is worth looking at, as long as nobody has chosen one.
import type { Incident } from '../../src/control/api/index.ts';

const sameLossMs = 1_000;

/** What goes on, or else what ended last with traffic back, or else the last one. */
export function mostInteresting(incidents: readonly Incident[]): Incident | undefined {
  const open = incidents.find(({ state }) => state === 'open');
  if (open !== undefined) return open;
  const recovered = incidents.filter(({ state }) => state === 'traffic-back');
  const last = recovered.at(-1);
  if (last === undefined) return incidents.at(-1);
  // Both ends tell of the same loss: who was left behind has more to tell.
  const took = ({ startedAtMs, endedAtMs = startedAtMs }: Incident): number => endedAtMs - startedAtMs;
  return recovered
    .filter(
      ({ startedAtMs, endedAtMs = startedAtMs }) =>
        Math.max(startedAtMs, endedAtMs) > last.startedAtMs - sameLossMs,
    )
    .reduce((one, other) => (took(other) > took(one) ? other : one));
}
