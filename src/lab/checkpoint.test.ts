// Hosts that keep checkpoints crash at every write of them: no nonce repeats, no Message ID is said twice, and traffic comes back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkersFor } from './checkers/index.ts';
import type { LabEvent } from './events.ts';
import type { Scenario } from './scenario.ts';
import { Simulation } from './simulation.ts';
import { quietScenario } from './testing/quiet-scenario.ts';

const recordKey = new Uint8Array(32).fill(3);

/** A seed's two gateways with checkpoints, traffic both ways, and everything rekeyed once. */
function scenarioOf(firstSeed: number): Scenario {
  const scenario = quietScenario(firstSeed);
  const hosts = scenario.hosts.map((host) => ({
    ...host,
    checkpoint: {
      recordKey,
      options: { bootId: 'boot', place: host.name, acrossBoot: true, maxAgeMs: 600_000 },
    },
    // What is done beside a silent IKE SA is not what this is about.
    configuration: {
      ...host.configuration,
      unknownSpi: { ...host.configuration.unknownSpi, parallelAttempts: false },
    },
  }));
  const [left, right] = hosts.map(({ name }) => name);
  return {
    ...scenario,
    hosts,
    timeline: [
      {
        at: 2_000,
        action: { kind: 'command', host: left!, command: { kind: 'rekey', child: childOf(scenario) } },
      },
      {
        at: 3_000,
        action: { kind: 'command', host: right!, command: { kind: 'rekey', child: childOf(scenario) } },
      },
      { at: 4_000, action: { kind: 'command', host: left!, command: { kind: 'rekey' } } },
      { at: 5_000, action: { kind: 'command', host: right!, command: { kind: 'rekey' } } },
    ],
  };
}

function childOf(scenario: Scenario): string {
  const child = scenario.hosts[0]?.configuration.connections[0]?.children[0];
  assert.ok(child);
  return child.name;
}

interface Outcome {
  readonly writes: number;
  readonly adopted: number;
  readonly refused: readonly string[];
  readonly begun: number;
}

/**
 * Runs to the end of the scenario, or, with `crashAt`, until the host has begun so many writes of its checkpoint; then it
 * crashes after `delayMs`, starts again, and has time to bring the traffic back.
 */
async function run(scenario: Scenario, host: string, crashAt: number, delayMs = 0): Promise<Outcome> {
  let writes = 0;
  let restarted = false;
  let adopted = 0;
  let begun = 0;
  const refused: string[] = [];
  const delivered = new Map<string, number>();
  const observe = (event: LabEvent): void => {
    if (event.kind === 'delivered') delivered.set(event.host, (delivered.get(event.host) ?? 0) + 1);
    if (event.kind !== 'engine' || event.host !== host) return;
    const { output } = event;
    if (output.kind === 'store' && output.key.startsWith('checkpoint') && !restarted) writes++;
    if (output.kind !== 'event' || !restarted) return;
    if (output.event.kind === 'checkpoint-adopted') adopted++;
    if (output.event.kind === 'checkpoint-refused') refused.push(output.event.reason);
    if (output.event.kind === 'connecting') begun++;
  };
  const simulation = new Simulation(scenario, { observers: [...checkersFor(scenario), { observe }] });
  await simulation.run(7_000, () => writes >= crashAt);
  if (writes < crashAt) return { writes, adopted, refused, begun };
  await simulation.run(delayMs);
  simulation.act({ kind: 'crash', host });
  await simulation.run(50);
  restarted = true;
  simulation.act({ kind: 'restart', host });
  // A peer that still waits for an answer to what was lost has to give up first.
  await simulation.run(60_000);
  delivered.clear();
  await simulation.run(3_000);
  for (const { name } of scenario.hosts) {
    assert.ok((delivered.get(name) ?? 0) > 0, `nothing reaches ${name} any more`);
  }
  return { writes, adopted, refused, begun };
}

for (const [index, seed] of [1, 40].entries()) {
  test(`crashes at every write of a checkpoint (${index}): nothing repeats, and traffic comes back`, async (t) => {
    const scenario = scenarioOf(seed);
    let crashes = 0;
    let adoptions = 0;
    for (const { name } of scenario.hosts) {
      const { writes } = await run(scenario, name, Number.POSITIVE_INFINITY);
      assert.ok(writes > 20, `${writes} writes`);
      for (let write = 1; write <= writes; write += 1) {
        const outcome = await run(scenario, name, write, write % 7);
        const { adopted, begun, refused } = outcome;
        crashes++;
        adoptions += adopted;
        // Whole, or not at all: whoever goes on does not begin anew as well.
        assert.ok(adopted === 0 || begun === 0 || refused.length > 0, `write ${write} of ${name}`);
      }
    }
    t.diagnostic(`${crashes} crashes, ${adoptions} IKE SAs gone on with`);
    assert.ok(adoptions > crashes / 4, `${adoptions} of ${crashes}`);
  });
}
