// A NAT in front of the Initiator that gives it another port or address, of which neither host is told (RFC 7401 4.1.4, 6.8 8).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { verifyHipSignature } from '#crypto';
import { address, type Endpoint, type Spi } from '#sa';
import { HipPacketType, hipParameterOctets, writeHipChecksum } from '#wire';
import { hipDefaults } from './configuration.ts';
import { addressesOf } from './host-state.ts';
import { BehindNat, before } from './testing/behind-nat.ts';
import { decodeTransit, type Transit, TwoHosts } from './testing/two-hosts.ts';

const { baseMs } = hipDefaults.retransmission;

const changes: readonly (readonly [string, Endpoint])[] = [
  ['port', { ...before, port: 40_002 }],
  ['address', { address: address('203.0.113.2'), port: 40_001 }],
];

for (const [what, after] of changes)
  describe(`a NAT that changes the ${what}`, () => {
    for (const type of ['R1', 'I2', 'R2'] as const)
      test(`while ${type} is on its way does not end the exchange`, () => {
        const hosts = new BehindNat().callInUdp();
        const { moon, sun } = hosts;
        hosts.wait(2 * baseMs, (_, sent) => {
          if (sent === type) hosts.outside = after;
          return true;
        });
        assert.equal(moon.state(sun.hit), 'ESTABLISHED');
        // Whoever repeats an I2 has proven nothing of where he is.
        assert.equal(sun.eventsOf('established').length, type === 'R2' ? 2 : 1);
        assert.deepEqual([moon.spis.size, sun.spis.size], [1, 1]);
        assert.deepEqual(hosts.wayToMoon, after);
        assert.deepEqual(hosts.espToMoon, after);
        hosts.assertKeysAgree();
      });
  });

/** An association that stands, with moon behind the NAT. */
function standing(): BehindNat {
  const hosts = new BehindNat().callInUdp();
  hosts.settle();
  assert.equal(hosts.moon.state(hosts.sun.hit), 'ESTABLISHED');
  return hosts;
}

function check({ moon, sun, now }: BehindNat): void {
  const command = { kind: 'check', local: moon.hit, remote: sun.hit, reason: 'a test' } as const;
  moon.give(now, { kind: 'command', command });
}

/** ESP of moon has come to sun from there. */
function espFrom({ sun, now }: BehindNat, remote: Endpoint): void {
  const [sa] = sun.inbound.values();
  assert.ok(sa !== undefined);
  const { spi, childId } = sa;
  const event = { kind: 'mapping-changed', protocol: 'esp', spi: spi as Spi, childId, remote } as const;
  sun.give(now, { kind: 'data-plane', event });
}

for (const [what, after] of changes)
  describe(`a NAT that changes the ${what} of a peer with which an association stands`, () => {
    // RFC 9028 4.10, RFC 8046 5.4
    for (const [by, say] of [
      ['an UPDATE', check],
      ['data', (hosts: BehindNat) => espFrom(hosts, after)],
    ] as const)
      test(`is followed when ${by} came from there and the peer has answered from there`, () => {
        const hosts = standing();
        const { moon, sun } = hosts;
        hosts.outside = after;
        say(hosts);
        assert.deepEqual(hosts.wayToMoon, before);
        hosts.settle();
        assert.deepEqual(hosts.wayToMoon, after);
        assert.deepEqual(hosts.espToMoon, after);
        assert.deepEqual(
          sun.eventsOf('moved').map(({ from, to }) => [from, to]),
          [[before, after]],
        );
        assert.deepEqual([sun.unverified.size, sun.host.status()[0]?.locators], [0, undefined]);
        // And on it goes by the new way, in both directions.
        hosts.wait(1_000);
        check(hosts);
        hosts.settle();
        assert.deepEqual([moon.eventsOf('alive').length > 0, sun.rejections], [true, []]);
      });

    test('is not followed to where the peer does not answer, however long', () => {
      const hosts = standing();
      const { moon, sun } = hosts;
      espFrom(hosts, after);
      espFrom(hosts, after);
      let asked = 0;
      hosts.wait(600_000, ({ path: { remote } }) => {
        if (remote.port === after.port && remote.address === after.address) asked++;
        return true;
      });
      assert.ok(asked > 0 && asked <= hipDefaults.retransmission.tries + 1, `${asked} packets`);
      assert.deepEqual(hosts.wayToMoon, before);
      assert.equal(sun.state(moon.hit), 'ESTABLISHED');
    });
  });

