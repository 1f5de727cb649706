// A few seeds of HIP under faults: the association comes back, both ends agree, and nothing is left. `npm run sim -- --hip` has more.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryDataPlane } from '#ipsec';
import type { SaCommand, SaResult } from '#sa';
import { ChaosFailure, runHipChaos } from './run-chaos.ts';

// The last three once led to an SA that one end had and the other one had not.
for (const seed of [1, 2, 3, 55, 223, 276]) {
  test(`seed ${seed}: two hosts with Host Identities find each other again, rekey without loss, and leave nothing`, async () => {
    const { turns, delivered, recoveryMs } = await runHipChaos(seed);
    assert.ok((turns['hip-established'] ?? 0) >= 2 && (turns['hip-rekeyed'] ?? 0) >= 2);
    assert.ok(delivered > 10);
    assert.ok(recoveryMs < 30_000, `${recoveryMs} ms`);
  });
}

test('SAs that a data plane does not have are noticed', async () => {
  const forgetful = runHipChaos(1, {
    makePlane: (options) =>
      new (class extends MemoryDataPlane {
        override apply(command: SaCommand, at: number): SaResult {
          return command.kind === 'install' && command.sa.generation > 0 && command.sa.direction === 'inbound'
            ? { ok: true }
            : super.apply(command, at);
        }
      })(options),
  });
  await assert.rejects(forgetful);
});

test('the same seed does the same, and another one does not', async () => {
  const [once, again, other] = [await runHipChaos(5), await runHipChaos(5), await runHipChaos(6)];
  assert.deepEqual(once, again);
  assert.notEqual(once.fingerprint, other.fingerprint);
});

test('a host to which nothing comes is not alive', async () => {
  const deaf = runHipChaos(1, {
    makePlane: (options) =>
      new (class extends MemoryDataPlane {
        override inbound(): void {}
      })(options),
  });
  await assert.rejects(
    deaf,
    (error) => error instanceof ChaosFailure && /nothing gets from/.test(error.message),
  );
});
