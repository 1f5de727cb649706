// From a seed to a scenario: two gateways, traffic both ways, and a time of faults that ends.
import { address, type Endpoint } from '#sa';
import { Prng } from '../prng.ts';
import type { Action, AttackKind, FlowScenario, HostScenario, TimedAction } from '../scenario.ts';
import {
  absencesOf,
  type ChaosCourse,
  faultsOfEverySeed,
  faultyQuality,
  healedQuality,
  pausesOf,
  sides,
} from './chaos-course.ts';
import {
  type LabCertificates,
  mayMove,
  otherSide,
  placesOf,
  placesToMove,
  randomHost,
  randomTerms,
  type SideName,
  type Terms,
} from './random-configuration.ts';

export interface ChaosScenario extends ChaosCourse {
  readonly terms: Terms;
}

const attackKinds: readonly AttackKind[] = [
  'garbage',
  'unknown-ike-spi',
  'higher-version',
  'forged-invalid-spi',
  'forged-invalid-ike-spi',
  'forged-delete',
  'init-flood',
  'random-esp',
  'replay',
  'truncation',
];

/** One thing that goes wrong or is asked for; it may last until later. */
function randomIncident(prng: Prng, at: number, terms: Terms, delayMs: number, endAt: number): TimedAction[] {
  const side = prng.pick(sides);
  const now = (action: Action): TimedAction => ({ at, action });
  const later = (afterMs: number, action: Action): TimedAction => ({
    at: Math.min(endAt, at + afterMs),
    action,
  });
  switch (prng.below(16)) {
    case 0:
    case 1:
      return [
        now({ kind: 'partition', between: ['left', 'right'], oneWay: prng.chance(0.4) }),
        later(prng.between(200, 6_000), { kind: 'reconnect' }),
      ];
    case 2:
      return [
        now({ kind: 'crash', host: side }),
        later(prng.between(20, 4_000), { kind: 'restart', host: side }),
      ];
    case 3:
    case 4:
      return [now({ kind: 'link', quality: faultyQuality(prng, delayMs) })];
    case 5:
      return terms.nat ? [now({ kind: 'rebind', host: 'left', address: prng.chance(0.5) })] : [];
    case 6:
    case 7:
    case 8:
    case 9:
      return simultaneousRekeying(prng, at, delayMs);
    case 10:
      return [
        now({
          kind: 'command',
          host: side,
          command: { kind: 'terminate', ...(prng.chance(0.5) ? { child: 'net' } : { connection: 'tunnel' }) },
        }),
        later(prng.between(0, 2_000), {
          kind: 'command',
          host: 'left',
          command: { kind: 'initiate', child: 'net' },
        }),
      ];
    case 11:
      return [
        now({ kind: 'refuse-installs', host: side, probability: 0.3 }),
        later(prng.between(500, 4_000), { kind: 'refuse-installs', host: side, probability: 0 }),
      ];
    case 12:
      return [
        now({ kind: 'command', host: side, command: { kind: 'initiate', child: 'net' } }),
        now({ kind: 'command', host: otherSide(side), command: { kind: 'initiate', child: 'net' } }),
      ];
    default:
      return [now({ kind: 'attack', attack: randomAttack(prng, terms) })];
  }
}

function randomAttack(prng: Prng, terms: Terms): Extract<Action, { kind: 'attack' }>['attack'] {
  const kind = prng.pick(attackKinds);
  const ipv6 = terms.family === 6;
  const stranger: Endpoint = {
    address: address(ipv6 ? '2001:db8:bad::1' : '203.0.113.66'),
    port: prng.between(1024, 65_535),
  };
  // Behind a NAT, nothing gets in that the NAT did not expect.
  const target = terms.nat ? 'right' : prng.pick(sides);
  return {
    kind,
    target,
    ...(prng.chance(0.5) ? { source: stranger } : {}),
    count: kind === 'init-flood' ? prng.between(4, 24) : prng.between(1, 6),
  };
}

/** Both sides want something new at nearly the same time: what RFC 7296 2.8 and 2.25 are about. */
function simultaneousRekeying(prng: Prng, at: number, delayMs: number): TimedAction[] {
  return sides.flatMap((host) => {
    if (prng.chance(0.15)) return [];
    const skewMs = prng.between(0, 2 * delayMs);
    const what = prng.below(8);
    const command =
      what < 4
        ? ({ kind: 'rekey', child: 'net' } as const)
        : what < 7
          ? ({ kind: 'rekey', connection: 'tunnel' } as const)
          : ({ kind: 'terminate', child: 'net' } as const);
    return [{ at: at + skewMs, action: { kind: 'command', host, command } } as const];
  });
}