// RFC 8046 5.3: where the UPDATE comes from may be used although LOCATOR_SET does not list it.
test('a peer that moves behind a NAT to another one is found at its new address and port, neither of which it knows', () => {
  const hosts = standing();
  const { moon, sun, now } = hosts;
  hosts.outside = { address: address('198.51.100.7'), port: 50_123 };
  const [from, to] = [moon.address, address('10.0.0.2')];
  moon.address = to;
  moon.give(now, { kind: 'command', command: { kind: 'move', from, to } });
  hosts.wait(5_000);
  assert.deepEqual(hosts.wayToMoon, hosts.outside);
  assert.deepEqual(hosts.espToMoon, hosts.outside);
  assert.equal(sun.unverified.size, 0);
  assert.deepEqual([moon.eventsOf('silent'), sun.eventsOf('silent')], [[], []]);
});

test('whoever has recorded an UPDATE leads nothing to where he sends it from, and is asked nothing', () => {
  const hosts = standing();
  const { moon, sun } = hosts;
  check(hosts);
  const [update] = moon.sent;
  hosts.settle();
  const recorded = update!.octets.slice();
  const path = { local: { ...sun.endpoint, port: 10_500 }, remote: changes[0]![1] };
  sun.give(hosts.now, { kind: 'packet', path, octets: recorded });
  // Its own answer, and no question.
  assert.equal(sun.sent.length, 1);
  assert.ok(sun.sent[0]!.octets.length <= recorded.length);
  hosts.wait(10_000);
  assert.deepEqual(hosts.wayToMoon, before);
});

test('what arrives at another of our addresses says nothing of how the NAT shows the peer to this one', () => {
  for (const [elsewhere, questions] of [
    [false, 1],
    [true, 0],
  ] as const) {
    const hosts = standing();
    const { moon, sun } = hosts;
    const other = address('192.0.2.77');
    sun.further.add(other);
    check(hosts);
    const [update] = moon.sent;
    const local = { address: elsewhere ? other : sun.address, port: 10_500 };
    sun.give(hosts.now, { kind: 'packet', path: { local, remote: changes[0]![1] }, octets: update!.octets });
    assert.equal(sun.sent.length, 1 + questions);
  }
});

test('nobody is asked at a HIT, which is no place', () => {
  for (const [place, questions] of [
    ['2001:db8::7', 1],
    ['2001:20::7', 0],
  ] as const) {
    const hosts = new BehindNat();
    const { moon, sun } = hosts;
    [moon.address, sun.address] = [address('2001:db8::1'), address('2001:db8::2')];
    hosts.outside = { address: address('2001:db8::9'), port: 40_001 };
    hosts.callInUdp();
    hosts.settle();
    espFrom(hosts, { address: address(place), port: 40_002 });
    assert.equal(sun.sent.length, questions);
  }
});

// RFC 9028 4.10, 5.3
test('in UDP a NOTIFY goes out when nothing else has for 15 seconds, and says nothing to anybody', () => {
  const hosts = standing();
  const { moon, sun } = hosts;
  hosts.sendEsp(moon);
  const sent: string[] = [];
  hosts.wait(61_000, ({ from, octets }) => {
    sent.push(`${from} ${octets[2] === HipPacketType.NOTIFY ? 'NOTIFY' : octets[2]}`);
    return true;
  });
  for (const { name } of [moon, sun]) assert.equal(sent.filter((one) => one === `${name} NOTIFY`).length, 4);
  assert.equal(sent.length, 8);
  for (const host of [moon, sun]) assert.deepEqual([host.eventsOf('notified'), host.rejections], [[], []]);
  // Whoever has data to send needs none.
  const [childId] = moon.using.keys();
  for (let i = 0; i < 6; i++) {
    moon.give(hosts.now, { kind: 'traffic', childId: childId!, lastOutboundAt: hosts.now });
    hosts.wait(10_000, ({ from }) => {
      assert.notEqual(from, 'moon');
      return true;
    });
  }
});

