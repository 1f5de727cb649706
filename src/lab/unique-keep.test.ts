// `unique = keep`: a second IKE SA of the same peer is refused as long as the first one lives, and not because of one that is dead.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConnectionConfiguration } from '#engine';
import { checkersFor, Delivery } from './checkers/index.ts';
import type { HostScenario, Scenario } from './scenario.ts';
import { Simulation } from './simulation.ts';
import { quietScenario } from './testing/quiet-scenario.ts';

/** As most peers are: no tokens, no word about unknown SPIs, nothing beside an IKE SA that is silent. */
const nothing = {
  policy: 'silent',
  quickCrashDetection: false,
  parallelAttempts: false,
  reestablish: false,
} as const;

function changed(host: HostScenario, change: Partial<ConnectionConfiguration>): HostScenario {
  const { configuration } = host;
  const connections = configuration.connections.map((one) => ({
    ...one,
    // Nothing is replaced for its age.
    rekeyTimeMs: 0,
    overTimeMs: 0,
    children: one.children.map((child) => ({
      ...child,
      lifetimes: { jitterTimeMs: 0, jitterBytes: 0, jitterPackets: 0 },
    })),
    ...change,
  }));
  return { ...host, configuration: { ...configuration, connections, unknownSpi: nothing } };
}

/** Left calls, right keeps what it has, asks nobody whether he lives, and cannot call. */
function scenarioOf(left: Partial<ConnectionConfiguration>): Scenario {
  const scenario = quietScenario();
  const right = { unique: 'keep', dpdDelayMs: 0, remoteAddresses: [{ kind: 'any' }] } as const;
  return {
    ...scenario,
    flows: scenario.flows.filter(({ from }) => from === 'left'),
    hosts: scenario.hosts.map((host) => changed(host, host.name === 'left' ? left : right)),
  };
}

async function back(simulation: Simulation, delivery: Delivery): Promise<number> {
  const since = simulation.now;
  const both = await simulation.run(300_000, () => delivery.silentSince(since).length === 0);
  assert.ok(both, 'nothing comes through for five minutes');
  return simulation.now - since;
}

for (const [how, left] of [
  // RFC 7296 2.4: as strongSwan does where it does not know whom it calls.
  ['that started again and does not say INITIAL_CONTACT', { unique: 'never' }],
  ['that gave up while nothing came through', { unique: 'keep' }],
] as const) {
  test(`a peer ${how} gets in again`, async () => {
    const scenario = scenarioOf(left);
    const delivery = new Delivery(scenario.flows);
    const simulation = new Simulation(scenario, { observers: [...checkersFor(scenario), delivery] });
    await simulation.run(5_000);
    if (left.unique === 'never') {
      simulation.act({ kind: 'crash', host: 'left' });
      await simulation.run(100);
      simulation.act({ kind: 'restart', host: 'left' });
    } else {
      simulation.act({ kind: 'partition', between: ['left', 'right'], oneWay: false });
      const given = await simulation.run(60_000, () => {
        const [sa] = simulation.host('left').status()?.ikeSas ?? [];
        return sa === undefined || sa.phase === 'connecting';
      });
      assert.ok(given, 'left has given up');
      simulation.act({ kind: 'reconnect' });
    }
    const ms = await back(simulation, delivery);
    assert.ok(ms < 2_000, `${ms} ms`);
    // Whoever does not answer ends by the repetitions of the question, and nobody else does.
    const standing = (): number => simulation.host('right').status()?.ikeSas.length ?? 0;
    assert.equal(standing(), 2);
    assert.ok(await simulation.run(60_000, () => standing() === 1));
    assert.ok((await back(simulation, delivery)) < 2_000);
    assert.equal(simulation.host('left').status()?.ikeSas.length, 1);
  });
}
