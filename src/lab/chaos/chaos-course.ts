// What every seed of the chaos consists of, whichever protocol its hosts speak: a time of faults, and what has to work behind it.
import type { EngineCommand } from '#engine';
import type { IpAddress } from '#sa';
import { Prng } from '../prng.ts';
import type { Action, LinkQuality, Scenario, TimedAction } from '../scenario.ts';
import type { SideName } from './random-configuration.ts';

export interface ChaosCourse extends Scenario {
  /** When the last fault is over. */
  readonly healAt: number;
  /** How long what the faults left behind may take to come to its end. */
  readonly settleMs: number;
  /** What an operator asks for who still misses a tunnel then. */
  readonly again: Action;
  /** What must cost no packet on a good network, by the host that is told to. */
  readonly rekeyings: readonly ((host: SideName) => EngineCommand)[];
}

export const sides: readonly SideName[] = ['left', 'right'];

export function healedQuality(delayMs: number): LinkQuality {
  return { delayMs, jitterMs: 0, loss: 0, duplication: 0, reordering: 0, reorderMs: 0, corruption: 0 };
}

export function faultyQuality(prng: Prng, delayMs: number): LinkQuality {
  const some = (probability: number, most: number): number =>
    prng.chance(probability) ? (prng.between(1, 100) / 100) * most : 0;
  return {
    delayMs: prng.chance(0.2) ? delayMs * 3 : delayMs,
    jitterMs: prng.chance(0.5) ? prng.between(0, delayMs) : 0,
    loss: some(0.6, 0.25),
    duplication: some(0.4, 0.2),
    reordering: some(0.4, 0.3),
    reorderMs: prng.between(1, 4 * delayMs),
    corruption: some(0.3, 0.1),
  };
}

/**
 * Two faults are in every scenario: the network goes bad, and for a while it is gone.
 * @param cutMs draws for how long
 */
export function faultsOfEverySeed(
  prng: Prng,
  delayMs: number,
  healAt: number,
  cutMs: () => number,
): TimedAction[] {
  const at = prng.between(0, 2_000);
  const quality = faultyQuality(prng, delayMs);
  const cutAt = prng.between(0, healAt - 3_500);
  const oneWay = prng.chance(0.3);
  return [
    { at, action: { kind: 'link', quality } },
    { at: cutAt, action: { kind: 'partition', between: ['left', 'right'], oneWay } },
    { at: cutAt + cutMs(), action: { kind: 'reconnect' } },
  ];
}

/**
 * In some seeds a process stands still for a while: what it waited for is late, and comes together with what came meanwhile. Drawn apart
 * from all else, so that the other faults of a seed are what they were.
 */
export function pausesOf(seed: number, healAt: number): TimedAction[] {
  const prng = new Prng(seed, 'pauses');
  if (!prng.chance(0.3)) return [];
  const pauses = Array.from({ length: prng.between(1, 3) }, (): TimedAction[] => {
    const host = prng.pick(sides);
    const at = prng.between(200, healAt - 200);
    const until = Math.min(
      healAt,
      at + (prng.chance(0.5) ? prng.between(20, 400) : prng.between(400, 5_000)),
    );
    return [
      { at, action: { kind: 'pause', host } },
      { at: until, action: { kind: 'resume', host } },
    ];
  });
  // Of two that overlap the first that ends has ended both.
  return pauses.flat();
}

/** In some seeds whoever moves has no address at all for a while. @param places where it may be afterwards */
export function absencesOf(seed: number, healAt: number, places: readonly IpAddress[]): TimedAction[] {
  const prng = new Prng(seed, 'absences');
  if (!prng.chance(0.4)) return [];
  const move = (at: number, address: IpAddress | undefined): TimedAction => ({
    at,
    action: { kind: 'move', host: 'left', address },
  });
  const absences = Array.from({ length: prng.between(1, 2) }, () => {
    const at = prng.between(200, healAt - 200);
    const until = Math.min(healAt, at + prng.between(20, prng.pick([500, 5_000])));
    return [move(at, undefined), move(until, prng.pick(places))];
  });
  // It may have moved back to nowhere in between.
  return [...absences.flat(), move(healAt, prng.pick(places))];
}
