// IKE_SA_INIT between two hosts: lost messages, cookies, other groups, refusals, NATs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address, Ke } from '#sa';
import { decodeIkeMessage, ExchangeType, encodeIkeMessage, type IkeHeader, NotifyType } from '#wire';
import { invalidKeData } from '../../negotiation/key-exchange-group.ts';
import { findNotify, notify } from '../../payloads/notify.ts';
import { payloadOf } from '../../payloads/payload-lookup.ts';
import { connection, ikeProposal } from '../../testing/connections.ts';
import { type Datagram, Pair } from '../../testing/pair.ts';

function message(datagram: Datagram): ReturnType<typeof decodeIkeMessage> {
  return decodeIkeMessage(datagram.octets);
}

/** An unprotected answer to IKE_SA_INIT that somebody on the path makes up. */
function forge(pair: Pair, request: Datagram, ...payloads: Parameters<typeof notify>[]): Datagram {
  const { header } = message(request);
  const answer: IkeHeader = { ...header, initiator: false, response: true };
  const octets = encodeIkeMessage({ header: answer, payloads: payloads.map((each) => notify(...each)) });
  return { to: pair.moon, source: request.destination, destination: request.source, octets };
}

// RFC 7296 2.1
test('when the request is lost, it goes out again with the same octets and the SA still comes to be', () => {
  const pair = new Pair();
  pair.moon.initiate(pair.sun.endpoint);
  const lost = pair.take(pair.sun);
  pair.wait(1000);
  const again = pair.take(pair.sun);
  assert.deepEqual(again.octets, lost.octets);
  pair.deliver(pair.sun, again);
  pair.settle();
  assert.equal(pair.moon.sa.phase, 'established');
});

// RFC 7296 2.1
test('when the answer is lost, the repeated request gets the very same answer and makes no second SA', () => {
  const pair = new Pair();
  pair.moon.initiate(pair.sun.endpoint);
  pair.deliver(pair.sun);
  const lost = pair.take(pair.moon);
  pair.wait(1000);
  pair.deliver(pair.sun);
  const again = pair.take(pair.moon);
  assert.deepEqual(again.octets, lost.octets);
  assert.equal(pair.sun.sas.length, 1);
  pair.deliver(pair.moon, again);
  pair.settle();
  assert.equal(pair.sun.sa.phase, 'established');
});

// RFC 7296 2.4
test('when nobody answers, the tries end after the configured back-off and the SA with them', () => {
  const pair = new Pair();
  pair.moon.initiate(pair.sun.endpoint);
  pair.wait(14_999);
  assert.equal(pair.wire.length, 4);
  assert.equal(pair.moon.sa.phase, 'connecting');
  pair.wait(1);
  assert.equal(pair.moon.sa.phase, 'ended');
  assert.equal(pair.moon.eventsOf('ike-failed')[0]?.failure.code, 'no-answer');
  assert.equal(pair.moon.deadline(), undefined);
});

// RFC 7296 2.6
test('a COOKIE demand brings the same request again with the cookie in front', () => {
  const pair = new Pair();
  pair.moon.initiate(pair.sun.endpoint);
  const request = pair.take(pair.sun);
  const cookie = Uint8Array.of(1, 2, 3, 4);
  pair.deliver(pair.moon, forge(pair, request, [NotifyType.COOKIE, cookie]));
  const repeated = pair.take(pair.sun);
  const [first, ...rest] = message(repeated).payloads;
  assert.deepEqual(first, notify(NotifyType.COOKIE, cookie));
  assert.deepEqual(rest, message(request).payloads);
  pair.deliver(pair.sun, repeated);
  pair.settle();
  assert.equal(pair.moon.sa.phase, 'established');
});

/** Moon has sent its request with and without a cookie; sun, which has answered only one, may prefer either. */
function requestsWithAndWithoutCookie(pair: Pair): { readonly bare: Datagram; readonly cookied: Datagram } {
  pair.moon.initiate(pair.sun.endpoint);
  const request = pair.take(pair.sun);
  pair.wait(1000);
  const bare = pair.take(pair.sun);
  pair.deliver(pair.moon, forge(pair, request, [NotifyType.COOKIE, Uint8Array.of(1, 2, 3, 4)]));
  return { bare, cookied: pair.take(pair.sun) };
}

// RFC 7296 2.6, 2.15: AUTH covers what was sent last, and the responder cannot know which that was.
test('a repeated request that is taken without its cookie, while the one with it is on its way, fails nobody', () => {
  const pair = new Pair();
  const { bare, cookied } = requestsWithAndWithoutCookie(pair);
  pair.deliver(pair.sun, bare);
  const answer = pair.take(pair.moon);
  pair.deliver(pair.sun, cookied);
  assert.deepEqual(pair.take(pair.moon).octets, answer.octets);
  pair.deliver(pair.moon, answer);
  pair.settle();
  assert.equal(pair.moon.sa.phase, 'established');
  assert.equal(pair.sun.sas.length, 1);
});

