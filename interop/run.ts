// npm run interop [-- FILTER...]: plays all scenarios, or those whose title contains a FILTER, and prints a table.
// npm run interop -- hip [FILTER...]: plays those between two hosts with HIP (hip/run.ts).
// npm run interop -- recovery: measures outages instead (recovery/run.ts).
import { availableParallelism } from 'node:os';
import { allRuns } from './harness/all-runs.ts';
import { inParallel } from './harness/in-parallel.ts';
import { removeStaleNamespaces } from './harness/network.ts';
import { play } from './harness/play.ts';
import { missingRequirement } from './harness/requirements.ts';
import { runTitle } from './harness/scenario.ts';
import { tableLines, versionsLine } from './harness/table.ts';
import { runHip } from './hip/run.ts';
import { runRecovery } from './recovery/run.ts';

// An ordinary end of this process removes the namespaces, and with it ends all that runs in them.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

async function main(): Promise<number> {
  const missing = missingRequirement();
  if (missing !== undefined) {
    console.error(`the scenarios cannot be played here: ${missing}`);
    return 1;
  }
  removeStaleNamespaces();
  const [first, ...rest] = process.argv.slice(2);
  if (first === 'hip') return runHip(rest, availableParallelism());
  if (first === 'recovery') return runRecovery(rest);
  const runs = await allRuns(process.argv.slice(2));
  if (runs.length === 0) {
    console.error('no scenario matches');
    return 1;
  }
  console.log(await versionsLine());
  const outcomes = await inParallel(runs, availableParallelism(), async (run) => {
    const outcome = await play(run);
    const result = outcome.failure === undefined ? 'passed' : 'FAILED';
    console.error(`${result}  ${runTitle(run)}`);
    return outcome;
  });
  console.log(`\n${tableLines(outcomes).join('\n')}`);
  const failed = outcomes.filter(({ failure }) => failure !== undefined);
  for (const { run, failure, kept } of failed) {
    console.log(`\n${runTitle(run)}: ${failure!.message}\n  kept: ${kept}`);
  }
  console.log(`\n${outcomes.length - failed.length} of ${outcomes.length} passed`);
  return failed.length === 0 ? 0 : 1;
}

process.exitCode = await main();
