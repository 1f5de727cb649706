// What a seed must do besides breaking no invariant: recover, rekey without loss, and leave nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DataPlaneOutput, MemoryDataPlane, type ReceivedPacket } from '#ipsec';
import { ChaosFailure, runChaos } from './run-chaos.ts';

const seed = 5;

test('a tunnel through which nothing comes is not alive', async () => {
  const deaf = runChaos(seed, {
    makePlane: (options) =>
      new (class extends MemoryDataPlane {
        override inbound(_received: ReceivedPacket, _at: number): void {}
      })(options),
  });
  await assert.rejects(
    deaf,
    (error) => error instanceof ChaosFailure && /nothing gets from/.test(error.message),
  );
});

test('a lost packet on a good network is noticed', async () => {
  let count = 0;
  const forgetful = runChaos(seed, {
    makePlane: (options) =>
      new (class extends MemoryDataPlane {
        override poll(): DataPlaneOutput | undefined {
          const output = super.poll();
          return output?.kind === 'deliver' && ++count % 2 === 0 ? super.poll() : output;
        }
      })(options),
  });
  await assert.rejects(
    forgetful,
    (error) => error instanceof ChaosFailure && /were lost/.test(error.message),
  );
});

test('a timer that is left behind is noticed', async () => {
  const restless = runChaos(seed, {
    makePlane: (options) =>
      new (class extends MemoryDataPlane {
        override deadline(): number | undefined {
          return super.deadline() ?? Number.MAX_SAFE_INTEGER;
        }
      })(options),
  });
  await assert.rejects(restless, /waits for something/);
});

test('the same seed does the same, and another one does not', async () => {
  const [once, again, other] = [await runChaos(seed), await runChaos(seed), await runChaos(seed + 1)];
  assert.deepEqual(once, again);
  assert.notEqual(once.fingerprint, other.fingerprint);
});
