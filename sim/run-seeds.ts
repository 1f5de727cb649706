// Seeds one after the other, in this thread.
import { type ChaosOptions, type ChaosReport, runChaos, runHipChaos } from '#lab';
import { labCertificates } from './certificates.ts';
import { addReport, emptySummary, type Keying, type Summary } from './summary.ts';

/** From `from` to `to`, both included. A seed that fails is noted, and the next one follows. */
export async function runSeeds(
  keying: Keying,
  from: number,
  to: number,
  options: ChaosOptions = {},
): Promise<Summary> {
  const summary = emptySummary(keying);
  const run = (seed: number): Promise<ChaosReport> =>
    keying === 'hip'
      ? runHipChaos(seed, options)
      : runChaos(seed, { certificates: labCertificates, ...options });
  for (let seed = from; seed <= to; seed++) {
    try {
      addReport(summary, await run(seed));
    } catch (error) {
      summary.seeds++;
      summary.failures.push({ seed, detail: error instanceof Error ? error.message : String(error) });
    }
  }
  return summary;
}
