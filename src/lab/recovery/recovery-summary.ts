// Many seeds of a cell become one line of figures, and what was promised is held against them.
import {
  cellName,
  isAttack,
  isPossible,
  promisedRoundTrips,
  type RecoveryCell,
  type RecoveryPolicyName,
  type RecoveryScenarioName,
  recoveryPolicyNames,
  recoveryScenarioNames,
} from './recovery-cell.ts';
import { retransmission } from './recovery-hosts.ts';
import { type RecoveryOptions, type RecoveryRun, runRecovery } from './run-recovery.ts';

/** A figure over the seeds, by nearest rank. */
export interface Spread {
  readonly p50: number;
  readonly p99: number;
}

export interface RecoveryCellSummary extends RecoveryCell {
  readonly seeds: number;
  /** Runs in which traffic came back both ways. */
  readonly recovered: number;
  /** Over those runs; absent in the cells of attackers, where nothing is to be recovered from. */
  readonly recoveryMs?: Spread;
  readonly recoveryRtts?: Spread;
  readonly packetsLost: Spread;
  readonly messages: Spread;
  /** IP octets of unauthenticated replies for each octet of unauthenticated input, all seeds together. */
  readonly bytesOutPerByteIn: number;
  readonly byteRuleBroken: number;
  readonly falseTeardowns: number;
  /** In the cells of attackers: commands to the data planes. */
  readonly saChanges?: number;
  readonly ikeSasLeftMax: number;
  readonly forgedDatagrams: number;
}

export interface RecoveryPlan {
  readonly scenarios: readonly RecoveryScenarioName[];
  readonly policies: readonly RecoveryPolicyName[];
  readonly rttsMs: readonly number[];
  readonly firstSeed: number;
  readonly seeds: number;
}

export const defaultRecoveryPlan: RecoveryPlan = {
  scenarios: recoveryScenarioNames,
  policies: recoveryPolicyNames,
  rttsMs: [20, 100],
  firstSeed: 1,
  seeds: 20,
};

/** All cells of a plan that make sense, in the order of its lists. */
export function cellsOf({ scenarios, policies, rttsMs }: RecoveryPlan): RecoveryCell[] {
  return scenarios.flatMap((scenario) =>
    policies
      .filter((policy) => isPossible({ scenario, policy }))
      .flatMap((policy) => rttsMs.map((rttMs) => ({ scenario, policy, rttMs }))),
  );
}

/** @throws InvariantViolation with the seed in its text */
export async function runRecoveryCell(
  cell: RecoveryCell,
  { firstSeed, seeds }: Pick<RecoveryPlan, 'firstSeed' | 'seeds'>,
  options: RecoveryOptions = {},
): Promise<RecoveryCellSummary> {
  const runs: RecoveryRun[] = [];
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    try {
      runs.push(await runRecovery(cell, seed, options));
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      throw new Error(`${cellName(cell)}, seed ${seed}: ${detail}`, { cause: error });
    }
  }
  return summarise(cell, runs);
}

function summarise(cell: RecoveryCell, runs: readonly RecoveryRun[]): RecoveryCellSummary {
  const times = runs.flatMap(({ recoveryMs }) => (recoveryMs === undefined ? [] : [recoveryMs]));
  const sum = (of: (run: RecoveryRun) => number): number => runs.reduce((total, run) => total + of(run), 0);
  const [bytesIn, bytesOut] = [sum((run) => run.bytesIn), sum((run) => run.bytesOut)];
  const recovery = {
    recoveryMs: spread(times),
    recoveryRtts: spread(times.map((ms) => ms / cell.rttMs)),
  };
  return {
    ...cell,
    seeds: runs.length,
    recovered: times.length,
    ...(isAttack(cell.scenario) || times.length === 0 ? {} : recovery),
    packetsLost: spread(runs.map((run) => run.packetsLost)),
    messages: spread(runs.map((run) => run.messages)),
    bytesOutPerByteIn: bytesIn === 0 ? 0 : bytesOut / bytesIn,
    byteRuleBroken: sum((run) => run.byteRuleBroken.length),
    falseTeardowns: sum((run) => run.falseTeardowns),
    ...(isAttack(cell.scenario) ? { saChanges: sum((run) => run.saChanges) } : {}),
    ikeSasLeftMax: Math.max(0, ...runs.map((run) => run.ikeSasLeft)),
    forgedDatagrams: sum((run) => run.attacks),
  };
}

function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { p50: rank(0.5), p99: rank(0.99) };
}

/** Three time-outs in a row, the longest that three lost messages cost. */
const threeTimeoutsMs = [0, 1, 2].reduce(
  (sum, attempt) => sum + retransmission.baseMs * retransmission.factor ** attempt,
  0,
);

/** What does not hold of what is promised; empty: everything holds. */
export function brokenPromises(summary: RecoveryCellSummary): string[] {
  const broken: string[] = [];
  const say = (text: string): unknown => broken.push(`${cellName(summary)}: ${text}`);
  if (summary.byteRuleBroken > 0) say(`the byte rule was broken ${summary.byteRuleBroken} times`);
  if (isAttack(summary.scenario)) {
    if (summary.saChanges !== 0) say(`${summary.saChanges} changes of SAs`);
    if (summary.falseTeardowns > 0) say(`${summary.falseTeardowns} false teardowns`);
    if (summary.forgedDatagrams === 0) say('nothing was forged');
  }
  const roundTrips = promisedRoundTrips(summary);
  if (roundTrips === undefined) return broken;
  const { recoveryMs, recovered, seeds, rttMs, scenario } = summary;
  if (recovered < seeds || recoveryMs === undefined) {
    say(`${seeds - recovered} of ${seeds} runs never recovered`);
    return broken;
  }
  const lossy = scenario === 'responder-restarts-loss';
  const p99MsMax = roundTrips * rttMs + (lossy ? threeTimeoutsMs : 0);
  if (recoveryMs.p99 > p99MsMax) say(`p99 is ${recoveryMs.p99} ms, more than ${p99MsMax}`);
  if (lossy && recoveryMs.p50 > roundTrips * rttMs) {
    say(`p50 is ${recoveryMs.p50} ms, more than ${roundTrips * rttMs}`);
  }
  return broken;
}
