// I1, R1, I2, R2, message by message, with each of them lost, repeated or crossing another (RFC 7401 4.4.3).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { address, addressBytes, espSuiteOf, hitAddress } from '#sa';
import { decodeHipPacket, HipEspSuite, hipParameter, writeHipChecksum, zeroHit } from '#wire';
import type { TestKey } from './testing/identities.ts';
import { type Transit, TwoHosts, typeOf } from './testing/two-hosts.ts';

function decode({ octets, path }: Transit): ReturnType<typeof decodeHipPacket> {
  void path;
  return decodeHipPacket(withoutChecksum(octets));
}

function withoutChecksum(octets: Uint8Array): Uint8Array {
  const copy = octets.slice();
  copy.fill(0, 4, 6);
  return copy;
}

describe('a base exchange', () => {
  // RFC 7401 4.1.3, 4.4.2, 4.4.3, 5.3.3, 5.3.4, 6.8, 6.9, 6.10; RFC 7402 3.3.1, 4.1.2, 5.2.1, 6.4, 6.5, 6.6
  test('takes two round trips, and both ends have the same keys in opposite directions', () => {
    const hosts = new TwoHosts();
    const { moon, sun } = hosts;
    hosts.call();
    assert.equal(moon.state(sun.hit), 'I1-SENT');
    const types: string[] = [];
    hosts.settle((transit, type) => {
      types.push(`${transit.from} ${type}`);
      return true;
    });
    assert.deepEqual(types, ['moon I1', 'sun R1', 'moon I2', 'sun R2']);
    assert.equal(moon.state(sun.hit), 'ESTABLISHED');
    assert.equal(sun.state(moon.hit), 'R2-SENT');
    hosts.assertKeysAgree();
    const [inbound] = [...sun.inbound.values()];
    assert.equal(inbound?.selectors.local[0]?.start, hitAddress(sun.hit));
    assert.equal(inbound?.selectors.remote[0]?.start, hitAddress(moon.hit));
    // RFC 7401 table 5: data tells the Responder that R2 arrived.
    hosts.sendEsp(moon);
    assert.equal(sun.state(moon.hit), 'ESTABLISHED');
    assert.deepEqual([moon.rejections, sun.rejections], [[], []]);
  });

  const keys: readonly (readonly [TestKey, TestKey])[] = [
    ['p256-a', 'p256-b'],
    ['p384-a', 'p384-b'],
    ['rsa-a', 'rsa-b'],
    ['rsa-a', 'p384-b'],
    ['p256-a', 'rsa-b'],
  ];
  for (const [moonKey, sunKey] of keys) {
    test(`works with ${moonKey} to ${sunKey}`, () => {
      new TwoHosts({ moon: { key: moonKey }, sun: { key: sunKey } }).connect();
    });
  }

  for (const group of [3, 4, 7, 8, 9, 10, 11]) {
    test(`works in DH group ${group}`, () => {
      const configuration = { groups: [group] };
      new TwoHosts({ moon: { configuration }, sun: { configuration } }).connect();
    });
  }

  for (const [name, suite] of Object.entries(HipEspSuite)) {
    test(`agrees on ESP with ${name}`, () => {
      const configuration = { espSuites: [suite] };
      const hosts = new TwoHosts({ moon: { configuration }, sun: { configuration } }).connect();
      const [established] = hosts.moon.eventsOf('established');
      assert.deepEqual(established?.suite, espSuiteOf(suite));
    });
  }

  test('goes through UDP with a checksum of zero (RFC 9028 5.1)', () => {
    const hosts = new TwoHosts();
    const { moon, sun } = hosts;
    const path = {
      local: { address: moon.address, port: 10_500 },
      remote: { address: sun.address, port: 10_500 },
    };
    moon.give(0, {
      kind: 'command',
      command: { kind: 'associate', remote: sun.hit, path, reason: 'a test' },
    });
    hosts.settle(({ octets }) => {
      assert.deepEqual([...octets.subarray(4, 6)], [0, 0]);
      return true;
    });
    assert.equal(moon.state(sun.hit), 'ESTABLISHED');
    assert.deepEqual([...moon.outbound.values()][0]?.encapsulation, {
      localPort: 10_500,
      remotePort: 10_500,
    });
  });

  test('hides the identity of the Initiator: its HOST_ID is inside ENCRYPTED', () => {
    const hosts = new TwoHosts();
    hosts.call();
    hosts.deliver(hosts.take(hosts.moon));
    hosts.deliver(hosts.take(hosts.sun));
    const { parameters, octets } = decode(hosts.take(hosts.moon));
    assert.ok(hipParameter(parameters, 'ENCRYPTED') !== undefined);
    assert.equal(hipParameter(parameters, 'HOST_ID'), undefined);
    const identity = Buffer.from(hosts.moon.identity.identity.octets);
    assert.equal(Buffer.from(octets).indexOf(identity), -1);
  });

  // RFC 7401 4.1.8
  test('without a HIT in I1 is one with whoever answers (4.1.8)', () => {
    const hosts = new TwoHosts();
    const { moon, sun } = hosts;
    const path = { local: moon.endpoint, remote: sun.endpoint };
    moon.give(0, {
      kind: 'command',
      command: { kind: 'associate', remote: zeroHit, path, reason: 'a test' },
    });
    hosts.settle();
    assert.equal(moon.state(sun.hit), 'ESTABLISHED');
    assert.equal(moon.host.status().length, 1);
    hosts.assertKeysAgree();
  });

  // RFC 7401 4.1.5
  test('with a stranger is refused, after it has proven who it is and before any SA is made', () => {
    const hosts = new TwoHosts({ sun: { configuration: { peers: [] } } });
    hosts.call();
    hosts.settle();
    assert.deepEqual(hosts.sun.rejections, ['I2 not-configured']);
    assert.equal(hosts.sun.inbound.size + hosts.sun.spis.size, 0);
  });
});

