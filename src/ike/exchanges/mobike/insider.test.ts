// MOBIKE before a peer that has the keys and says what it likes (RFC 4555 3.5 to 3.9).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address, addressBytes, type IpAddress } from '#sa';
import { NotifyType, type Payload } from '#wire';
import { cookie2 } from '../../payloads/cookie2.ts';
import { natDetectionHash } from '../../payloads/nat-detection.ts';
import { noNatsAllowed } from '../../payloads/no-nats-allowed.ts';
import { notify } from '../../payloads/notify.ts';
import { addresses, connection } from '../../testing/connections.ts';
import { type Insider, insider } from '../../testing/insider.ts';
import { Pair } from '../../testing/pair.ts';

const elsewhere = { address: address('198.51.100.9'), port: 4500 };
const update = notify(NotifyType.UPDATE_SA_ADDRESSES);

/** moon's keys, before a sun that agreed on MOBIKE. */
function mobileInsider(): Insider {
  const change = { mobike: true };
  const pair = new Pair({
    moon: { connections: [connection('moon', change)] },
    sun: { connections: [connection('sun', change)] },
  });
  const one = insider(true, pair);
  one.from = { ...pair.moon.endpoint, port: 4500 };
  return one;
}

function types(payloads: readonly Payload[]): number[] {
  return payloads.flatMap((payload) => (payload.type === 'N' ? [payload.notifyType] : []));
}

function ledTo({ pair }: Insider): ReadonlySet<IpAddress> {
  return new Set([...pair.sun.installed.values()].map(({ remote }) => remote));
}

// RFC 4555 3.7, 4.2.5
test('COOKIE2 comes back from any INFORMATIONAL request, beside whatever else the answer has', () => {
  const one = mobileInsider();
  const value = Uint8Array.from({ length: 64 }, (_, i) => i);
  one.send([cookie2(value)]);
  const [returned, ...more] = one.answer();
  assert.deepEqual(returned?.type === 'N' && [...returned.data], [...value]);
  assert.deepEqual(more, []);
  one.send([cookie2(new Uint8Array(65))]);
  assert.deepEqual(one.answer(), []);
});

// RFC 4555 3.7: the IKE_SA MUST be closed.
test('an answer with another COOKIE2, or none, ends the IKE SA', () => {
  for (const answer of [[], [cookie2(new Uint8Array(16))]]) {
    const one = mobileInsider();
    one.from = elsewhere;
    one.send([update]);
    assert.ok(one.respond(answer));
    assert.equal(one.pair.sun.sa.phase, 'ended');
    assert.match(one.pair.sun.eventsOf('ike-ended')[0]?.failure.detail ?? '', /COOKIE2/);
    assert.equal(one.pair.sun.eventsOf('path-checked').length, 0);
  }
});

// RFC 4555 3.7, 5.3: who has not seen the request does not know the COOKIE2, and may say anything else.
test('a refusal is no answer to a check', () => {
  const refusals = [NotifyType.NO_PROPOSAL_CHOSEN, NotifyType.UNACCEPTABLE_ADDRESSES].map((type) =>
    notify(type),
  );
  for (const refusal of refusals) {
    const one = mobileInsider();
    one.from = elsewhere;
    one.send([update]);
    assert.ok(one.respond([refusal]));
    assert.ok(
      !one.pair.sun.commands.some(
        (command) => command.kind === 'update-addresses' && command.remote.address === elsewhere.address,
      ),
    );
    assert.equal(one.pair.sun.sa.phase, 'ended');
  }
});

// RFC 4555 3.8
test('whoever asks where it is seen is told, and nothing else comes of it', () => {
  const one = mobileInsider();
  const { initiatorSpi, responderSpi } = one.pair.sun.sa;
  one.from = elsewhere;
  const question = [
    notify(NotifyType.NAT_DETECTION_SOURCE_IP, new Uint8Array(20)),
    notify(NotifyType.NAT_DETECTION_DESTINATION_IP, new Uint8Array(20)),
  ];
  one.send(question);
  const answer = one.answer();
  assert.deepEqual(types(answer), [
    NotifyType.NAT_DETECTION_SOURCE_IP,
    NotifyType.NAT_DETECTION_DESTINATION_IP,
  ]);
  const seen = answer[1];
  assert.ok(seen?.type === 'N');
  assert.deepEqual(seen.data, natDetectionHash({ initiatorSpi, responderSpi }, elsewhere));
  assert.equal(one.pair.sun.sa.remote.address, addresses.moon);
  one.send(question.slice(0, 1));
  assert.deepEqual(one.answer(), []);
});

// RFC 4555 3.9, 4.1.2
test('an address that a NAT changed is refused where there must be none, and moves nothing', () => {
  const one = mobileInsider();
  const local = one.pair.sun.endpoint;
  const said = noNatsAllowed({ address: addresses.moon, port: 4500 }, local);
  one.from = elsewhere;
  for (const request of [[update], [notify(NotifyType.NO_ADDITIONAL_ADDRESSES)]]) {
    one.send([...request, said, cookie2(new Uint8Array(8))]);
    assert.deepEqual(types(one.answer()), [NotifyType.UNEXPECTED_NAT_DETECTED, NotifyType.COOKIE2]);
    assert.equal(one.pair.sun.sa.remote.address, addresses.moon);
  }
  one.send([update, noNatsAllowed(elsewhere, local)]);
  assert.deepEqual(types(one.answer()), []);
  assert.equal(one.pair.sun.sa.remote.address, elsewhere.address);
});

