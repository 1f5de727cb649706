// IKE_SESSION_RESUME between two hosts, message by message: tickets accepted, refused, used twice, lost and forged.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeIkeMessage, ExchangeType, NotifyType } from '#wire';
import { findNotify, notify } from '../../payloads/notify.ts';
import { connection, fqdn, sharedSecret } from '../../testing/connections.ts';
import { Pair } from '../../testing/pair.ts';
import {
  changed,
  hourMs,
  issuer,
  loseSun,
  nonceOf,
  payloadsOf,
  presentedTicket,
  resumingPair,
  resumption,
  unprotectedAnswer,
} from '../../testing/resumption.ts';

/** An established pair of which sun then dies, but for its ticket keys. */
function crashed(change: Parameters<typeof resumingPair>[0] = {}): Pair {
  const pair = resumingPair(change).establish();
  loseSun(pair);
  return pair;
}

test('a ticket is asked for and given in IKE_AUTH, with the state that is needed to use it', () => {
  const pair = resumingPair().establish();
  const [ticket] = pair.moon.clientTickets;
  assert.ok(ticket);
  assert.equal(ticket.connection, 'gateway');
  assert.deepEqual(ticket.localIdentity, fqdn('moon.example.org'));
  assert.deepEqual(ticket.remoteIdentity, fqdn('sun.example.org'));
  assert.equal(ticket.expiresAtMs, 1_800_000_000_000 + hourMs);
  assert.deepEqual(ticket.spis, {
    initiator: pair.moon.sa.initiatorSpi,
    responder: pair.moon.sa.responderSpi,
  });
  assert.deepEqual(
    [...pair.moon.eventsOf('ticket-request'), ...pair.sun.eventsOf('ticket-request')].map(
      ({ outcome }) => outcome,
    ),
    ['received', 'given'],
  );
  assert.equal(pair.sun.clientTickets.length, 0);
});

test('a host without resumption asks for nothing, and one that gives none says TICKET_NACK', () => {
  const [plain, resuming] = [connection('moon'), connection('moon', { resumption })];
  const silent = new Pair({
    moon: { connections: [plain] },
    sun: { connections: [connection('sun', { resumption })] },
  });
  silent.establish();
  assert.equal(silent.sun.eventsOf('ticket-request').length, 0);
  const unwilling = new Pair({ moon: { connections: [resuming] } });
  unwilling.sun.tickets = issuer(unwilling);
  unwilling.establish();
  assert.equal(unwilling.moon.eventsOf('ticket-request')[0]?.outcome, 'refused');
  assert.equal(unwilling.moon.clientTickets.length, 0);
});

for (const form of ['value', 'reference'] as const) {
  test(`by ${form}: after the gateway lost its SAs, two round trips bring IKE SA and Child SA back`, () => {
    const pair = crashed({ issuer: { form } });
    pair.moon.resume(pair.sun.endpoint);
    const request = pair.take(pair.sun);
    const { header, payloads } = decodeIkeMessage(request.octets);
    assert.equal(header.exchangeType, ExchangeType.IKE_SESSION_RESUME);
    assert.deepEqual([header.messageId, header.responderSpi], [0, '0000000000000000']);
    assert.deepEqual(
      payloads.map(({ type }) => type),
      ['Nonce', 'N', 'N', 'N', 'N'],
    );
    const ticket = findNotify(payloads, NotifyType.TICKET_OPAQUE);
    assert.deepEqual([ticket?.protocolId, ticket?.spi.length], [0, 0]);
    pair.deliver(pair.sun, request);
    const answer = pair.take(pair.moon);
    assert.equal(decodeIkeMessage(answer.octets).header.exchangeType, ExchangeType.IKE_SESSION_RESUME);
    assert.ok(!payloadsOf(answer).some(({ type }) => type === 'SA' || type === 'KE'));
    pair.deliver(pair.moon, answer);
    pair.deliver(pair.sun);
    pair.deliver(pair.moon);
    assert.equal(pair.wire.length, 0);
    for (const host of [pair.moon, pair.sun]) {
      assert.equal(host.sa.phase, 'established');
      assert.equal(host.sa.children.length, 1);
      assert.equal(host.eventsOf('ike-established').at(-1)?.resumed, true);
      assert.deepEqual(host.sa.suite, pair.moon.clientTickets[0]?.suite);
    }
    assert.deepEqual(pair.sun.sa.remoteIdentity, fqdn('moon.example.org'));
    pair.assertKeysAgree();
    // A further failure can be met the same way.
    assert.equal(pair.moon.clientTickets.length, 2);
    loseSun(pair);
    pair.moon.resume(pair.sun.endpoint);
    pair.settle();
    assert.equal(pair.sun.sa.phase, 'established');
  });
}

