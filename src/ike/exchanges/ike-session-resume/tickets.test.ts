// Tickets over the life of an IKE SA: who asks when, how long they are good, what ends them, and what becomes of a postponement.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeIkeMessage, ExchangeType, NotifyType } from '#wire';
import { TicketIssuer } from '../../index.ts';
import { notify } from '../../payloads/notify.ts';
import { connection } from '../../testing/connections.ts';
import { Pair } from '../../testing/pair.ts';
import { hourMs, loseSun, resumingPair, resumption } from '../../testing/resumption.ts';

function outcomes(host: Pair['moon']): string[] {
  return host.eventsOf('ticket-request').map(({ outcome }) => outcome);
}

/** Presents the given ticket to a sun that lost everything but its tickets. */
function refusedAfter(pair: Pair, index: number): string {
  loseSun(pair);
  pair.moon.resume(pair.sun.endpoint, pair.moon.clientTickets[index]);
  pair.settle();
  return pair.moon.sa.phase === 'established' ? 'accepted' : (pair.sun.refusals.at(-1) ?? '');
}

test('when the client rekeys, its CREATE_CHILD_SA request brings a ticket for the new IKE SA', () => {
  const pair = resumingPair().establish();
  pair.moon.command({ kind: 'rekey-ike' });
  pair.settle();
  const ticket = pair.moon.clientTickets[1];
  assert.deepEqual(ticket?.spis, {
    initiator: pair.moon.sa.initiatorSpi,
    responder: pair.moon.sa.responderSpi,
  });
  assert.equal(pair.moon.clientTickets.length, 2);
  assert.match(refusedAfter(pair, 0), /rekeyed/);
});

test('the ticket that came with a rekeying is good', () => {
  const pair = resumingPair().establish();
  pair.moon.command({ kind: 'rekey-ike' });
  pair.settle();
  assert.equal(refusedAfter(pair, 1), 'accepted');
});

test('when the gateway rekeys, the client asks in an INFORMATIONAL exchange', () => {
  const pair = resumingPair().establish();
  pair.sun.command({ kind: 'rekey-ike' });
  pair.settle();
  assert.equal(pair.sun.sa.role, 'initiator');
  assert.deepEqual(outcomes(pair.moon), ['received', 'received']);
  assert.deepEqual(outcomes(pair.sun), ['given', 'given']);
  assert.equal(pair.moon.clientTickets[1]?.spis.responder, pair.moon.sa.responderSpi);
  assert.equal(refusedAfter(pair, 1), 'accepted');
});

test('a simultaneous rekeying leaves the client with a good ticket for the IKE SA that won', () => {
  const pair = resumingPair().establish();
  pair.moon.command({ kind: 'rekey-ike' });
  pair.sun.command({ kind: 'rekey-ike' });
  pair.settle();
  pair.run(60_000);
  const last = pair.moon.clientTickets.length - 1;
  assert.equal(pair.moon.clientTickets[last]?.spis.initiator, pair.moon.sa.initiatorSpi);
  assert.equal(refusedAfter(pair, last), 'accepted');
});

test('Delete by either end revokes the ticket, silence does not', () => {
  for (const end of ['moon', 'sun'] as const) {
    const pair = resumingPair().establish();
    pair[end].command({ kind: 'delete', reason: 'test' });
    pair.settle();
    pair.moon.resume(pair.sun.endpoint);
    pair.settle();
    assert.match(pair.sun.refusals.at(-1) ?? '', /closed/, end);
  }
  const pair = resumingPair().establish();
  pair.sun.command({ kind: 'check-liveness', reason: 'test' });
  pair.wait(60_000);
  pair.wire.length = 0;
  assert.equal(pair.sun.sa.phase, 'ended');
  pair.moon.command({ kind: 'abandon', reason: 'test' });
  pair.moon.resume(pair.sun.endpoint);
  pair.settle();
  assert.equal(pair.moon.sa.phase, 'established');
});

test('a ticket is no longer good than the IKE SA of its gateway may live', () => {
  const pair = resumingPair({ sun: { rekeyTimeMs: 600_000, overTimeMs: 30_000 } }).establish();
  assert.equal(pair.moon.eventsOf('ticket-request')[0]?.lifetimeMs, 630_000);
});

test('before most of its life is over, a ticket is replaced by a new one', () => {
  const pair = resumingPair().establish();
  pair.run(0.8 * hourMs - 1);
  assert.equal(pair.moon.clientTickets.length, 1);
  pair.run(2);
  assert.equal(pair.moon.clientTickets.length, 2);
  assert.deepEqual(pair.moon.clientTickets[1]?.spis, pair.moon.clientTickets[0]?.spis);
});

test('a gateway whose keys are not stored yet puts the client off, and the client asks again', () => {
  const pair = resumingPair({ issuer: { durable: true } }).establish();
  assert.deepEqual(outcomes(pair.moon), ['postponed']);
  const { tickets } = pair.sun;
  assert.ok(tickets instanceof TicketIssuer);
  assert.deepEqual(
    tickets.takeRecords().map(({ key }) => key),
    ['ticket-keys'],
  );
  tickets.confirmKeys();
  pair.run(5_000);
  assert.deepEqual(outcomes(pair.moon), ['postponed', 'received']);
});

test('a client that is put off for ever does without a ticket after three more tries', () => {
  const pair = resumingPair({ issuer: { durable: true } }).establish();
  pair.run(hourMs);
  assert.equal(outcomes(pair.moon).length, 4);
});

test('a gateway that asks its client for a ticket is refused', () => {
  const pair = resumingPair().establish();
  pair.sun.command({ kind: 'send-notify', notify: notify(NotifyType.TICKET_REQUEST) });
  pair.settle();
  assert.equal(pair.moon.eventsOf('ticket-request').at(-1)?.outcome, 'refused');
  assert.equal(pair.sun.clientTickets.length, 0);
});

test('a gateway whose host makes no tickets refuses requests and tickets alike', () => {
  const unwilling = resumingPair();
  unwilling.sun.tickets = undefined;
  unwilling.establish();
  assert.deepEqual(outcomes(unwilling.moon), ['refused']);
  const changed = resumingPair().establish();
  changed.sun.tickets = undefined;
  assert.match(refusedAfter(changed, 0), /no ticket is accepted/);
});

test('tickets that cannot be read are none: TICKET_LT_OPAQUE without a ticket', () => {
  const pair = new Pair({ moon: { connections: [connection('moon', { resumption })] } });
  pair.sun.notifiesFor = () => [notify(NotifyType.TICKET_LT_OPAQUE, Uint8Array.of(0, 0, 1, 0))];
  pair.establish();
  assert.deepEqual(outcomes(pair.moon), ['refused']);
  assert.equal(pair.moon.clientTickets.length, 0);
});

test('the request for a ticket is the only payload of its INFORMATIONAL exchange', () => {
  const pair = resumingPair().establish();
  pair.run(0.8 * hourMs - 1);
  pair.wait(1);
  const request = pair.take(pair.sun);
  assert.equal(decodeIkeMessage(request.octets).header.exchangeType, ExchangeType.INFORMATIONAL);
  pair.deliver(pair.sun, request);
  pair.settle();
  assert.equal(pair.moon.clientTickets.length, 2);
});
