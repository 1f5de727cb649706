// One seed from beginning to end: faults, recovery, rekeying under traffic, an orderly close; checked at every step.

import { Delivery } from '../checkers/delivery.ts';
import { checkersFor } from '../checkers/index.ts';
import type { Observer } from '../events.ts';
import type { LabHost } from '../host.ts';
import { Fingerprint } from '../journal.ts';
import { Prng } from '../prng.ts';
import { Simulation, type SimulationOptions } from '../simulation.ts';
import type { ChaosCourse } from './chaos-course.ts';
import { type Counts, Coverage } from './coverage.ts';
import type { LabCertificates, SideName } from './random-configuration.ts';
import { randomHipScenario } from './random-hip-scenario.ts';
import { randomScenario } from './random-scenario.ts';

export interface ChaosReport {
  readonly seed: number;
  /** Over everything that the hosts did: equal for equal seeds. */
  readonly fingerprint: string;
  readonly virtualMs: number;
  /** From the end of the faults until traffic flowed both ways. */
  readonly recoveryMs: number;
  readonly delivered: number;
  readonly faults: Counts;
  readonly collisions: Counts;
  readonly turns: Counts;
}

export interface ChaosOptions extends Omit<SimulationOptions, 'observers'> {
  readonly certificates?: LabCertificates;
  readonly observers?: readonly Observer[];
}

/** What a seed must do besides breaking no invariant. */
export class ChaosFailure extends Error {
  override readonly name = 'ChaosFailure';
  readonly code = 'chaos-failure' as const;
}

/** Longest time in which tunnels must be back after the last fault. */
const recoveryMsMax = 150_000;
const steadyMs = 3_000;
/** Longer than the wait after a temporary refusal. */
const retryMsMax = 30_000;
const closeMsMax = 60_000;
const quietMs = 60_000;

/** @throws InvariantViolation, ChaosFailure, or whatever a host threw */
export async function runChaos(seed: number, options: ChaosOptions = {}): Promise<ChaosReport> {
  return runCourse(randomScenario(seed, options.certificates), options);
}

/**
 * The same with hosts that speak HIP.
 * @throws InvariantViolation, ChaosFailure, or whatever a host threw
 */
export async function runHipChaos(
  seed: number,
  options: Omit<ChaosOptions, 'certificates'> = {},
): Promise<ChaosReport> {
  return runCourse(randomHipScenario(seed), options);
}

async function runCourse(scenario: ChaosCourse, options: ChaosOptions): Promise<ChaosReport> {
  const coverage = new Coverage();
  const fingerprint = new Fingerprint();
  const delivery = new Delivery(scenario.flows);
  const simulation = new Simulation(scenario, {
    ...options,
    observers: [...(options.observers ?? []), fingerprint, coverage, delivery, ...checkersFor(scenario)],
  });
  await simulation.run(scenario.healAt);
  const recoveryMs = await recover(simulation, scenario, delivery);
  await rekeyUnderTraffic(simulation, scenario, delivery, coverage);
  await agree(simulation);
  await close(simulation, scenario);
  return {
    seed: scenario.seed,
    fingerprint: fingerprint.value(),
    virtualMs: simulation.now,
    recoveryMs,
    delivered: delivery.count,
    faults: coverage.faults,
    collisions: coverage.collisions,
    turns: coverage.turns,
  };
}

/** Liveness: once faults heal, traffic flows both ways within a bound. */
async function recover(simulation: Simulation, scenario: ChaosCourse, delivery: Delivery): Promise<number> {
  const flows = (): boolean => delivery.silentSince(scenario.healAt).length === 0;
  let healed = false;
  while (!healed && simulation.now < scenario.healAt + recoveryMsMax) {
    healed = await simulation.run(retryMsMax, flows);
    // What an operator asked for during the faults may have been given up: it is asked for again.
    if (!healed) simulation.act(scenario.again);
  }
  if (!healed) {
    const silent = delivery.silentSince(scenario.healAt).map(({ from, to }) => `${from} to ${to}`);
    throw new ChaosFailure(`nothing gets from ${silent.join(', ')} ${recoveryMsMax} ms after the last fault`);
  }
  return simulation.now - scenario.healAt;
}

