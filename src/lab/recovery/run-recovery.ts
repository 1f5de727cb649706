// One seed of one cell: a tunnel under traffic, one incident at a random instant, and how long traffic stays away.
import { address, type IpAddress } from '#sa';
import { Delivery } from '../checkers/delivery.ts';
import { checkersFor } from '../checkers/index.ts';
import type { Observer } from '../events.ts';
import type { LabHost } from '../host.ts';
import { Prng } from '../prng.ts';
import type { AttackKind } from '../scenario.ts';
import { Simulation } from '../simulation.ts';
import { IncidentObserver } from './incident-observer.ts';
import { cellName, isAttack, isHip, type RecoveryCell } from './recovery-cell.ts';
import { linkOf, type RecoveryHostName, recoveryHosts } from './recovery-hosts.ts';
import { ReplyAccount } from './reply-account.ts';

export interface RecoveryRun {
  readonly seed: number;
  /** From the moment the restarted host answers again, or the path is back, until both flows are; absent: they never were. */
  readonly recoveryMs: number | undefined;
  /** Packets of both flows that did not arrive, from the incident on until then. */
  readonly packetsLost: number;
  /** IKE messages and HIP packets of both hosts in that time. */
  readonly messages: number;
  /** Of unauthenticated datagrams, and of what was said to them, in IP octets. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Where a host had said more than it was told. */
  readonly byteRuleBroken: readonly string[];
  readonly falseTeardowns: number;
  /** Commands to the data planes, and IKE SAs that ended. */
  readonly saChanges: number;
  /** Established IKE SAs, and HIP associations, of the host that has more of them, a while after. */
  readonly ikeSasLeft: number;
  /** Of an attack, forged datagrams. */
  readonly attacks: number;
}

export interface RecoveryOptions {
  readonly observers?: readonly Observer[];
  /** Give up here; the run counts as not recovered. */
  readonly recoveryMsMax?: number;
}

const recoveryMsMaxDefault = 400_000;
const establishMsMax = 20_000;
/** Long enough for duplicates to be noticed and deleted. */
const afterMs = 5_000;
const attackMs = 5_000;
const outageMs = 60_000;
const loss = 0.1;

const hintAttacks: readonly AttackKind[] = [
  'forged-invalid-spi',
  'forged-invalid-ike-spi',
  'forged-tokens',
  'forged-icmp',
];
const hipAttacks: readonly AttackKind[] = ['forged-icmp', 'forged-hip', 'forged-invalid-spi'];

function hintsAbout({ policy }: RecoveryCell): readonly AttackKind[] {
  return isHip(policy) ? hipAttacks : hintAttacks;
}

const strangers = ['203.0.113.66', '203.0.113.67', '203.0.113.68'];

/** @throws InvariantViolation, or Error if the tunnel does not even come up */
export async function runRecovery(
  cell: RecoveryCell,
  seed: number,
  options: RecoveryOptions = {},
): Promise<RecoveryRun> {
  const prng = new Prng(seed, cellName(cell));
  const scenario = recoveryHosts(cell, seed, prng);
  const delivery = new Delivery(scenario.flows);
  const incident = new IncidentObserver();
  const replies = new ReplyAccount();
  const observers = [...(options.observers ?? []), delivery, incident, replies, ...checkersFor(scenario)];
  const simulation = new Simulation(scenario, { observers });
  incident.watch(simulation);
  const up = await simulation.run(establishMsMax, () => delivery.silentSince(0).length === 0);
  if (!up) throw new Error(`${cellName(cell)}, seed ${seed}: the tunnel does not come up`);
  // Tokens that come late, tickets and records have their time, and the instant is a random one.
  await simulation.run(prng.between(1_000, 3_000));

  const { now: beganAt } = simulation;
  incident.begin();
  const answersAt = await incidentOf(cell, simulation, prng);
  const flows = (): boolean => delivery.silentSince(answersAt).length === 0;
  const recovered = await simulation.run(options.recoveryMsMax ?? recoveryMsMaxDefault, flows);
  const recoveryMs = recovered ? simulation.now - answersAt : undefined;
  // An attack is measured as a whole, with the time in which its effects would show.
  const { now: endedAt } = simulation;
  const { messages } = incident;
  await simulation.run(afterMs);
  return {
    seed,
    recoveryMs,
    packetsLost: delivery.lost(beganAt, isAttack(cell.scenario) ? beganAt + attackMs : endedAt),
    messages,
    bytesIn: replies.bytesIn,
    bytesOut: replies.bytesOut,
    byteRuleBroken: replies.violations,
    falseTeardowns: isAttack(cell.scenario) ? incident.endings : incident.falseTeardowns,
    saChanges: incident.saChanges,
    ikeSasLeft: Math.max(...simulation.hosts.map(standingSas)),
    attacks: incident.attacks,
  };
}