test('a late request without a cookie, behind the one with it, fails nobody either', () => {
  const pair = new Pair();
  const { bare, cookied } = requestsWithAndWithoutCookie(pair);
  pair.deliver(pair.sun, cookied);
  pair.deliver(pair.sun, bare);
  pair.settle();
  assert.equal(pair.moon.sa.phase, 'established');
});

test('a request under the same SPI that differs in more than its cookie is not answered, and not believed', () => {
  const pair = new Pair();
  const { bare, cookied } = requestsWithAndWithoutCookie(pair);
  pair.deliver(pair.sun, bare);
  pair.drop(pair.moon);
  for (let at = 16; at < cookied.octets.length; at++) {
    // The cookie itself may be any, but not what comes behind it.
    if (at > 28 && at < 40) continue;
    const changed = cookied.octets.slice();
    changed[at]! ^= 1;
    try {
      decodeIkeMessage(changed);
    } catch {
      continue;
    }
    pair.deliver(pair.sun, { ...cookied, octets: changed });
    assert.equal(pair.wire.length, 0, `octet ${at}`);
  }
});

test('cookies of forbidden lengths are ignored', () => {
  const pair = new Pair();
  pair.moon.initiate(pair.sun.endpoint);
  const request = pair.take(pair.sun);
  for (const length of [0, 65]) {
    pair.deliver(pair.moon, forge(pair, request, [NotifyType.COOKIE, new Uint8Array(length)]));
  }
  assert.equal(pair.wire.length, 0);
});

// RFC 7296 2.6
test('an endless series of COOKIE demands is obeyed a few times only', () => {
  const pair = new Pair();
  pair.moon.initiate(pair.sun.endpoint);
  const request = pair.take(pair.sun);
  for (let i = 0; i < 50; i++) {
    pair.deliver(pair.moon, forge(pair, request, [NotifyType.COOKIE, Uint8Array.of(i)]));
  }
  assert.equal(pair.wire.length, 8);
});

// RFC 7296 1.2, 2.7
test('a responder that wants another group of our proposal gets it', () => {
  const pair = new Pair({
    moon: { connections: [connection('moon', { proposals: [ikeProposal(Ke.CURVE25519, Ke.ECP_256)] })] },
    sun: { connections: [connection('sun', { proposals: [ikeProposal(Ke.ECP_256)] })] },
  });
  pair.establish();
  assert.equal(pair.moon.sa.suite?.ke, Ke.ECP_256);
  assert.deepEqual(pair.sun.refusals, ['another key exchange method is wanted']);
});

// RFC 7296 2.6.1
test('a demand for another group behind a COOKIE demand is obeyed with the cookie still in front', () => {
  const pair = new Pair({
    moon: { connections: [connection('moon', { proposals: [ikeProposal(Ke.CURVE25519, Ke.ECP_256)] })] },
    sun: { connections: [connection('sun', { proposals: [ikeProposal(Ke.ECP_256)] })] },
  });
  pair.moon.initiate(pair.sun.endpoint);
  const cookie = Uint8Array.of(1, 2, 3, 4);
  pair.deliver(pair.moon, forge(pair, pair.take(pair.sun), [NotifyType.COOKIE, cookie]));
  pair.deliver(pair.sun);
  pair.deliver(pair.moon);
  const corrected = pair.take(pair.sun);
  const { payloads } = message(corrected);
  assert.deepEqual(payloads[0], notify(NotifyType.COOKIE, cookie));
  assert.equal(payloads.find((payload) => payload.type === 'KE')?.group, Ke.ECP_256);
  pair.deliver(pair.sun, corrected);
  pair.settle();
  assert.equal(pair.moon.sa.phase, 'established');
});

// RFC 7296 2.7
test('nobody can make us use a group that we did not offer', () => {
  const pair = new Pair();
  pair.moon.initiate(pair.sun.endpoint);
  const request = pair.take(pair.sun);
  pair.deliver(pair.moon, forge(pair, request, [NotifyType.INVALID_KE_PAYLOAD, invalidKeData(Ke.MODP_2048)]));
  assert.equal(pair.wire.length, 0);
  assert.equal(pair.moon.eventsOf('peer-refused')[0]?.failure.code, 'invalid-ke-payload');
  pair.deliver(pair.sun, request);
  pair.settle();
  assert.equal(pair.moon.sa.suite?.ke, Ke.CURVE25519);
});

// RFC 7296 2.21.1
test('a forged NO_PROPOSAL_CHOSEN is remembered but does not stop the real responder', () => {
  const pair = new Pair();
  pair.moon.initiate(pair.sun.endpoint);
  const request = pair.take(pair.sun);
  pair.deliver(pair.moon, forge(pair, request, [NotifyType.NO_PROPOSAL_CHOSEN]));
  assert.equal(pair.moon.eventsOf('peer-refused')[0]?.failure.code, 'no-proposal-chosen');
  assert.equal(pair.moon.sa.phase, 'connecting');
  pair.deliver(pair.sun, request);
  pair.settle();
  assert.equal(pair.moon.sa.phase, 'established');
});

