// From a seed to a scenario of HIP: two hosts, traffic between their HITs both ways, and a time of faults that ends.
import { type HipConfiguration, hipDefaults } from '#engine';
import { address, type Endpoint, hitAddress, type IpAddress } from '#sa';
import { Prng } from '../prng.ts';
import { hipIdentities } from '../recovery/hip-identities.ts';
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
import { otherSide, placesOf, placesToMove, type SideName } from './random-configuration.ts';

/** What both sides have in common, and who of them may be elsewhere. */
interface HipTerms {
  readonly family: 4 | 6;
  /** Left goes from place to place. */
  readonly moves: boolean;
  /** Right knows where left is at first; otherwise only left can call. */
  readonly known: boolean;
  readonly configuration: Omit<HipConfiguration, 'identities' | 'peers'>;
}

const identities = { left: hipIdentities.a, right: hipIdentities.b } as const;
const attackKinds: readonly AttackKind[] = [
  'garbage',
  'forged-hip',
  'forged-hip',
  'replayed-hip',
  'replayed-hip',
  'i1-flood',
  'forged-icmp',
  'forged-invalid-spi',
  'random-esp',
  'replay',
  'truncation',
];

function randomTerms(prng: Prng): HipTerms {
  const [first, second] = [prng.pick([13, 8, 9]), 13];
  return {
    family: prng.chance(0.3) ? 6 : 4,
    moves: prng.chance(0.5),
    known: prng.chance(0.7),
    configuration: {
      ...hipDefaults,
      groups: [7],
      espSuites: first === second ? [second] : [first, second],
      puzzle: {
        ...hipDefaults.puzzle,
        difficultyMin: prng.between(0, 6),
        calmPerSecond: prng.pick([2, 32]),
        // 8 to 32 seconds.
        lifetime: prng.between(35, 37),
      },
      retransmission: { baseMs: prng.between(200, 1_000), tries: prng.between(3, 5) },
      // Longer than any fault: what stands is not unused because of it. Short enough for all to be forgotten at the end.
      unusedMs: prng.between(12_000, 20_000),
      segmentLifetimeMs: 2_000,
      failedMs: prng.between(500, 3_000),
      rekeyMs: prng.chance(0.3) ? 0 : prng.between(3_000, 15_000),
      locatorLifetimeMs: prng.pick([10_000, 60_000]),
      failoverMs: prng.between(300, 1_000),
      usesCredit: prng.chance(0.7),
    },
  };
}

function hostOf(side: SideName, terms: HipTerms, prng: Prng): HostScenario {
  const { family, moves, known, configuration } = terms;
  const other = otherSide(side);
  const reachable = side === 'left' || known;
  return {
    name: side,
    address: placesOf(family, side).outer,
    ...(side === 'left' && moves ? { laterAddresses: placesToMove({ family, nat: false }) } : {}),
    configuration: {
      connections: [],
      credentials: {
        sharedSecrets: [],
        privateKeys: [],
        certificates: [],
        authorities: [],
        revocationLists: [],
      },
      pools: [],
      ports: { ike: 500, natTraversal: 4500 },
      halfOpen: {
        cookieThreshold: 8,
        cookieThresholdPerSource: 3,
        halfOpenMax: 16,
        halfOpenTimeoutMs: 10_000,
      },
      natKeepaliveMs: 10_000,
      unknownSpi: { historySize: 32 },
      hip: {
        ...configuration,
        identities: [identities[side]],
        peers: [
          {
            name: other,
            hit: identities[other].identity.hit,
            addresses: reachable ? [placesOf(family, other).outer] : [],
          },
        ],
      },
    },
    dataPlaneDelayMs: prng.chance(0.3) ? prng.between(1, 5) : 0,
    computeDelayMs: prng.between(0, 3),
    trafficReportMs: prng.pick([200, 1_000]),
  };
}

/** One thing that goes wrong or is asked for; it may last until later. */
function randomIncident(
  prng: Prng,
  at: number,
  terms: HipTerms,
  delayMs: number,
  endAt: number,
): TimedAction[] {
  const side = prng.pick(sides);
  const now = (action: Action): TimedAction => ({ at, action });
  const later = (afterMs: number, action: Action): TimedAction => ({
    at: Math.min(endAt, at + afterMs),
    action,
  });
  const told = (kind: 'hip-associate' | 'hip-close' | 'hip-rekey' | 'hip-check', host: SideName): Action => ({
    kind: 'command',
    host,
    command: { kind, peer: otherSide(host) },
  });
  switch (prng.below(14)) {
    case 0:
    case 1:
      return [
        now({ kind: 'partition', between: ['left', 'right'], oneWay: prng.chance(0.4) }),
        later(prng.between(200, 6_000), { kind: 'reconnect' }),
      ];
    case 2:
    case 3:
      return [
        now({ kind: 'crash', host: side }),
        later(prng.between(20, 4_000), { kind: 'restart', host: side }),
      ];
    case 4:
      return [now({ kind: 'link', quality: faultyQuality(prng, delayMs) })];
    case 5:
    case 6:
    case 7:
      // Both may want it at nearly the same time (RFC 7402 6.10).
      return sides
        .filter(() => prng.chance(0.85))
        .map((host) => ({ at: at + prng.between(0, 2 * delayMs), action: told('hip-rekey', host) }));
    case 8:
      return [
        now(told('hip-close', side)),
        later(prng.between(0, 2_000), told('hip-associate', prng.pick(sides))),
      ];
    case 9:
      // RFC 7401 6.7: who calls whom is decided by the HITs.
      return sides.map((host) => now(told('hip-associate', host)));
    case 10:
      return [
        now({ kind: 'refuse-installs', host: side, probability: 0.3 }),
        later(prng.between(500, 4_000), { kind: 'refuse-installs', host: side, probability: 0 }),
        now(told('hip-rekey', otherSide(side))),
      ];
    case 11:
      return [now(told('hip-check', side))];
    default:
      return [now({ kind: 'attack', attack: randomAttack(prng, terms) })];
  }
}

