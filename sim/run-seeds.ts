// Seeds one after the other, in this thread.
import { type ChaosOptions, runChaos } from '#lab';
import { labCertificates } from './certificates.ts';
import { addReport, emptySummary, type Summary } from './summary.ts';

/** From `from` to `to`, both included. A seed that fails is noted, and the next one follows. */
export async function runSeeds(from: number, to: number, options: ChaosOptions = {}): Promise<Summary> {
  const summary = emptySummary();
  for (let seed = from; seed <= to; seed++) {
    try {
      addReport(summary, await runChaos(seed, { certificates: labCertificates, ...options }));
    } catch (error) {
      summary.seeds++;
      summary.failures.push({ seed, detail: error instanceof Error ? error.message : String(error) });
    }
  }
  return summary;
}
