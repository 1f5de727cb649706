// A host whose process stands still: what it waited for is late, and comes together with what came meanwhile.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkersFor, Delivery } from './checkers/index.ts';
import type { LabEvent } from './events.ts';
import { Simulation } from './simulation.ts';
import { quietScenario } from './testing/quiet-scenario.ts';

async function play(pauseMs: number): Promise<{
  readonly saidWhilePaused: number;
  readonly established: number;
  readonly silent: number;
}> {
  const scenario = quietScenario();
  const delivery = new Delivery(scenario.flows);
  let [saidWhilePaused, established] = [0, 0];
  let isPaused = false;
  const observe = (event: LabEvent): void => {
    const acts = event.kind === 'sent' || event.kind === 'engine' || event.kind === 'delivered';
    if (isPaused && acts && event.host === 'right') saidWhilePaused++;
    if (event.kind !== 'engine' || event.output.kind !== 'event' || event.output.event.kind !== 'ike') return;
    if (event.output.event.event.kind === 'ike-established') established++;
  };
  const observers = [...checkersFor(scenario), delivery, { observe }];
  const simulation = new Simulation(scenario, { observers });
  await simulation.run(3_000);
  simulation.act({ kind: 'pause', host: 'right' });
  isPaused = true;
  await simulation.run(pauseMs);
  isPaused = false;
  simulation.act({ kind: 'resume', host: 'right' });
  const since = simulation.now;
  // Who has tried for a while tries once a minute.
  await simulation.run(70_000);
  return { saidWhilePaused, established, silent: delivery.silentSince(since).length };
}

test('a short pause is of no consequence', async () => {
  assert.deepEqual(await play(1_000), { saidWhilePaused: 0, established: 2, silent: 0 });
});

test('after a long one the peer has given up, and both begin anew', async () => {
  const { saidWhilePaused, established, silent } = await play(60_000);
  assert.deepEqual([saidWhilePaused, silent], [0, 0]);
  assert.ok(established >= 4);
});