describe('what is lost', () => {
  for (const lost of ['I1', 'R1', 'I2', 'R2']) {
    test(`${lost} is made up for by repetition`, () => {
      const hosts = new TwoHosts();
      let count = 0;
      hosts.call();
      hosts.wait(10_000, (_, type) => type !== lost || count++ > 1);
      assert.ok(count >= 2);
      assert.equal(hosts.moon.state(hosts.sun.hit), 'ESTABLISHED');
      hosts.assertKeysAgree();
      assert.equal(hosts.sun.inbound.size, 1);
    });
  }

  // RFC 7401 6.6
  test('an exchange that nobody answers fails, and may be tried again a while later', () => {
    const hosts = new TwoHosts();
    const { moon, sun } = hosts;
    hosts.call();
    let sent = 0;
    hosts.wait(64_000, () => sent++ < 0);
    assert.equal(sent, 6);
    assert.equal(moon.state(sun.hit), 'E-FAILED');
    hosts.call();
    assert.equal(moon.state(sun.hit), 'E-FAILED');
    hosts.wait(5_000);
    assert.equal(moon.state(sun.hit), 'UNASSOCIATED');
    assert.equal(moon.host.status().length, 0);
    hosts.call();
    hosts.settle();
    assert.equal(moon.state(sun.hit), 'ESTABLISHED');
  });

  // RFC 7401 4.1.4
  test('a repeated I2 gets the same R2 and changes nothing; one that comes later is an old one', () => {
    const hosts = new TwoHosts();
    const { moon, sun } = hosts;
    hosts.call();
    let i2: Transit | undefined;
    let r2: Transit | undefined;
    hosts.settle((transit, type) => {
      if (type === 'I2') i2 = transit;
      if (type === 'R2') r2 = transit;
      return true;
    });
    const before = [...sun.inbound.keys()];
    hosts.deliver(i2!);
    assert.deepEqual(hosts.take(sun).octets, r2!.octets);
    hosts.sendEsp(moon);
    assert.equal(sun.state(moon.hit), 'ESTABLISHED');
    hosts.deliver(i2!);
    assert.deepEqual(sun.rejections, ['I2 repeated']);
    assert.equal(sun.sent.length, 0);
    assert.deepEqual([...sun.inbound.keys()], before);
    // After the lifetime of its puzzle it is refused for its age.
    hosts.wait(70_000);
    hosts.deliver(i2!);
    assert.equal(sun.rejections.at(-1), 'I2 stale-puzzle');
  });
});