// RFC 4555 3.5
test('an older update that comes behind a newer one is answered, and not followed', () => {
  const change = { mobike: true, windowSize: 4 };
  const pair = new Pair({
    moon: { connections: [connection('moon', change)] },
    sun: { connections: [connection('sun', change)] },
  });
  const one = insider(true, pair);
  one.from = elsewhere;
  one.send([update], undefined, 3);
  assert.deepEqual(types(one.answer()), []);
  one.from = { address: address('203.0.113.5'), port: 4500 };
  one.send([update], undefined, 2);
  assert.equal(pair.sun.sa.remote.address, elsewhere.address);
});

// RFC 4555 3.4, 3.6, 4.2.2
test('a gateway keeps the addresses of a client, and tries them only once its own is gone and no answer comes', () => {
  const one = mobileInsider();
  const { pair } = one;
  one.send([notify(NotifyType.ADDITIONAL_IP4_ADDRESS, addressBytes(elsewhere.address))]);
  assert.deepEqual(types(one.answer()), []);
  assert.deepEqual(pair.sun.sa.mobility?.peerAddresses, [elsewhere.address]);
  const places = (): Set<IpAddress> => {
    const all = new Set<IpAddress>();
    while (pair.sun.sa.phase === 'established' && !all.has(elsewhere.address)) {
      pair.wire.length = 0;
      pair.wait(250);
      for (const { destination } of pair.wire) all.add(destination.address);
    }
    return all;
  };
  pair.sun.command({ kind: 'move', local: address('192.0.2.22') });
  pair.collect();
  assert.deepEqual(places(), new Set([addresses.moon, elsewhere.address]));
  assert.deepEqual(ledTo(one), new Set([addresses.moon]));
  assert.ok(one.respond([]));
  pair.wire.length = 0;
  pair.sun.command({ kind: 'check-liveness', reason: 'a test' });
  assert.deepEqual(places(), new Set([addresses.moon]));
});

// RFC 4555 3.6
test('the newest list counts, and one that names too many, or nobody, is kept as far as it goes', () => {
  const one = mobileInsider();
  const list = Array.from({ length: 20 }, (_, i) =>
    notify(NotifyType.ADDITIONAL_IP4_ADDRESS, Uint8Array.of(198, 51, 100, i)),
  );
  one.send([notify(NotifyType.ADDITIONAL_IP4_ADDRESS, Uint8Array.of(224, 0, 0, 1)), ...list]);
  assert.equal(one.pair.sun.sa.mobility?.peerAddresses.length, 8);
  one.send([notify(NotifyType.NO_ADDITIONAL_ADDRESSES)]);
  assert.deepEqual(one.pair.sun.sa.mobility?.peerAddresses, []);
});

// RFC 4555 3.5, 4.1.1
test('where no single host can be is not accepted', () => {
  for (const nowhere of ['224.0.0.1', '255.255.255.255', addresses.sun]) {
    const one = mobileInsider();
    one.from = { address: address(nowhere), port: 4500 };
    one.send([update, cookie2(new Uint8Array(8))]);
    assert.deepEqual(types(one.answer()), [NotifyType.UNACCEPTABLE_ADDRESSES, NotifyType.COOKIE2]);
    assert.deepEqual(ledTo(one), new Set([addresses.moon]));
  }
});

// RFC 4555 3.7
test('a peer that answers from where it was, and says to be elsewhere, stays where it was', () => {
  const one = mobileInsider();
  const { pair } = one;
  one.from = elsewhere;
  one.send([update]);
  one.answer();
  assert.equal(pair.sun.sa.remote.address, elsewhere.address);
  // It never gets what goes to `elsewhere`, and so cannot know the COOKIE2 before the check falls back to its old address.
  let checks = 0;
  for (let i = 0; i < 200 && pair.sun.sa.remote.address === elsewhere.address; i++) {
    pair.wait(250);
    checks += pair.wire.filter(({ destination }) => destination.address === elsewhere.address).length;
    const reached = pair.wire.some(({ to }) => to === pair.moon);
    if (reached && pair.wire.some(({ destination }) => destination.address !== elsewhere.address))
      answerCheck(one);
    else pair.wire.length = 0;
  }
  assert.equal(pair.sun.sa.remote.address, addresses.moon);
  assert.equal(pair.sun.sa.phase, 'established');
  assert.deepEqual(ledTo(one), new Set([addresses.moon]));
  assert.ok(checks <= 16, `${checks} messages to somebody else`);
});

// RFC 4555 3.5
test('a peer that says to be elsewhere and back again, without end, moves no SA and costs the data plane nothing', () => {
  const one = mobileInsider();
  const { pair } = one;
  const home = one.from;
  // It talks to port 500 of sun, where it was not before.
  one.send([update]);
  const before = pair.sun.commands.length;
  for (let i = 0; i < 5; i++) {
    for (const from of [elsewhere, home]) {
      one.from = from;
      one.send([update]);
      pair.wire.length = 0;
    }
  }
  assert.equal(pair.sun.sa.remote.address, addresses.moon);
  assert.deepEqual(pair.sun.commands.slice(before), []);
});

/** Reads the COOKIE2 of a check, and returns it. */
function answerCheck(one: Insider): void {
  const { pair } = one;
  const kept = [...pair.wire];
  const cookie = one.answer().find((payload) => payload.type === 'N');
  pair.wire.splice(0, pair.wire.length, ...kept);
  assert.ok(cookie?.type === 'N');
  one.respond([cookie2(cookie.data.slice())]);
  pair.wire.length = 0;
}
