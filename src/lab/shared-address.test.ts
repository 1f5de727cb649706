// A peer that chooses the SPI which another one behind its address has chosen harms itself only.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryDataPlane } from '#ipsec';
import type { SaCommand, SaName, SaResult } from '#sa';
import { Simulation } from './simulation.ts';
import { quietScenario } from './testing/quiet-scenario.ts';

/** What the first peer is to get has another one already, by which traffic leaves. */
class SharedAddress extends MemoryDataPlane {
  other: SaName | undefined;
  readonly refused: string[] = [];

  override apply(command: SaCommand, at: number): SaResult {
    if (this.other === undefined && command.kind === 'install' && command.sa.direction === 'outbound') {
      const other = structuredClone({ ...command.sa, childId: 0x3fff_ffff });
      assert.ok(super.apply({ kind: 'install', sa: other }, at).ok);
      this.other = other;
    }
    const result = super.apply(command, at);
    if (!result.ok) this.refused.push(`${command.kind} ${result.code}`);
    return result;
  }
}

// RFC 4301 4.1
test('given two peers behind one address who chose one SPI, the first keeps its SA when the second is refused', async () => {
  const planes: SharedAddress[] = [];
  const makePlane = (options: ConstructorParameters<typeof MemoryDataPlane>[0]): MemoryDataPlane => {
    const plane = new SharedAddress(options);
    planes.push(plane);
    return plane;
  };
  const simulation = new Simulation(quietScenario(), { makePlane });
  await simulation.run(30_000);
  assert.equal(planes.length, 2);
  for (const plane of planes) {
    assert.deepEqual(plane.refused, ['install exists', 'use-outbound missing', 'remove missing']);
    assert.ok(plane.other !== undefined && plane.usage(plane.other) !== undefined);
  }
});
