// Nobody vouches for the answer to IKE_SA_INIT: what somebody can do who sends one ahead of the peer's (RFC 7296 2.4).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExchangeType } from '#wire';
import { checkersFor, Delivery } from './checkers/index.ts';
import { plainIkeHeader } from './describe-datagram.ts';
import type { LabEvent } from './events.ts';
import { Simulation } from './simulation.ts';
import { quietScenario } from './testing/quiet-scenario.ts';

interface Outcome {
  /** When packets came through both ways. */
  readonly connectedAt: number | undefined;
  readonly forged: number;
  readonly established: number;
  readonly ikeSasMax: number;
}

/** @param races how many requests the attacker answers: being nearer than the peer, he is first each time */
async function play(races: number, offPath: boolean, durationMs = 60_000): Promise<Outcome> {
  const scenario = quietScenario();
  const delivery = new Delivery(scenario.flows);
  let [asked, forged, established, ikeSasMax] = [0, 0, 0, 0];
  const observe = (event: LabEvent): void => {
    if (event.kind === 'fault' && event.fault === 'attack: forged-first-answer') forged++;
    if (event.kind === 'settled') ikeSasMax = Math.max(ikeSasMax, event.host.status()?.ikeSas.length ?? 0);
    if (event.kind === 'engine' && event.output.kind === 'event' && event.output.event.kind === 'ike') {
      if (event.output.event.event.kind === 'ike-established') established++;
    }
    if (event.kind !== 'sent' || event.host !== 'left') return;
    const header = plainIkeHeader(event.datagram);
    if (header?.exchangeType === ExchangeType.IKE_SA_INIT && !header.response) asked++;
  };
  const observers = [...checkersFor(scenario), delivery, { observe }];
  const simulation = new Simulation(scenario, { observers });
  const attack = { kind: 'forged-first-answer', target: 'left', count: 1, offPath } as const;
  let answered = 0;
  while (delivery.silentSince(0).length > 0 && simulation.now < durationMs) {
    await simulation.step();
    for (; answered < Math.min(asked, races); answered++) simulation.act({ kind: 'attack', attack });
  }
  const connected = delivery.silentSince(0).length === 0;
  return { connectedAt: connected ? simulation.now : undefined, forged, established, ikeSasMax };
}

test('who does not see the request has to guess its SPI, and disturbs nobody', async () => {
  const [undisturbed, disturbed] = [await play(0, true), await play(Number.POSITIVE_INFINITY, true)];
  assert.ok(undisturbed.connectedAt !== undefined && disturbed.forged > 0);
  assert.equal(disturbed.connectedAt, undisturbed.connectedAt);
});

test('who sees it costs the initiator one wait for an answer to IKE_AUTH, and gets no SA', async () => {
  const { connectedAt: at = 0 } = await play(0, false);
  const { connectedAt, forged, established } = await play(1, false);
  assert.equal(forged, 1);
  // The peer's answer has come besides, so that the request for authentication is not repeated to the end of its tries.
  assert.ok(connectedAt !== undefined && connectedAt < at + 1_000, `${connectedAt} ms`);
  assert.equal(established, 2);
});

test('who is always first keeps it out for as long as he goes on, with bounded state and no SA, and no longer', async () => {
  const outcome = await play(Number.POSITIVE_INFINITY, false, 120_000);
  assert.equal(outcome.connectedAt, undefined);
  assert.equal(outcome.established, 0);
  assert.ok(outcome.forged >= 3 && outcome.ikeSasMax <= 4, JSON.stringify(outcome));
  const { connectedAt, established } = await play(3, false, 120_000);
  assert.ok(connectedAt !== undefined);
  assert.equal(established, 2);
});
