// When SAs are rekeyed and when they end: configured times less a random part, so that both ends rarely collide
// (RFC 7296 2.8).
import type { Randomness } from '#crypto';
import type { SaLifetimes } from '#sa';
import { readU32 } from '#wire';
import type { ConnectionConfiguration, LifetimeConfiguration } from '../configuration.ts';

/** Of one Child SA pair, from its installation. */
export interface ChildLifetimes {
  readonly rekeyAfterMs: number | undefined;
  readonly endAfterMs: number | undefined;
  /** For the data plane: octets and packets, and the hard time. */
  readonly sa: SaLifetimes;
}

/** Limits of 0 mean none, as in swanctl.conf. */
export function childLifetimes(configuration: LifetimeConfiguration, randomness: Randomness): ChildLifetimes {
  const soft = (limit: number | undefined, jitter: number): number | undefined =>
    limit ? jittered(limit, jitter, randomness) : undefined;
  const rekeyAfterMs = soft(configuration.rekeyTimeMs, configuration.jitterTimeMs);
  const softBytes = soft(configuration.rekeyBytes, configuration.jitterBytes);
  const softPackets = soft(configuration.rekeyPackets, configuration.jitterPackets);
  const { lifeTimeMs, lifeBytes, lifePackets } = configuration;
  const sa: { -readonly [Limit in keyof SaLifetimes]: SaLifetimes[Limit] } = {};
  if (softBytes !== undefined) sa.softBytes = softBytes;
  if (lifeBytes) sa.hardBytes = lifeBytes;
  if (softPackets !== undefined) sa.softPackets = softPackets;
  if (lifePackets) sa.hardPackets = lifePackets;
  if (lifeTimeMs) sa.hardTimeMs = lifeTimeMs;
  return { rekeyAfterMs, endAfterMs: lifeTimeMs || undefined, sa };
}

/** Of one IKE SA, from its establishment. */
export interface IkeLifetimes {
  readonly rekeyAfterMs: number | undefined;
  readonly reauthAfterMs: number | undefined;
  /** `overTimeMs` after the earlier of the two: by then the replacement must have succeeded. */
  readonly endAfterMs: number | undefined;
}

export function ikeLifetimes(
  connection: Pick<ConnectionConfiguration, 'rekeyTimeMs' | 'reauthTimeMs' | 'overTimeMs' | 'jitterTimeMs'>,
  randomness: Randomness,
): IkeLifetimes {
  const { rekeyTimeMs, reauthTimeMs, overTimeMs, jitterTimeMs } = connection;
  // Drawn in this order whatever is configured, so that one seed means one behavior.
  const rekeyAfterMs = rekeyTimeMs > 0 ? jittered(rekeyTimeMs, jitterTimeMs, randomness) : undefined;
  const reauthAfterMs = reauthTimeMs > 0 ? jittered(reauthTimeMs, jitterTimeMs, randomness) : undefined;
  const first = Math.min(
    rekeyTimeMs > 0 ? rekeyTimeMs : Number.POSITIVE_INFINITY,
    reauthTimeMs > 0 ? reauthTimeMs : Number.POSITIVE_INFINITY,
  );
  const endAfterMs = overTimeMs > 0 && Number.isFinite(first) ? first + overTimeMs : undefined;
  return { rekeyAfterMs, reauthAfterMs, endAfterMs };
}

/** At least 1: a jitter beyond the limit must not make an SA that is to be replaced at once. */
function jittered(limit: number, jitter: number, randomness: Randomness): number {
  return Math.max(1, limit - randomUpTo(Math.min(jitter, limit), randomness));
}

/** A whole number from 0 to `max` inclusive, evenly spread; `max` may be any safe integer. */
export function randomUpTo(max: number, randomness: Randomness): number {
  if (max <= 0) return 0;
  // 53 of 64 random bits as a fraction below 1: even beyond 32 bits, with no bias that timing could care about.
  const octets = randomness.bytes(8);
  const fraction = (readU32(octets, 0) * 2 ** 21 + (readU32(octets, 4) >>> 11)) / 2 ** 53;
  return Math.floor(fraction * (Math.floor(max) + 1));
}
