// Every scenario with the real peer as a test, two at a time, and each once: what fails seldom is a bug that shows itself seldom.
import { describe, test } from 'node:test';
import { allRuns } from './harness/all-runs.ts';
import { removeStaleNamespaces } from './harness/network.ts';
import { play } from './harness/play.ts';
import { missingRequirement } from './harness/requirements.ts';
import { runTitle } from './harness/scenario.ts';

const missing = missingRequirement();
const runs = await allRuns();
if (missing === undefined) removeStaleNamespaces();

describe('interop with strongSwan', { concurrency: 2 }, () => {
  for (const run of runs) {
    test(runTitle(run), { skip: missing ?? false }, async () => {
      const { failure, kept } = await play(run);
      if (failure !== undefined) {
        failure.message += `\n(capture, keys, configurations and logs are in ${kept})`;
        throw failure;
      }
    });
  }
});
