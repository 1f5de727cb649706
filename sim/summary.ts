// What many seeds met together, and whether something was never met.
import { addCounts, type ChaosReport, type Counts } from '#lab';

/** A seed that broke an invariant. */
export interface Failure {
  readonly seed: number;
  readonly detail: string;
}

/** What the hosts of a seed speak. */
export type Keying = 'ike' | 'hip';

/** Of a single seed too: two of them can be added. */
export interface Summary {
  readonly keying: Keying;
  seeds: number;
  delivered: number;
  virtualMs: number;
  recoveryMsMax: number;
  /** Seeds with less than a handshake, traffic, a rekeying and two faults. */
  readonly idle: number[];
  readonly faults: Counts;
  readonly collisions: Counts;
  readonly turns: Counts;
  readonly failures: Failure[];
}

export function emptySummary(keying: Keying): Summary {
  return {
    keying,
    seeds: 0,
    delivered: 0,
    virtualMs: 0,
    recoveryMsMax: 0,
    idle: [],
    faults: {},
    collisions: {},
    turns: {},
    failures: [],
  };
}

function total(counts: Readonly<Counts>): number {
  return Object.values(counts).reduce((sum, one) => sum + one, 0);
}

export function addReport(summary: Summary, report: ChaosReport): void {
  const { turns, faults } = report;
  const count = (...names: readonly string[]): number =>
    names.reduce((sum, name) => sum + (turns[name] ?? 0), 0);
  const rekeyings = count('child-rekeyed', 'ike-rekeyed', 'hip-rekeyed');
  const complete =
    count('ike-established', 'hip-established') >= 2 &&
    report.delivered >= 2 &&
    rekeyings >= 1 &&
    total(faults) >= 2;
  if (!complete) summary.idle.push(report.seed);
  summary.seeds++;
  summary.delivered += report.delivered;
  summary.virtualMs += report.virtualMs;
  summary.recoveryMsMax = Math.max(summary.recoveryMsMax, report.recoveryMs);
  addCounts(summary.faults, faults);
  addCounts(summary.collisions, report.collisions);
  addCounts(summary.turns, turns);
}

export function addSummary(summary: Summary, more: Summary): void {
  summary.seeds += more.seeds;
  summary.delivered += more.delivered;
  summary.virtualMs += more.virtualMs;
  summary.recoveryMsMax = Math.max(summary.recoveryMsMax, more.recoveryMsMax);
  summary.idle.push(...more.idle);
  addCounts(summary.faults, more.faults);
  addCounts(summary.collisions, more.collisions);
  addCounts(summary.turns, more.turns);
  summary.failures.push(...more.failures);
}

/** Everything that a run of thousands of seeds has to meet at least once. */
const commonFaults = [
  'loss',
  'duplication',
  'reordering',
  'corruption',
  'partition',
  'crash',
  'move',
  'install-refused',
  'attack: garbage',
  'attack: forged-invalid-spi',
  'attack: random-esp',
  'attack: replay',
  'attack: truncation',
];

const ikeFaults = [
  'nat-drop',
  'nat-rebinding',
  'lookup-failed',
  'attack: unknown-ike-spi',
  'attack: higher-version',
  'attack: forged-invalid-ike-spi',
  'attack: forged-delete',
  'attack: init-flood',
];

const hipFaults = ['attack: forged-hip', 'attack: replayed-hip', 'attack: i1-flood', 'attack: forged-icmp'];

const ikeCollisions = [
  'child-rekey: our exchange has the lowest nonce: its Child SA goes',
  "child-rekey: the peer's exchange has the lowest nonce: the peer deletes its Child SA",
  'child-rekey: the peer had already replaced the Child SA',
  'ike-rekey: our exchange has the lowest nonce: its IKE SA goes',
  "ike-rekey: the peer's exchange has the lowest nonce: the peer deletes its IKE SA",
  'ike-rekey: the peer had already replaced the IKE SA',
];

const ikeTurns = [
  'ike-established',
  'child-established',
  'child-rekeyed',
  'ike-rekeyed',
  'peer-moved',
  'duplicate-ike-sa',
  'cookie-demanded',
  'unknown-spi',
  'liveness-confirmed',
  'retransmitting',
];

const hipTurns = [
  'hip-established',
  'hip-rekeyed',
  'hip-ended',
  'hip-alive',
  'hip-silent',
  'hip-moved',
  'hip-locator',
  'hip-failed',
  'unknown-spi',
];

/** Names of what was expected and did not occur. */
export function neverMet(summary: Summary): string[] {
  const missing = (expected: readonly string[], counts: Readonly<Counts>): string[] =>
    expected.filter((name) => (counts[name] ?? 0) === 0);
  const ike = summary.keying === 'ike';
  return [
    ...missing([...commonFaults, ...(ike ? ikeFaults : hipFaults)], summary.faults),
    ...missing(ike ? ikeCollisions : [], summary.collisions),
    ...missing(ike ? ikeTurns : hipTurns, summary.turns),
  ];
}

export function summaryText(summary: Summary, seconds: number): string {
  const { keying, seeds, delivered, virtualMs, recoveryMsMax, failures, idle } = summary;
  const hours = (virtualMs / 3_600_000).toFixed(1);
  const lines = [
    `${seeds} seeds in ${seconds.toFixed(1)} s: ${hours} hours of virtual time, ${delivered} packets delivered,`,
    `tunnels back at most ${(recoveryMsMax / 1000).toFixed(1)} s after the last fault`,
  ];
  for (const [title, counts] of [
    ['faults', summary.faults],
    ['collisions', summary.collisions],
    ['turns', summary.turns],
  ] as const) {
    lines.push(`${title}:`);
    for (const name of Object.keys(counts).sort()) lines.push(`${String(counts[name]).padStart(9)}  ${name}`);
  }
  if (idle.length > 0) lines.push(`seeds that did too little: ${idle.join(' ')}`);
  for (const { seed, detail } of failures) {
    lines.push(
      `seed ${seed} FAILED: ${detail}`,
      `    replay with: npm run sim -- --seed ${seed}${keying === 'hip' ? ' --hip' : ''} --verbose`,
    );
  }
  return lines.join('\n');
}