describe('both call at once', () => {
  for (const moonIsGreater of [true, false]) {
    test(`and one exchange is made, by the host with the ${moonIsGreater ? 'smaller' : 'greater'} HIT being sun`, () => {
      const hosts = TwoHosts.ofOrder(moonIsGreater);
      const { moon, sun } = hosts;
      hosts.call(moon);
      hosts.call(sun);
      hosts.wait(5_000);
      assert.equal(moon.inbound.size, 1);
      assert.equal(sun.inbound.size, 1);
      hosts.assertKeysAgree();
      // RFC 7401 table 3: the greater HIT answers I1, the smaller drops it.
      const greater = moonIsGreater ? moon : sun;
      assert.equal(greater.eventsOf('established')[0]?.role, 'responder');
      assert.deepEqual(hosts.other(greater).rejections.slice(0, 1), ['I1 smaller-hit']);
    });
  }

  test('I2 crosses I2: that of the smaller HIT goes on', () => {
    const hosts = TwoHosts.ofOrder(true);
    const { moon, sun } = hosts;
    // sun's I1 arrives before sun's call is known to moon and the other way round: both answer with R1.
    hosts.call(moon);
    const i1 = hosts.take(moon);
    hosts.deliver(i1);
    const r1 = hosts.take(sun);
    hosts.call(sun);
    hosts.deliver(hosts.take(sun));
    const r1OfMoon = hosts.take(moon);
    hosts.deliver(r1);
    hosts.deliver(r1OfMoon);
    assert.equal(moon.state(sun.hit), 'I2-SENT');
    assert.equal(sun.state(moon.hit), 'I2-SENT');
    hosts.settle();
    assert.deepEqual(sun.rejections, ['I2 smaller-hit']);
    assert.equal(moon.state(sun.hit), 'R2-SENT');
    assert.equal(sun.state(moon.hit), 'ESTABLISHED');
    hosts.assertKeysAgree();
    assert.equal(moon.spis.size, 1);
  });
});

