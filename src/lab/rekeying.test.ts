// SAs that are replaced all the time on a network that reorders, but loses nothing: no packet may be lost, and no rekeying may look
// like the loss of a host.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConnectionConfiguration } from '#engine';
import { Delivery } from './checkers/delivery.ts';
import { checkersFor } from './checkers/index.ts';
import type { LabEvent } from './events.ts';
import { Prng } from './prng.ts';
import { recoveryHosts } from './recovery/recovery-hosts.ts';
import type { Scenario } from './scenario.ts';
import { Simulation } from './simulation.ts';

/** Both ends want to replace both, at the same moments. */
function restless(connection: ConnectionConfiguration): ConnectionConfiguration {
  return {
    ...connection,
    rekeyTimeMs: 150_000,
    overTimeMs: 600_000,
    children: connection.children.map((child) => ({
      ...child,
      lifetimes: { ...child.lifetimes, rekeyTimeMs: 20_000 },
    })),
  };
}

function reordering(seed: number): Scenario {
  const cell = { policy: 'full-ladder', scenario: 'responder-restarts', rttMs: 20 } as const;
  const { hosts, flows, link, ...rest } = recoveryHosts(cell, seed, new Prng(seed, 'rekeying'));
  return {
    ...rest,
    // What was sent within a tenth of a second comes in any order.
    link: { ...link, jitterMs: 100 },
    flows: flows.map((flow) => ({ ...flow, intervalMs: 50 })),
    hosts: hosts.map((host) => ({
      ...host,
      configuration: {
        ...host.configuration,
        connections: host.configuration.connections.map(restless),
      },
    })),
  };
}

for (const seed of [1, 2, 3, 4]) {
  test(`a quarter of an hour of rekeyings loses nothing to a network without order, seed ${seed}`, async () => {
    const scenario = reordering(seed);
    const delivery = new Delivery(scenario.flows);
    const steps: string[] = [];
    let rekeyings = 0;
    const listen = {
      observe(event: LabEvent): void {
        if (event.kind !== 'engine' || event.output.kind !== 'event') return;
        const { event: inner } = event.output;
        if (inner.kind === 'recovery') steps.push(`${event.at} ${event.host}: ${inner.rung} ${inner.step}`);
        if (inner.kind === 'ike' && inner.event.kind === 'ike-rekeyed') rekeyings++;
      },
    };
    const observers = [delivery, listen, ...checkersFor(scenario)];
    const simulation = new Simulation(scenario, { observers });
    await simulation.run(5_000);
    const from = simulation.now;
    await simulation.run(900_000);
    const to = simulation.now;
    await simulation.run(1_000);
    assert.ok(rekeyings >= 10, `${rekeyings} rekeyings`);
    assert.deepEqual(steps, []);
    assert.equal(delivery.lost(from, to), 0);
  });
}
