// Every HIP scenario between two real daemons as a test, two at a time.
import { describe, test } from 'node:test';
import { missingRequirement } from './harness/requirements.ts';
import { hipRuns, playHip } from './hip/play.ts';

const missing = missingRequirement();

describe('HIP between two hosts', { concurrency: 2 }, () => {
  for (const run of hipRuns) {
    test(run.title, { skip: missing ?? false }, async (t) => {
      // Others share the machine: what fails once is played once more, and told of.
      await playHip(run).catch((error: Error) => {
        t.diagnostic(`${run.title} failed at first: ${error.message}`);
        return playHip(run);
      });
    });
  }
});