describe('a peer that lost its state', () => {
  test('is called beside what stands once a check has been repeated in vain, and not sooner', () => {
    const hosts = new TwoHosts().connect();
    const { moon, sun } = hosts;
    hosts.sendEsp(moon);
    const before = [...moon.inbound.keys()];
    const check = { kind: 'check', local: moon.hit, remote: sun.hit, reason: 'a hint' } as const;
    sun.crash(hosts.now);
    moon.give(hosts.now, { kind: 'command', command: check });
    hosts.wait(150);
    assert.deepEqual([...moon.inbound.keys()], before);
    hosts.wait(400);
    assert.notDeepEqual([...moon.inbound.keys()], before);
    hosts.assertKeysAgree();
  });

  test('is not called any more when it answers after all', () => {
    const hosts = new TwoHosts().connect();
    const { moon, sun } = hosts;
    hosts.sendEsp(moon);
    const before = [...moon.inbound.keys()];
    const check = { kind: 'check', local: moon.hit, remote: sun.hit, reason: 'a hint' } as const;
    moon.give(hosts.now, { kind: 'command', command: check });
    // Neither UPDATE nor I1 arrives for a while.
    hosts.wait(1_000, (transit) => transit.from !== 'moon');
    assert.equal(moon.host.status()[0]?.attempt, 'I1-SENT');
    hosts.wait(3_000, (_, type) => type !== 'R1');
    assert.equal(moon.host.status()[0]?.attempt, undefined);
    hosts.wait(60_000);
    assert.deepEqual([...moon.inbound.keys()], before);
  });

  // RFC 7401 4.5.4, 6.16
  test('answers I1 without any change, and replaces the association only by a valid I2 (4.5.4)', () => {
    const hosts = new TwoHosts().connect();
    const { moon, sun } = hosts;
    const before = [...sun.inbound.keys()];
    moon.crash(hosts.now);
    hosts.call();
    hosts.deliver(hosts.take(moon));
    assert.deepEqual([...sun.inbound.keys()], before);
    hosts.settle();
    assert.equal(sun.inbound.size, 1);
    assert.notDeepEqual([...sun.inbound.keys()], before);
    assert.equal(sun.eventsOf('established').at(-1)?.replaced, true);
    hosts.assertKeysAgree();
  });

  test('is found by an UPDATE that it does not answer: I1 goes out beside what stands, which goes at R2', () => {
    const hosts = new TwoHosts().connect();
    const { moon, sun } = hosts;
    hosts.sendEsp(moon);
    const before = [...moon.inbound.keys()];
    sun.crash(hosts.now);
    moon.give(hosts.now, {
      kind: 'command',
      command: { kind: 'check', local: moon.hit, remote: sun.hit, reason: 'a hint' },
    });
    hosts.wait(31_000, (_, type) => type !== 'I1');
    assert.deepEqual([...moon.inbound.keys()], before);
    assert.deepEqual(sun.problems[0]?.pointer, 8);
    hosts.wait(65_000);
    assert.equal(moon.state(sun.hit), 'ESTABLISHED');
    assert.notDeepEqual([...moon.inbound.keys()], before);
    hosts.assertKeysAgree();
  });
});

// RFC 7401 A
test('an exchange that stays under way costs the Responder nothing: a thousand I1 leave no state', () => {
  const hosts = new TwoHosts();
  hosts.call();
  const i1 = hosts.take(hosts.moon);
  for (let i = 0; i < 1000; i++) {
    hosts.now += 1;
    hosts.deliver(i1);
  }
  assert.equal(hosts.sun.host.status().length, 0);
  // RFC 7401 6.7: at most so many R1 in a second, and one second's worth at first.
  assert.ok(hosts.sun.sent.length <= 17, `${hosts.sun.sent.length} R1`);
  assert.ok(hosts.sun.sent.every((transit) => typeOf(transit) === 'R1'));
  const harder = decode(hosts.sun.sent.at(-1)!);
  assert.ok(hipParameter(harder.parameters, 'PUZZLE')!.difficulty > 4);
});

test('a flood of I2 whose puzzle was never set makes the puzzles of others harder, for as long as it lasts', () => {
  const hosts = new TwoHosts();
  const { moon, sun } = hosts;
  const difficultyNow = (): number => {
    moon.crash(hosts.now);
    hosts.call();
    hosts.deliver(hosts.take(moon));
    return hipParameter(decode(hosts.take(sun)).parameters, 'PUZZLE')!.difficulty;
  };
  hosts.call();
  hosts.deliver(hosts.take(moon));
  hosts.deliver(hosts.take(sun));
  const i2 = hosts.take(moon);
  const elsewhere = { ...i2.path, local: { ...i2.path.local, address: address('203.0.113.9') } };
  const calm = difficultyNow();
  const octets = i2.octets.slice();
  writeHipChecksum(octets, {
    source: addressBytes(elsewhere.local.address),
    destination: addressBytes(elsewhere.remote.address),
  });
  for (let i = 0; i < 5_000; i++) {
    hosts.now += 0.2;
    hosts.deliver({ ...i2, path: elsewhere, octets });
  }
  assert.ok(sun.rejections.every((rejection) => rejection === 'I2 stale-puzzle'));
  assert.ok(difficultyNow() > calm);
  hosts.now += 60_000;
  assert.equal(difficultyNow(), calm);
});