test('without a common proposal the initiator fails in the end, and names the refusal as the reason', () => {
  const pair = new Pair({
    sun: { connections: [connection('sun', { proposals: [ikeProposal(Ke.ECP_384)] })] },
  });
  pair.moon.initiate(pair.sun.endpoint);
  pair.run(20_000);
  const [failed] = pair.moon.eventsOf('ike-failed');
  assert.equal(failed?.failure.code, 'no-proposal-chosen');
  assert.equal(failed.failure.notifyType, NotifyType.NO_PROPOSAL_CHOSEN);
  assert.equal(pair.sun.sas.length, 0);
});

// RFC 7296 2.21.1
test('a responder without any connection for the addresses keeps no state', () => {
  const pair = new Pair({ sun: { connections: [] } });
  pair.moon.initiate(pair.sun.endpoint);
  pair.deliver(pair.sun);
  assert.equal(pair.sun.sas.length, 0);
  assert.deepEqual(pair.sun.refusals, ['no connection is for these addresses']);
});

// RFC 7296 2.11
test('without a NAT everything stays on port 500', () => {
  const pair = new Pair().establish();
  assert.equal(pair.moon.sa.remote.port, 500);
  assert.deepEqual(pair.moon.sa.nat, { supported: true, local: false, remote: false });
  assert.equal(pair.moon.sasOf('outbound')[0]?.encapsulation, undefined);
});

// RFC 7296 2.23
test('an initiator behind a NAT moves to port 4500, and the responder follows its IKE_AUTH', () => {
  const pair = new Pair();
  pair.natAddress = address('198.51.100.7');
  pair.establish();
  const { moon, sun } = pair;
  assert.deepEqual(moon.sa.nat, { supported: true, local: true, remote: false });
  assert.deepEqual(sun.sa.nat, { supported: true, local: false, remote: true });
  assert.deepEqual(moon.sa.remote, { address: sun.endpoint.address, port: 4500 });
  assert.deepEqual(sun.sa.remote, { address: pair.natAddress, port: 24_500 });
  assert.equal(sun.sa.local.port, 4500);
  assert.deepEqual(moon.sasOf('outbound')[0]?.encapsulation, { localPort: 4500, remotePort: 4500 });
  assert.deepEqual(sun.sasOf('outbound')[0]?.encapsulation, { localPort: 4500, remotePort: 24_500 });
});

test('encap = yes makes both ends encapsulate although there is no NAT', () => {
  const pair = new Pair({ moon: { connections: [connection('moon', { encap: true })] } });
  pair.establish();
  assert.equal(pair.moon.sa.remote.port, 4500);
  assert.ok(pair.moon.sasOf('outbound')[0]?.encapsulation);
  assert.ok(pair.sun.sasOf('outbound')[0]?.encapsulation);
});

// RFC 7383 2.3, RFC 7427 4
test('both announce fragmentation and signature hashes; a connection without fragmentation does not', () => {
  const pair = new Pair({ sun: { connections: [connection('sun', { fragmentation: 'no' })] } });
  pair.moon.initiate(pair.sun.endpoint);
  const request = pair.take(pair.sun);
  assert.ok(findNotify(message(request).payloads, NotifyType.IKEV2_FRAGMENTATION_SUPPORTED));
  assert.ok(findNotify(message(request).payloads, NotifyType.SIGNATURE_HASH_ALGORITHMS));
  pair.deliver(pair.sun, request);
  const answer = pair.take(pair.moon);
  assert.equal(findNotify(message(answer).payloads, NotifyType.IKEV2_FRAGMENTATION_SUPPORTED), undefined);
  assert.equal(message(answer).header.exchangeType, ExchangeType.IKE_SA_INIT);
});

test('an answer with a public value that is no point of the group does not end the attempt', () => {
  const pair = new Pair();
  pair.moon.initiate(pair.sun.endpoint);
  pair.deliver(pair.sun);
  const genuine = pair.take(pair.moon);
  const { header, payloads } = message(genuine);
  const ke = payloadOf(payloads, 'KE');
  assert.ok(ke);
  const poisoned = payloads.map((payload) =>
    payload === ke ? { ...ke, data: new Uint8Array(ke.data.length) } : payload,
  );
  const octets = encodeIkeMessage({ header, payloads: poisoned });
  pair.deliver(pair.moon, { ...genuine, octets });
  assert.equal(pair.moon.sa.phase, 'connecting');
  pair.deliver(pair.moon, genuine);
  pair.settle();
  assert.equal(pair.moon.sa.phase, 'established');
});

test('a half-open SA ends when IKE_AUTH does not come', () => {
  const pair = new Pair();
  pair.moon.initiate(pair.sun.endpoint);
  pair.deliver(pair.sun);
  pair.wire.length = 0;
  pair.moon.command({ kind: 'abandon', reason: 'test' });
  pair.wait(30_000);
  assert.equal(pair.sun.sas[0]?.phase, 'ended');
  assert.equal(pair.sun.eventsOf('ike-failed').length, 1);
});
