// When SAs are rekeyed and when they end: configured times less a random part, so that both ends rarely collide (RFC 7296 2.8).
import type { Randomness } from '#crypto';
import type { SaLifetimes } from '#sa';
import type { ConnectionConfiguration, LifetimeConfiguration } from './configuration.ts';

const todo = (): never => {
  throw new Error('not written yet');
};

/** Of one Child SA pair, from its installation. */
export interface ChildLifetimes {
  readonly rekeyAfterMs?: number;
  readonly endAfterMs?: number;
  /** For the data plane. */
  readonly sa: SaLifetimes;
}

export function childLifetimes(
  _configuration: LifetimeConfiguration,
  _randomness: Randomness,
): ChildLifetimes {
  return todo();
}

/** Of one IKE SA, from its establishment. `endAfterMs` is `over` after the earlier of the two. */
export interface IkeLifetimes {
  readonly rekeyAfterMs?: number;
  readonly reauthAfterMs?: number;
  readonly endAfterMs?: number;
}

export function ikeLifetimes(
  _connection: Pick<ConnectionConfiguration, 'rekeyTimeMs' | 'reauthTimeMs' | 'overTimeMs' | 'jitterTimeMs'>,
  _randomness: Randomness,
): IkeLifetimes {
  return todo();
}

/** A uniform whole number from 0 to `max` inclusive. */
export function randomUpTo(_max: number, _randomness: Randomness): number {
  return todo();
}