test('the keys are those of RFC 5723 5.1, computed here anew', () => {
  const pair = crashed();
  const [ticket] = pair.moon.clientTickets;
  pair.moon.resume(pair.sun.endpoint);
  const request = pair.take(pair.sun);
  pair.deliver(pair.sun, request);
  const answer = pair.take(pair.moon);
  pair.deliver(pair.moon, answer);
  const { header } = decodeIkeMessage(answer.octets);
  const spis = Buffer.from(`${header.initiatorSpi}${header.responderSpi}`, 'hex');
  const nonces = Buffer.concat([nonceOf(request), nonceOf(answer)]);
  const prf = (key: Uint8Array, ...parts: Uint8Array[]): Buffer =>
    createHmac('sha256', key).update(Buffer.concat(parts)).digest();
  const seed = prf(ticket!.skD, Buffer.from('Resumption'), nonces);
  let block: Uint8Array = new Uint8Array(0);
  let stream: Uint8Array = new Uint8Array(0);
  for (let i = 1; stream.length < 136; i++) {
    block = prf(seed, block, nonces, spis, Uint8Array.of(i));
    stream = Buffer.concat([stream, block]);
  }
  const entry = pair.moon.keyLog.find((logged) => logged.kind === 'ike');
  assert.ok(entry?.kind === 'ike');
  // SK_d 32, no SK_a with an AEAD, then SK_e of 16 octets and a salt of 4 each.
  assert.deepEqual(Buffer.from(entry.skEi), Buffer.from(stream.subarray(32, 52)));
  assert.deepEqual(Buffer.from(entry.skEr), Buffer.from(stream.subarray(52, 72)));
});

test('a ticket is used by the IKE SA that it made, and by no other', () => {
  const pair = crashed();
  const [used] = pair.moon.clientTickets;
  pair.moon.resume(pair.sun.endpoint, used);
  pair.settle();
  loseSun(pair);
  pair.moon.resume(pair.sun.endpoint, used);
  pair.settle();
  assert.equal(pair.moon.sa.phase, 'ended');
  const failure = pair.moon.eventsOf('ike-failed').at(-1)?.failure;
  assert.deepEqual([failure?.code, failure?.notifyType], ['ticket-refused', NotifyType.TICKET_NACK]);
  assert.match(pair.sun.refusals.at(-1) ?? '', /was used/);
  assert.equal(pair.sun.sas.length, 0);
});

test('when one ticket is presented twice at once, only the first to prove itself gets an IKE SA', () => {
  const pair = crashed();
  const first = pair.moon.resume(pair.sun.endpoint);
  const second = pair.moon.resume(pair.sun.endpoint);
  pair.settle();
  assert.deepEqual([first.phase, second.phase], ['established', 'ended']);
  assert.equal(pair.sun.sas.filter((sa) => sa.phase === 'established').length, 1);
  assert.equal(pair.sun.eventsOf('ike-failed')[0]?.failure.code, 'ticket-refused');
});

test('a presentation that never goes on to IKE_AUTH does not use the ticket up', () => {
  const pair = crashed();
  pair.moon.resume(pair.sun.endpoint);
  pair.deliver(pair.sun);
  pair.moon.command({ kind: 'abandon', reason: 'test' });
  pair.wire.length = 0;
  pair.run(30_000);
  assert.equal(pair.sun.sas[0]?.phase, 'ended');
  pair.moon.resume(pair.sun.endpoint);
  pair.settle();
  assert.equal(pair.sun.sa.phase, 'established');
});

test('a gateway that still has the old IKE SA drops it without a word once the new one stands', () => {
  const pair = resumingPair().establish();
  const old = pair.sun.sa;
  pair.moon.command({ kind: 'abandon', reason: 'test' });
  pair.moon.resume(pair.sun.endpoint);
  pair.deliver(pair.sun);
  pair.deliver(pair.moon);
  assert.equal(old.phase, 'established');
  pair.deliver(pair.sun);
  assert.equal(old.phase, 'ended');
  assert.equal(pair.wire.length, 1);
  pair.settle();
  assert.equal(pair.sun.installed.size, 2);
  pair.assertKeysAgree();
});