function flowsOf(prng: Prng, terms: Terms): FlowScenario[] {
  const flow = (from: SideName, change: Partial<FlowScenario> = {}): FlowScenario => ({
    from,
    to: otherSide(from),
    source: placesOf(terms.family, from).inner,
    destination: placesOf(terms.family, otherSide(from)).inner,
    intervalMs: prng.between(500, 1_000),
    payloadBytes: prng.pick([40, 40, 200, 1000]),
    ...change,
  });
  const stray = prng.pick(sides);
  return [
    flow('left'),
    flow('right'),
    flow(stray, {
      destination: address(terms.family === 6 ? 'fd00:bad::1' : '10.99.0.1'),
      intervalMs: 5_000,
      stray: true,
    }),
  ];
}

/** The left side goes from place to place, also just when SAs are being replaced. */
function randomMoves(
  prng: Prng,
  timeline: readonly TimedAction[],
  terms: Terms,
  delayMs: number,
  healAt: number,
): TimedAction[] {
  const places = [placesOf(terms.family, 'left').outer, ...placesToMove(terms)].slice(terms.nat ? 1 : 0);
  const rekeyings = timeline.filter(({ action }) => action.kind === 'command');
  return Array.from({ length: prng.between(1, 4) }, () => {
    const beside = rekeyings.length > 0 && prng.chance(0.5) ? prng.pick(rekeyings).at : undefined;
    const at = beside === undefined ? prng.between(500, healAt - 100) : beside + prng.between(0, 3 * delayMs);
    const action = { kind: 'move', host: 'left', address: prng.pick(places) } as const;
    return { at: Math.min(at, healAt), action };
  });
}

/** @param certificates with them, some seeds authenticate by public key; without, all by a shared secret */
export function randomScenario(seed: number, certificates?: LabCertificates): ChaosScenario {
  const prng = new Prng(seed, 'scenario');
  const mobility = new Prng(seed, 'mobility');
  const terms = randomTerms(prng, certificates, mobility);
  const delayMs = prng.between(1, 60);
  const healAt = prng.between(5_000, 9_000);
  const incidents = prng.between(2, 5);
  const timeline = faultsOfEverySeed(prng, delayMs, healAt, () => prng.between(2_200, 3_200));
  for (let i = 0; i < incidents; i++) {
    const at = prng.between(500, healAt - 1_000);
    timeline.push(...randomIncident(prng, at, terms, delayMs, healAt));
  }
  if (mayMove(terms)) {
    timeline.push(...randomMoves(mobility, timeline, terms, delayMs, healAt));
    timeline.push(...absencesOf(seed, healAt, placesToMove(terms)));
  }
  timeline.push(...pausesOf(seed, healAt));
  const healed = healedQuality(delayMs);
  // Whatever an operator took down in between is wanted again.
  const again = { kind: 'command', host: 'left', command: { kind: 'initiate', child: 'net' } } as const;
  timeline.push(
    { at: healAt, action: { kind: 'link', quality: healed } },
    { at: healAt, action: { kind: 'reconnect' } },
    ...sides.flatMap((host): TimedAction[] => [
      { at: healAt, action: { kind: 'refuse-installs', host, probability: 0 } },
      { at: healAt, action: { kind: 'restart', host } },
    ]),
    { at: healAt, action: again },
  );
  return {
    seed,
    hosts: sides.map((side) => ({ ...randomHost(side, terms, prng), ...keptBy(seed, side) })),
    link: healed,
    flows: flowsOf(prng, terms),
    timeline,
    terms,
    healAt,
    settleMs: settleMs(terms),
    again,
    rekeyings: [() => ({ kind: 'rekey', child: 'net' }), () => ({ kind: 'rekey', connection: 'tunnel' })],
  };
}

/** In some seeds hosts keep a checkpoint, and go on with their SAs after a crash. */
function keptBy(seed: number, side: SideName): Pick<HostScenario, 'checkpoint'> {
  const prng = new Prng(seed, `checkpoint of ${side}`);
  if (!prng.chance(0.3)) return {};
  const options = { bootId: 'boot', place: side, acrossBoot: false, maxAgeMs: 40_000 };
  return { checkpoint: { recordKey: prng.bytes(32), options } };
}

/** Until all tries of a request are spent, and whoever is silent was asked. */
function settleMs({ retransmit, dpdDelayMs }: Terms): number {
  const { baseMs, factor, tries } = retransmit;
  let budgetMs = 0;
  for (let attempt = 0; attempt <= tries; attempt++) budgetMs += baseMs * factor ** attempt;
  return Math.ceil(budgetMs) + dpdDelayMs;
}
