// The fuzzing loop: mutate, run, keep what behaves in a new way, report what must not happen.
import { mutate } from './mutate.ts';
import { Prng } from './prng.ts';
import type { FuzzTarget } from './target.ts';

/** Beyond this an input is reported as too expensive. */
export const slowMs = 100;

/** Inputs kept for further mutation. */
const poolMax = 2048;

export interface Finding {
  readonly octets: Uint8Array;
  readonly reason: string;
}

export interface FuzzReport {
  readonly executions: number;
  /** Distinct ways of being accepted or refused that were seen. */
  readonly behaviors: number;
  /** The input that first behaved so, by behavior; only those that `fuzz` made itself. */
  readonly firsts: ReadonlyMap<string, Uint8Array>;
  readonly findings: readonly Finding[];
}

export interface Outcome {
  readonly accepted: boolean;
  readonly behavior: string;
  readonly wrong?: string;
}

/** How one input went: the behavior it showed, and what is wrong with that, if anything. */
export function runOnce(target: FuzzTarget, octets: Uint8Array, clock: () => number): Outcome {
  const copy = octets.slice();
  let behavior: string;
  let accepted = false;
  const start = clock();
  try {
    const manner = target.run(copy);
    behavior = typeof manner === 'string' ? `accepted: ${manner}` : 'accepted';
    accepted = true;
  } catch (error) {
    // Offsets, values and quotations differ from input to input; the words tell the place in the code.
    behavior = String(error)
      .replace(/"[^\n]*"/g, '""')
      .replace(/\d+/g, '#');
    if (!target.refuses(error)) {
      return { accepted, behavior, wrong: error instanceof Error ? (error.stack ?? behavior) : behavior };
    }
  }
  const tookMs = clock() - start;
  if (tookMs > slowMs) return { accepted, behavior, wrong: `took ${tookMs.toFixed(0)} ms` };
  return { accepted, behavior };
}

/** Time that this process has spent on processors, in milliseconds; asking costs too much to do it always. */
function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** As `runOnce`, but a slow run must be slow twice more by processor time: the machine may have been busy. */
export function judge(target: FuzzTarget, octets: Uint8Array): Outcome {
  let outcome = runOnce(target, octets, () => performance.now());
  for (let again = 0; again < 2 && outcome.wrong?.startsWith('took '); again++)
    outcome = runOnce(target, octets, processorMs);
  return outcome;
}

/**
 * Fuzzes until `proceed` says no (asked before every execution) or ten different failures are found.
 * The same seed, corpus and number of executions give the same inputs.
 */
export function fuzz(
  target: FuzzTarget,
  corpus: readonly Uint8Array[],
  seed: number,
  proceed: (executions: number) => boolean,
): FuzzReport {
  const random = new Prng(seed);
  const pool = [...corpus];
  const behaviors = new Set<string>();
  const firsts = new Map<string, Uint8Array>();
  const findings = new Map<string, Finding>();
  let executions = 0;
  const learn = (octets: Uint8Array): void => {
    const { behavior, wrong } = judge(target, octets);
    if (wrong !== undefined && !findings.has(behavior)) findings.set(behavior, { octets, reason: wrong });
    const isNew = !behaviors.has(behavior);
    behaviors.add(behavior);
    if (isNew && executions > 0) firsts.set(behavior, octets);
    // Accepted inputs are rare and good to start from.
    if ((isNew || behavior === 'accepted') && pool.length < poolMax) pool.push(octets);
  };
  for (const octets of corpus) learn(octets);
  executions = corpus.length;
  for (; findings.size < 10 && proceed(executions); executions++) {
    const [from, other] = [random.pick(pool), random.pick(pool)];
    const octets = target.mutate?.(from, random, other) ?? mutate(from, random, other, target.words);
    if (target.repair && random.below(8) > 0) target.repair(octets);
    learn(octets);
  }
  return { executions, behaviors: behaviors.size, firsts, findings: [...findings.values()] };
}