test('lost messages: the same octets go out again, and get the same answer', () => {
  const pair = crashed();
  pair.moon.resume(pair.sun.endpoint);
  const lost = pair.take(pair.sun);
  pair.wait(1000);
  const again = pair.take(pair.sun);
  assert.deepEqual(again.octets, lost.octets);
  pair.deliver(pair.sun, again);
  const answer = pair.take(pair.moon);
  pair.wait(2000);
  pair.deliver(pair.sun);
  assert.deepEqual(pair.take(pair.moon).octets, answer.octets);
  assert.equal(pair.sun.sas.length, 1);
  pair.deliver(pair.moon, answer);
  pair.drop(pair.sun);
  pair.wait(1000);
  pair.deliver(pair.sun);
  pair.drop(pair.moon);
  pair.wait(2000);
  pair.settle();
  assert.equal(pair.moon.sa.phase, 'established');
  assert.equal(pair.sun.sas.length, 1);
  pair.assertKeysAgree();
});

test('when nobody answers, two repetitions are enough to give the ticket up, which may be tried again later', () => {
  const pair = crashed();
  pair.moon.resume(pair.sun.endpoint);
  pair.wait(7000);
  assert.equal(pair.wire.length, 3);
  assert.equal(pair.moon.eventsOf('ike-failed').at(-1)?.failure.code, 'no-answer');
  pair.wire.length = 0;
  pair.moon.resume(pair.sun.endpoint);
  pair.settle();
  assert.equal(pair.sun.sa.phase, 'established');
});

test('COOKIE: the request comes again behind the cookie and otherwise unchanged', () => {
  const pair = crashed();
  pair.moon.resume(pair.sun.endpoint);
  const request = pair.take(pair.sun);
  const cookie = Uint8Array.of(1, 2, 3);
  pair.deliver(pair.moon, unprotectedAnswer(pair, request, notify(NotifyType.COOKIE, cookie)));
  const again = pair.take(pair.sun);
  const [first, ...rest] = payloadsOf(again);
  assert.ok(first?.type === 'N' && first.notifyType === NotifyType.COOKIE);
  assert.deepEqual(first.data, cookie);
  assert.deepEqual(rest, payloadsOf(request));
  pair.deliver(pair.sun, again);
  pair.settle();
  assert.equal(pair.moon.sa.phase, 'established');
});

test('forged demands for cookies end after a few, and a cookie of no octets is ignored', () => {
  const pair = crashed();
  pair.moon.resume(pair.sun.endpoint);
  for (let i = 0; i < 20; i++) {
    pair.collect();
    const request = pair.wire.at(-1)!;
    const cookie = i === 0 ? new Uint8Array(0) : Uint8Array.of(i);
    pair.deliver(pair.moon, unprotectedAnswer(pair, request, notify(NotifyType.COOKIE, cookie)));
  }
  assert.equal(pair.wire.length, 9);
});

test('an expired ticket is refused by the gateway, and never presented by the client', () => {
  const pair = crashed();
  const [ticket] = pair.moon.clientTickets;
  pair.sun.wallClockMs += hourMs;
  pair.moon.resume(pair.sun.endpoint);
  pair.settle();
  assert.equal(pair.moon.sa.phase, 'ended');
  assert.match(pair.sun.refusals.at(-1) ?? '', /expired/);
  pair.moon.wallClockMs += hourMs;
  assert.throws(() => pair.moon.resume(pair.sun.endpoint, ticket), /expired/);
});

test('a ticket from the future is refused: the clock was set back', () => {
  const pair = crashed();
  pair.sun.wallClockMs -= hourMs;
  pair.moon.resume(pair.sun.endpoint);
  pair.settle();
  assert.match(pair.sun.refusals.at(-1) ?? '', /future/);
});

test('a gateway without the key of the ticket says TICKET_NACK', () => {
  const pair = crashed();
  pair.sun.tickets = issuer(pair);
  pair.moon.resume(pair.sun.endpoint);
  pair.settle();
  assert.match(pair.sun.refusals.at(-1) ?? '', /key that we do not have/);
  assert.equal(pair.moon.eventsOf('ike-failed').at(-1)?.failure.code, 'ticket-refused');
});