function randomAttack(prng: Prng, { family }: HipTerms): Extract<Action, { kind: 'attack' }>['attack'] {
  const kind = prng.pick(attackKinds);
  const stranger: Endpoint = {
    address: address(family === 6 ? '2001:db8:bad::1' : '203.0.113.66'),
    port: prng.between(1024, 65_535),
  };
  return {
    kind,
    target: prng.pick(sides),
    ...(prng.chance(0.5) ? { source: stranger } : {}),
    offPath: prng.chance(0.3),
    count: kind === 'i1-flood' ? prng.between(4, 24) : prng.between(1, 6),
  };
}

/** Left goes from place to place, also just when keys are being replaced. */
function randomMoves(
  prng: Prng,
  timeline: readonly TimedAction[],
  { family }: HipTerms,
  delayMs: number,
  healAt: number,
): TimedAction[] {
  const places = [placesOf(family, 'left').outer, ...placesToMove({ family, nat: false })];
  const commands = timeline.filter(({ action }) => action.kind === 'command');
  return Array.from({ length: prng.between(1, 4) }, () => {
    const beside = commands.length > 0 && prng.chance(0.5) ? prng.pick(commands).at : undefined;
    const at = beside === undefined ? prng.between(500, healAt - 100) : beside + prng.between(0, 3 * delayMs);
    return {
      at: Math.min(at, healAt),
      action: { kind: 'move', host: 'left', address: prng.pick(places) } as const,
    };
  });
}

function flowsOf(prng: Prng): FlowScenario[] {
  const hit = (side: SideName): IpAddress => hitAddress(identities[side].identity.hit);
  const flow = (from: SideName, change: Partial<FlowScenario> = {}): FlowScenario => ({
    from,
    to: otherSide(from),
    source: hit(from),
    destination: hit(otherSide(from)),
    intervalMs: prng.between(300, 1_000),
    payloadBytes: prng.pick([40, 40, 200, 1000]),
    ...change,
  });
  const stray = { destination: hitAddress(hipIdentities.c.identity.hit), intervalMs: 5_000, stray: true };
  return [flow('left'), flow('right'), flow(prng.pick(sides), stray)];
}

export function randomHipScenario(seed: number): ChaosCourse {
  const prng = new Prng(seed, 'hip');
  const terms = randomTerms(prng);
  const delayMs = prng.between(1, 60);
  const healAt = prng.between(5_000, 9_000);
  const timeline = faultsOfEverySeed(prng, delayMs, healAt, () => Math.max(1_500, prng.between(500, 3_200)));
  for (let left = prng.between(2, 6); left > 0; left--) {
    const at = prng.between(500, healAt - 1_000);
    timeline.push(...randomIncident(prng, at, terms, delayMs, healAt));
  }
  if (terms.moves) {
    timeline.push(...randomMoves(prng, timeline, terms, delayMs, healAt));
    timeline.push(...absencesOf(seed, healAt, placesToMove({ family: terms.family, nat: false })));
  }
  timeline.push(...pausesOf(seed, healAt));
  const healed = healedQuality(delayMs);
  timeline.push(
    { at: healAt, action: { kind: 'link', quality: healed } },
    { at: healAt, action: { kind: 'reconnect' } },
    ...sides.flatMap((host): TimedAction[] => [
      { at: healAt, action: { kind: 'refuse-installs', host, probability: 0 } },
      { at: healAt, action: { kind: 'restart', host } },
    ]),
  );
  const { baseMs, tries } = terms.configuration.retransmission;
  return {
    seed,
    hosts: sides.map((side) => hostOf(side, terms, prng)),
    link: healed,
    flows: flowsOf(prng),
    timeline,
    healAt,
    settleMs: baseMs * 2 ** tries,
    // Nobody has to: the packets of the flows call.
    again: { kind: 'command', host: 'left', command: { kind: 'hip-check', peer: 'right' } },
    rekeyings: [
      (host) => ({ kind: 'hip-rekey', peer: otherSide(host) }),
      (host) => ({ kind: 'hip-rekey', peer: otherSide(host) }),
    ],
  };
}