/** On a network without faults, SAs are replaced without the loss of a packet. */
async function rekeyUnderTraffic(
  simulation: Simulation,
  scenario: ChaosCourse,
  delivery: Delivery,
  coverage: Coverage,
): Promise<void> {
  const prng = new Prng(scenario.seed, 'steady');
  // What the faults left behind may still come to its end.
  await simulation.run(scenario.settleMs);
  const from = simulation.now;
  const { turns } = coverage;
  const rekeyings = (): number =>
    (turns['child-rekeyed'] ?? 0) + (turns['ike-rekeyed'] ?? 0) + (turns['hip-rekeyed'] ?? 0);
  const before = rekeyings();
  for (const rekeying of scenario.rekeyings) {
    const host: SideName = prng.chance(0.5) ? 'left' : 'right';
    simulation.act({ kind: 'command', host, command: rekeying(host) });
    await simulation.run(prng.between(0, steadyMs / 2));
  }
  // Two rekeyings that cross refuse each other and are tried again later (RFC 7296 2.25.1).
  await simulation.run(retryMsMax, () => rekeyings() > before);
  await simulation.run(steadyMs);
  const to = simulation.now;
  await simulation.run(1_000);
  if (rekeyings() === before) throw new ChaosFailure('nothing was rekeyed on a network without faults');
  const lost = delivery.lost(from, to);
  // A data plane that takes its time may send on an SA whose Delete is already answered.
  const slow = scenario.hosts.some(({ dataPlaneDelayMs }) => dataPlaneDelayMs > 0);
  const excused = slow ? rekeyings() - before : 0;
  if (lost > excused) throw new ChaosFailure(`${lost} packets were lost on a network without faults`);
}

/** What one side sends by, the other one receives by: both have the same pairs of SAs, once nothing is being replaced. */
async function agree(simulation: Simulation): Promise<void> {
  const [left, right] = simulation.hosts;
  const pairs = (host: LabHost | undefined, own: 'inboundSpi' | 'outboundSpi'): string => {
    const other = own === 'inboundSpi' ? 'outboundSpi' : 'inboundSpi';
    const all = host?.childSas().map((pair) => `${pair[own]} ${pair[other]}`) ?? [];
    return all.sort().join(', ');
  };
  const views = (): [string, string] => [pairs(left, 'inboundSpi'), pairs(right, 'outboundSpi')];
  await simulation.run(retryMsMax, () => {
    const [ours, theirs] = views();
    return ours !== '' && ours === theirs;
  });
  const [ours, theirs] = views();
  if (ours === '' || ours !== theirs)
    throw new ChaosFailure(`left has the SPIs ${ours}, and right has ${theirs}`);
}

/** Both sides shut down, one after the other; then nothing is left anywhere. */
async function close(simulation: Simulation, scenario: ChaosCourse): Promise<void> {
  const prng = new Prng(scenario.seed, 'close');
  simulation.act({ kind: 'flows', running: false });
  const order: readonly SideName[] = prng.chance(0.5) ? ['left', 'right'] : ['right', 'left'];
  for (const host of order) {
    const result = await simulation.command(host, { kind: 'shutdown' }, closeMsMax);
    if (result === undefined) throw new ChaosFailure(`${host} does not come to an end`);
  }
  // Longer than any lifetime, so that no timer of an SA that is gone can still be set.
  await simulation.run(quietMs);
  for (const host of simulation.hosts) {
    const left = Object.entries(host.tables() ?? {}).filter(([, size]) => size !== 0);
    if (left.length > 0) {
      const detail = left.map(([table, size]) => `${size} ${table}`).join(', ');
      throw new ChaosFailure(`${host.name} is shut down and still has ${detail}`);
    }
    if (host.deadline() !== undefined)
      throw new ChaosFailure(`${host.name} is shut down and waits for something`);
  }
}
