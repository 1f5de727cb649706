// Whose SPI was that, and what happened? Answers for people, from the history and the last incidents.
import type { SpiRecord } from '#unknown-spi';
import type { EngineState } from '../engine-state.ts';
import type { Incident } from './incident-log.ts';

/** All that is known about an SPI, or about the last incident. Times are wall-clock milliseconds. */
export interface WhyAnswer {
  readonly atMs: number;
  /** The SPI asked for, or that of the last incident. */
  readonly spi?: number;
  /** The connection that it is about. */
  readonly connection?: string;
  /** An SA of ours receives on this SPI now. */
  readonly live: boolean;
  /** Whose SPI it is or was, since when, and how it ended. */
  readonly owner?: SpiRecord;
  /** SAs that the same connection and child have had since: what took the place of a lost one. */
  readonly successors: readonly SpiRecord[];
  /** What arrived, what we did and why, oldest first: about the SPI, and about its connection since it ended or was named. */
  readonly incidents: readonly Incident[];
  readonly bootEpoch: number;
}

/** Incidents of one connection that are further apart have nothing to do with each other. */
const gapMsMax = 120_000;

/** When the incident began that these end with. */
function beginningOfLast(incidents: readonly Incident[]): number {
  let from = Number.POSITIVE_INFINITY;
  for (const { atMs, lastAtMs } of incidents.toReversed()) {
    if (from - (lastAtMs ?? atMs) > gapMsMax && from !== Number.POSITIVE_INFINITY) break;
    from = atMs;
  }
  return from;
}

/** @param subject an SPI of ESP or AH, or the last incident */
export function why(state: EngineState, subject: number | 'last'): WhyAnswer {
  const { recovery } = state;
  const last = subject === 'last' ? recovery.incidents.last() : undefined;
  const spi = subject === 'last' ? last?.spis[0] : subject;
  const owner = spi === undefined ? undefined : recovery.history.find(spi);
  // An SPI of the peer's choice has no record here, but what was done about it names the connection.
  const named = spi === undefined ? [] : recovery.incidents.about({ spi });
  const connection =
    owner?.connection ??
    last?.connection ??
    named.find((incident) => incident.connection !== undefined)?.connection;
  const about = recovery.incidents.about({ ...(spi === undefined ? {} : { spi }), connection });
  const first = spi === undefined ? undefined : about.find(({ spis }) => spis.includes(spi));
  const from =
    subject === 'last'
      ? beginningOfLast(about)
      : Math.min(first?.atMs ?? Number.NEGATIVE_INFINITY, owner?.ended?.atMs ?? Number.POSITIVE_INFINITY);
  const since = owner?.createdAtMs ?? from;
  return {
    atMs: state.wallClockMs,
    ...(spi === undefined ? {} : { spi }),
    ...(connection === undefined ? {} : { connection }),
    live: owner !== undefined && owner.ended === undefined,
    ...(owner === undefined ? {} : { owner }),
    successors:
      connection === undefined || (owner?.ended === undefined && owner !== undefined)
        ? []
        : recovery.history
            .all()
            .filter(
              (one) =>
                one !== owner &&
                one.connection === connection &&
                (owner === undefined || one.child === owner.child) &&
                one.createdAtMs >= since,
            ),
    incidents: about.filter(({ atMs }) => atMs >= from),
    bootEpoch: recovery.boot.epoch,
  };
}