function standingSas(host: LabHost): number {
  const { ikeSas = [], hip = [] } = host.status() ?? {};
  return (
    ikeSas.filter(({ phase }) => phase === 'established' || phase === 'rekeying').length +
    hip.filter(({ childId }) => childId !== undefined).length
  );
}

/** Lets it happen. Returns when the host answers again, or the path is back. */
async function incidentOf(cell: RecoveryCell, simulation: Simulation, prng: Prng): Promise<number> {
  switch (cell.scenario) {
    case 'responder-restarts':
    case 'responder-restarts-cookie':
      return await restart(simulation, prng, 'b');
    case 'responder-restarts-loss':
      simulation.act({ kind: 'link', quality: linkOf(cell, loss) });
      return await restart(simulation, prng, 'b');
    case 'initiator-restarts':
      return await restart(simulation, prng, 'a');
    case 'both-restart':
      return await restartBoth(simulation, prng);
    case 'sibling-takes-over':
      // It has the records of the other, and nothing else; the address is its own within milliseconds.
      return await restart(simulation, prng, 'b', { downMsMin: 1, downMsMax: 20 });
    case 'long-outage':
      simulation.act({ kind: 'partition', between: ['a', 'b'], oneWay: false });
      await simulation.run(outageMs);
      simulation.act({ kind: 'reconnect' });
      return simulation.now;
    case 'nat-rebinding':
      simulation.act({ kind: 'rebind', host: 'a', address: prng.chance(0.5) });
      return simulation.now;
    case 'forged-hints-on-path':
      return await attack(simulation, prng, { everyMs: 20, kinds: hintsAbout(cell), offPath: false });
    case 'forged-hints-off-path':
      return await attack(simulation, prng, { everyMs: 20, kinds: hintsAbout(cell), offPath: true });
    case 'esp-flood':
      return await attack(simulation, prng, { everyMs: 1, kinds: ['random-esp'], offPath: true });
  }
}

async function restart(
  simulation: Simulation,
  prng: Prng,
  host: RecoveryHostName,
  { downMsMin, downMsMax } = { downMsMin: 50, downMsMax: 2_000 },
): Promise<number> {
  simulation.act({ kind: 'crash', host });
  await simulation.run(prng.between(downMsMin, downMsMax));
  simulation.act({ kind: 'restart', host });
  return simulation.now;
}

async function restartBoth(simulation: Simulation, prng: Prng): Promise<number> {
  const order: readonly RecoveryHostName[] = prng.chance(0.5) ? ['a', 'b'] : ['b', 'a'];
  for (const host of order) {
    simulation.act({ kind: 'crash', host });
    await simulation.run(prng.between(0, 1_000));
  }
  const returning: readonly RecoveryHostName[] = prng.chance(0.5) ? ['a', 'b'] : ['b', 'a'];
  for (const [index, host] of returning.entries()) {
    if (index > 0) await simulation.run(prng.between(0, 1_000));
    simulation.act({ kind: 'restart', host });
  }
  return simulation.now;
}

interface Campaign {
  readonly everyMs: number;
  readonly kinds: readonly AttackKind[];
  readonly offPath: boolean;
}

async function attack(simulation: Simulation, prng: Prng, campaign: Campaign): Promise<number> {
  const { everyMs, kinds, offPath } = campaign;
  const endAt = simulation.now + attackMs;
  while (simulation.now < endAt) {
    const target = prng.pick(['a', 'b'] as const);
    const stranger = { address: someStranger(prng), port: prng.between(1_024, 65_535) };
    simulation.act({
      kind: 'attack',
      attack: {
        kind: prng.pick(kinds),
        target,
        count: 1,
        offPath,
        ...(prng.chance(0.3) ? { source: stranger } : {}),
      },
    });
    await simulation.run(everyMs);
  }
  return simulation.now;
}

function someStranger(prng: Prng): IpAddress {
  return address(prng.pick(strangers));
}