test('a ticket with any octet changed is refused, and makes no state', () => {
  const pair = crashed();
  pair.moon.resume(pair.sun.endpoint);
  const request = pair.take(pair.sun);
  const ticket = presentedTicket(request)!;
  for (let at = 0; at < ticket.length; at++) {
    const tampered = changed(request, (payloads) =>
      payloads.map((payload) => {
        if (payload.type !== 'N' || payload.notifyType !== NotifyType.TICKET_OPAQUE) return payload;
        const data = payload.data.slice();
        data[at]! ^= 0x40;
        return { ...payload, data };
      }),
    );
    pair.deliver(pair.sun, tampered);
    const answer = pair.take(pair.moon);
    assert.deepEqual(
      payloadsOf(answer).map((payload) => payload.type === 'N' && payload.notifyType),
      [NotifyType.TICKET_NACK],
    );
    assert.ok(answer.octets.length < request.octets.length);
  }
  assert.equal(pair.sun.sas.length, 0);
});

test('whoever stole a ticket off the wire gets no further than a half-open IKE SA', () => {
  const pair = crashed();
  const [ticket] = pair.moon.clientTickets;
  pair.moon.resume(pair.sun.endpoint, { ...ticket!, skD: new Uint8Array(32) });
  pair.settle();
  assert.equal(pair.sun.sas.filter((sa) => sa.phase === 'established').length, 0);
  // And it is still good in the right hands.
  pair.moon.command({ kind: 'abandon', reason: 'test' });
  pair.moon.resume(pair.sun.endpoint, ticket);
  pair.settle();
  assert.equal(pair.sun.sa.phase, 'established');
});

test('another identity than that of the ticket is refused, even under the right keys', () => {
  const pair = crashed();
  const [ticket] = pair.moon.clientTickets;
  pair.moon.resume(pair.sun.endpoint, { ...ticket!, localIdentity: fqdn('MOON.example.org') });
  pair.settle();
  assert.equal(pair.sun.eventsOf('ike-failed').at(-1)?.failure.code, 'identity-mismatch');
  assert.equal(pair.moon.sa.phase, 'ended');
});

test('a ticket is as good as its connection: gone, forbidden or without its key, it is refused', () => {
  for (const change of [
    { connections: [] },
    { connections: [connection('sun')] },
    { connections: [connection('sun', { resumption, name: 'renamed' })] },
    { connections: [connection('sun', { resumption, proposals: [] })] },
    {
      connections: [
        connection('sun', { resumption, remote: { ...connection('sun').remote, method: 'pubkey' as const } }),
      ],
    },
    { credentials: { ...sharedSecret(''), sharedSecrets: [] } },
  ]) {
    const pair = crashed();
    Object.assign(pair.sun, change);
    pair.moon.resume(pair.sun.endpoint);
    pair.settle();
    assert.match(pair.sun.refusals.at(-1) ?? '', /does not allow/);
    assert.equal(pair.moon.sa.phase, 'ended');
  }
});

test('a NACK that somebody forged costs a full exchange, and the ticket is still good', () => {
  const pair = crashed();
  pair.moon.resume(pair.sun.endpoint);
  const request = pair.take(pair.sun);
  pair.deliver(pair.moon, unprotectedAnswer(pair, request, notify(NotifyType.TICKET_NACK)));
  assert.equal(pair.moon.eventsOf('ike-failed').at(-1)?.failure.code, 'ticket-refused');
  pair.moon.initiate(pair.sun.endpoint);
  pair.settle();
  assert.equal(pair.moon.sa.phase, 'established');
});

test('answers of another exchange, and answers to other IKE SAs, change nothing', () => {
  const pair = crashed();
  pair.moon.resume(pair.sun.endpoint);
  const request = pair.take(pair.sun);
  const { header } = decodeIkeMessage(request.octets);
  const forged = unprotectedAnswer(pair, request, notify(NotifyType.TICKET_NACK));
  const asInit = forged.octets.slice();
  asInit[18] = ExchangeType.IKE_SA_INIT;
  pair.deliver(pair.moon, { ...forged, octets: asInit });
  assert.equal(pair.moon.sa.phase, 'connecting');
  assert.equal(header.initiatorSpi, pair.moon.sa.initiatorSpi);
  pair.deliver(pair.sun, request);
  pair.settle();
  assert.equal(pair.moon.sa.phase, 'established');
});

