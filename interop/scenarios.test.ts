// Every scenario with the real peer as a test, two at a time.
import { rename, rm } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { allRuns } from './harness/all-runs.ts';
import { removeStaleNamespaces } from './harness/network.ts';
import { type Outcome, play } from './harness/play.ts';
import { missingRequirement } from './harness/requirements.ts';
import { type Run, runTitle } from './harness/scenario.ts';

const missing = missingRequirement();
const runs = await allRuns();
if (missing === undefined) removeStaleNamespaces();

/**
 * Other tests, four daemons and two captures share the machine here. A run that fails is played once more; what was left of
 * the first time is kept and told of, for it may be a bug that shows itself seldom. `npm run interop` plays everything once.
 */
async function playTwiceAtMost(run: Run, tell: (text: string) => void): Promise<Outcome> {
  const first = await play(run);
  if (first.failure === undefined || first.kept === undefined) return first;
  const aside = `${first.kept}-first-try`;
  await rm(aside, { recursive: true, force: true });
  await rename(first.kept, aside);
  tell(`${runTitle(run)} failed at first: ${first.failure.message} (kept in ${aside})`);
  return play(run);
}

describe('interop with strongSwan', { concurrency: 2 }, () => {
  for (const run of runs) {
    test(runTitle(run), { skip: missing ?? false }, async (t) => {
      const { failure, kept } = await playTwiceAtMost(run, (text) => t.diagnostic(text));
      if (failure !== undefined) {
        failure.message += `\n(capture, keys, configurations and logs are in ${kept})`;
        throw failure;
      }
    });
  }
});