/** Where keepalives of sun go to, with the state that it is in, when they are due at once. */
function keepalivesOfSun(
  hosts: BehindNat,
  durationMs: number,
  lost: (transit: Transit) => boolean,
): Set<string> {
  const told = new Set<string>();
  hosts.wait(durationMs, (transit) => {
    const { from, path, octets } = transit;
    if (from === 'sun' && octets[2] === HipPacketType.NOTIFY)
      told.add(`${hosts.sun.state(hosts.moon.hit)} ${path.remote.address}`);
    return !lost(transit);
  });
  return told;
}

const restless = { sun: { configuration: { keepaliveMs: 100 } } };

// RFC 7401 5.3.6
test('the NOTIFY of a keepalive is signed', () => {
  const hosts = new BehindNat(restless).callInUdp();
  hosts.settle();
  hosts.sendEsp(hosts.moon);
  const signed = new Set<boolean>();
  hosts.wait(1_000, (transit) => {
    if (transit.octets[2] === HipPacketType.NOTIFY)
      signed.add(verifyHipSignature(decodeTransit(transit), hosts.sun.identity.identity));
    return true;
  });
  assert.deepEqual(signed, new Set([true]));
});

test('none goes out before the association stands, and none to where a peer has yet to answer', () => {
  const hosts = new BehindNat(restless).callInUdp();
  hosts.settle();
  assert.equal(hosts.sun.state(hosts.moon.hit), 'R2-SENT');
  assert.deepEqual(
    keepalivesOfSun(hosts, 1_000, () => false),
    new Set(),
  );
  hosts.sendEsp(hosts.moon);
  assert.deepEqual(
    keepalivesOfSun(hosts, 1_000, () => false),
    new Set([`ESTABLISHED ${before.address}`]),
  );
  const { moon, now } = hosts;
  hosts.outside = { address: address('198.51.100.7'), port: 50_123 };
  const [from, to] = [moon.address, address('10.0.0.2')];
  moon.address = to;
  moon.give(now, { kind: 'command', command: { kind: 'move', from, to } });
  assert.deepEqual(
    keepalivesOfSun(hosts, 1_000, ({ from: sender }) => sender === 'sun'),
    new Set([`ESTABLISHED ${before.address}`]),
  );
});

test('right in IP no NOTIFY goes out, and a keepalive is no use of an association', () => {
  const hosts = new TwoHosts().connect();
  hosts.wait(60_000, () => assert.fail('nothing has to be said'));
  const inUdp = standing();
  inUdp.wait(hipDefaults.unusedMs + 1_000);
  assert.equal(inUdp.moon.eventsOf('ended')[0]?.cause, 'unused');
});

// RFC 7401 5.2.15: HIP_SIGNATURE_2 covers neither Opaque, behind two octets of PUZZLE, nor #I, its end.
for (const [what, at] of [
  ['Opaque', 6],
  ['#I', -1],
] as const)
  test(`an R1 whose ${what} somebody has made up costs one repetition, not the exchange`, () => {
    const hosts = new TwoHosts();
    const { moon, sun } = hosts;
    hosts.call();
    hosts.deliver(hosts.take(moon));
    const r1 = hosts.take(sun);
    const { octets, path } = r1;
    const forged = octets.slice();
    const puzzle = hipParameterOctets(forged, 'PUZZLE')!;
    puzzle[(at + puzzle.length) % puzzle.length]! ^= 1;
    writeHipChecksum(forged, addressesOf(path.local.address, path.remote.address));
    hosts.deliver({ ...r1, octets: forged });
    hosts.deliver(r1);
    hosts.settle();
    assert.deepEqual([moon.rejections, sun.rejections], [['R1 repeated'], ['I2 stale-puzzle']]);
    hosts.wait(baseMs);
    assert.equal(moon.state(sun.hit), 'ESTABLISHED');
    assert.equal(moon.spis.size, 1);
    hosts.assertKeysAgree();
  });