test('IKE_SESSION_RESUME without a ticket or a nonce is malformed', () => {
  for (const type of ['N', 'Nonce'] as const) {
    const pair = crashed();
    pair.moon.resume(pair.sun.endpoint);
    const request = pair.take(pair.sun);
    pair.deliver(
      pair.sun,
      changed(request, (payloads) => payloads.filter((payload) => payload.type !== type)),
    );
    const [refusal] = payloadsOf(pair.take(pair.moon));
    assert.ok(refusal?.type === 'N' && refusal.notifyType === NotifyType.INVALID_SYNTAX);
    assert.equal(pair.sun.sas.length, 0);
  }
});

test('NAT is detected anew: behind one, IKE_AUTH goes to the NAT traversal port', () => {
  const pair = crashed();
  pair.natAddress = '198.51.100.7' as never;
  pair.moon.resume(pair.sun.endpoint);
  pair.settle();
  assert.equal(pair.moon.sa.phase, 'established');
  assert.deepEqual([pair.moon.sa.nat.local, pair.sun.sa.nat.remote], [true, true]);
  assert.equal(pair.moon.sa.local.port, 4500);
});

test('notifies of the host travel in the resumed IKE_AUTH, so that quick crash detection goes on', () => {
  const pair = crashed();
  for (const host of [pair.moon, pair.sun]) {
    host.notifiesFor = () => [notify(NotifyType.QUICK_CRASH_DETECTION, new Uint8Array(32))];
  }
  pair.moon.resume(pair.sun.endpoint);
  pair.settle();
  for (const host of [pair.moon, pair.sun]) {
    assert.equal(
      host.eventsOf('notify-received').at(-1)?.notify.notifyType,
      NotifyType.QUICK_CRASH_DETECTION,
    );
  }
});

test('freshKeyExchange: the resumed IKE SA is rekeyed at once, and its successor has a ticket', () => {
  for (const end of ['moon', 'sun'] as const) {
    const pair = crashed({ [end]: { resumption: { ...resumption, freshKeyExchange: true } } });
    pair.moon.resume(pair.sun.endpoint);
    pair.run(5_000);
    assert.equal(pair.moon.eventsOf('ike-rekeyed').length, 1, end);
    assert.equal(pair.moon.sa.children.length, 1);
    pair.assertKeysAgree();
    assert.equal(pair.moon.clientTickets.at(-1)?.spis.initiator, pair.moon.sa.initiatorSpi);
    loseSun(pair);
    pair.moon.resume(pair.sun.endpoint);
    pair.settle();
    assert.equal(pair.sun.sa.phase, 'established');
  }
});

test('resuming does not put the next authentication off', () => {
  const times = { rekeyTimeMs: 0, reauthTimeMs: 600_000, overTimeMs: 60_000 };
  const pair = resumingPair({ moon: times, sun: times }).establish();
  assert.equal(pair.moon.clientTickets[0]?.expiresAtMs, 1_800_000_000_000 + 600_000);
  pair.run(400_000);
  loseSun(pair);
  pair.moon.resume(pair.sun.endpoint);
  pair.settle();
  assert.equal(pair.sun.sa.phase, 'established');
  pair.run(199_000);
  assert.equal(pair.moon.eventsOf('reauthentication-due').length, 0);
  pair.run(2_000);
  assert.equal(pair.moon.eventsOf('reauthentication-due').length, 1);
});

test('whatever a stranger presents, the gateway answers with one short message and keeps nothing', () => {
  const pair = crashed();
  pair.moon.resume(pair.sun.endpoint);
  const request = pair.take(pair.sun);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (garbage) => {
      const forged = changed(request, (payloads) =>
        payloads.map((payload) =>
          payload.type === 'N' && payload.notifyType === NotifyType.TICKET_OPAQUE
            ? { ...payload, data: garbage }
            : payload,
        ),
      );
      pair.deliver(pair.sun, forged);
      const [refusal] = payloadsOf(pair.take(pair.moon));
      assert.ok(refusal?.type === 'N' && refusal.notifyType === NotifyType.TICKET_NACK);
      assert.equal(pair.sun.sas.length, 0);
    }),
    { numRuns: 300 },
  );
});
