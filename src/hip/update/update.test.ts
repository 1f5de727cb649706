// Rekeying, liveness and moves by UPDATE, with every crossing (RFC 7401 6.11, 6.12, RFC 7402 6.8 to 6.10, RFC 8046 3).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { address, replacedLingerMs } from '#sa';
import { decodeHipPacket, hipParameter, writeHipChecksum } from '#wire';
import { addressesOf } from '../host-state.ts';
import { spiGroups } from '../testing/test-host.ts';
import { type TestHost, type Transit, TwoHosts } from '../testing/two-hosts.ts';

function rekey(hosts: TwoHosts, host: TestHost): void {
  const remote = hosts.other(host).hit;
  host.give(hosts.now, { kind: 'command', command: { kind: 'rekey', local: host.hit, remote } });
}

function check(hosts: TwoHosts, host: TestHost): void {
  const remote = hosts.other(host).hit;
  host.give(hosts.now, {
    kind: 'command',
    command: { kind: 'check', local: host.hit, remote, reason: 'a test' },
  });
}

/** One pair on each side, with keys that fit, and nothing reserved besides. */
function assertOnePair(hosts: TwoHosts): void {
  hosts.assertKeysAgree();
  for (const host of [hosts.moon, hosts.sun]) {
    assert.equal(host.inbound.size, 1, `${host.name} has ${host.inbound.size} inbound SAs`);
    assert.equal(host.outbound.size, 1);
    assert.deepEqual([...host.spis], [...host.inbound.keys()]);
  }
}

describe('a rekeying', () => {
  // RFC 7401 4.2; RFC 7402 3.2.1, 3.3.2, 3.3.3, 3.3.4, 4.1.3, 5.3.1, 5.3.2, 6.8, 6.9, 6.9.1, 6.10
  test('takes three UPDATE packets, and the old SAs go when traffic comes by the new ones', () => {
    const hosts = new TwoHosts().connect();
    const { moon, sun } = hosts;
    const before = [...moon.inbound.keys()];
    rekey(hosts, moon);
    const types: string[] = [];
    hosts.settle((transit, type) => {
      types.push(`${transit.from} ${type}`);
      return true;
    });
    assert.deepEqual(types, ['moon UPDATE', 'sun UPDATE', 'moon UPDATE']);
    assert.equal(moon.inbound.size, 2);
    hosts.sendEsp(moon);
    hosts.sendEsp(sun);
    assertOnePair(hosts);
    assert.notDeepEqual([...moon.inbound.keys()], before);
    // What was sent before is still on its way.
    assert.deepEqual(
      [...moon.lingering],
      before.map((spi) => [spi, replacedLingerMs]),
    );
    assert.equal(moon.eventsOf('rekeyed').length + sun.eventsOf('rekeyed').length, 2);
  });

  test('may be repeated until KEYMAT would be at its end many times over', () => {
    const hosts = new TwoHosts().connect();
    for (let i = 0; i < 150; i++) {
      hosts.now += 1000;
      rekey(hosts, i % 2 === 0 ? hosts.moon : hosts.sun);
      hosts.settle();
      hosts.sendEsp(hosts.moon);
      hosts.sendEsp(hosts.sun);
      assertOnePair(hosts);
    }
    assert.equal(hosts.moon.eventsOf('rekeyed').length, 150);
  });

  test('keeps the inbound SAs in their group of SPIs, whoever begins it', () => {
    const hosts = new TwoHosts().connect();
    const groups = () =>
      [hosts.moon, hosts.sun].map(({ inbound }) => [...inbound.keys()].map((spi) => spi % spiGroups));
    const before = groups();
    for (const host of [hosts.moon, hosts.sun, hosts.moon]) {
      rekey(hosts, host);
      hosts.settle();
      assertOnePairAfterTraffic(hosts);
      assert.deepEqual(groups(), before);
    }
  });

  test('of both at once makes one new pair (6.9, 6.10)', () => {
    const hosts = new TwoHosts().connect();
    rekey(hosts, hosts.moon);
    rekey(hosts, hosts.sun);
    hosts.settle();
    hosts.sendEsp(hosts.moon);
    hosts.sendEsp(hosts.sun);
    assertOnePair(hosts);
    assert.equal(hosts.moon.eventsOf('rekeyed').length, 1);
    assert.equal(hosts.sun.eventsOf('rekeyed').length, 1);
  });

  test('lets the peer use the new SA before our acknowledgement has come', () => {
    const hosts = new TwoHosts().connect();
    const { moon, sun } = hosts;
    rekey(hosts, moon);
    hosts.deliver(hosts.take(moon));
    hosts.deliver(hosts.take(sun));
    // moon sends by the new SA from now on; its last UPDATE is still on its way.
    const [spi] = [...moon.using.values()];
    assert.ok(sun.inbound.has(spi!));
    assert.notEqual([...sun.using.values()][0], [...moon.inbound.keys()][1]);
    hosts.settle();
    hosts.assertKeysAgree();
  });

  for (const begins of ['moon', 'sun'] as const)
    test(`that ${begins} has begun is not half forgotten while it repeats its half, however long that is`, () => {
      const configuration = { retransmission: { baseMs: 2_000, tries: 5 } };
      const hosts = new TwoHosts({ moon: { configuration }, sun: { configuration } }).connect();
      hosts.sendEsp(hosts.moon);
      rekey(hosts, hosts[begins]);
      hosts.wait(31_500, () => false);
      hosts.wait(1_000);
      hosts.assertKeysAgree();
      hosts.wait(200_000);
      assertOnePairAfterTraffic(hosts);
    });

  for (const lost of [0, 1, 2]) {
    test(`survives the loss of its packet ${lost + 1}`, () => {
      const hosts = new TwoHosts().connect();
      rekey(hosts, hosts.moon);
      let count = 0;
      hosts.wait(20_000, () => count++ !== lost);
      hosts.sendEsp(hosts.moon);
      hosts.sendEsp(hosts.sun);
      assertOnePair(hosts);
    });
  }

  test('is due after the configured time', () => {
    const configuration = { rekeyMs: 60_000, unusedMs: 10_000_000 };
    const hosts = new TwoHosts({ moon: { configuration } }).connect();
    hosts.wait(61_000);
    assert.equal(hosts.moon.eventsOf('rekeyed').length, 1);
    assertOnePairAfterTraffic(hosts);
  });
});

function assertOnePairAfterTraffic(hosts: TwoHosts): void {
  hosts.sendEsp(hosts.moon);
  hosts.sendEsp(hosts.sun);
  assertOnePair(hosts);
}

describe('an UPDATE', () => {
  // RFC 7401 5.3.5, 6.11, 6.12
  test('that has to be echoed shows that the peer is alive, and how long the way is', () => {
    const hosts = new TwoHosts().connect();
    const { moon } = hosts;
    check(hosts, moon);
    const request = hosts.take(moon);
    hosts.now += 30;
    hosts.deliver(request);
    hosts.now += 30;
    hosts.settle();
    assert.equal(moon.eventsOf('alive').at(-1)?.rttMs, 60);
    assert.equal(moon.host.deadline() !== undefined, true);
  });

  // RFC 7401 6.12.1, 6.12.2
  test('that is repeated is acknowledged again and not processed again', () => {
    const hosts = new TwoHosts().connect();
    const { moon, sun } = hosts;
    rekey(hosts, moon);
    const request = hosts.take(moon);
    hosts.deliver(request);
    const answer = hosts.take(sun);
    hosts.deliver(request);
    assert.deepEqual(hosts.take(sun).octets, answer.octets);
    assert.equal(sun.inbound.size, 2);
  });

  test('that was changed on its way is not believed', () => {
    const hosts = new TwoHosts().connect();
    const { moon, sun } = hosts;
    check(hosts, moon);
    const { octets, path, from } = hosts.take(moon);
    for (let at = 40; at < octets.length; at += 7) {
      const forged = octets.slice();
      forged[at] = forged[at]! ^ 1;
      // Out of UDP, where no checksum tells.
      forged.fill(0, 4, 6);
      const inUdp = {
        local: { ...path.local, port: 10_500 },
        remote: { ...path.remote, port: 10_500 },
      };
      hosts.deliver({ from, path: inUdp, octets: forged });
    }
    assert.equal(sun.sent.length, 0);
    assert.ok(sun.rejections.length > 20);
  });

  // RFC 7401 5.4.4
  test('for an association that we do not have is answered by an ICMP Parameter Problem at most (5.4.4)', () => {
    const hosts = new TwoHosts().connect();
    const { moon, sun } = hosts;
    check(hosts, moon);
    sun.crash(hosts.now);
    hosts.settle();
    assert.deepEqual(
      sun.problems.map(({ reason, pointer }) => [reason, pointer]),
      [['no-association', 8]],
    );
    assert.equal(sun.sent.length, 0);
  });

  test('that both send at once is acknowledged by both', () => {
    const hosts = new TwoHosts().connect();
    check(hosts, hosts.moon);
    check(hosts, hosts.sun);
    hosts.settle();
    assert.equal(hosts.moon.eventsOf('alive').length, 1);
    assert.equal(hosts.sun.eventsOf('alive').length, 1);
  });
});

describe('a move', () => {
  const elsewhere = address('198.51.100.7');

  function moveTo(hosts: TwoHosts, host: TestHost, to: typeof elsewhere): void {
    const from = host.address;
    host.address = to;
    host.give(hosts.now, { kind: 'command', command: { kind: 'move', from, to } });
  }

  // RFC 8046 3.2.1, 3.3.1, 5.4
  test('is told to the peer, which sends there within its credit until somebody has answered from there', () => {
    const hosts = new TwoHosts().connect();
    const { moon, sun } = hosts;
    moveTo(hosts, moon, elsewhere);
    hosts.deliver(hosts.take(moon));
    const request = hosts.take(sun);
    assert.equal(request.path.remote.address, elsewhere);
    assert.equal([...sun.outbound.values()][0]?.remote, elsewhere);
    assert.deepEqual([...sun.unverified], [...sun.outbound.keys()]);
    hosts.deliver(request);
    hosts.settle();
    assert.equal([...sun.outbound.values()][0]?.remote, elsewhere);
    assert.equal(sun.unverified.size, 0);
    assert.equal([...moon.outbound.values()][0]?.local, elsewhere);
    assert.equal(sun.eventsOf('moved').length, 1);
    rekey(hosts, sun);
    hosts.settle();
    assertOnePairAfterTraffic(hosts);
  });

  // RFC 8046 5.6.1
  test('is followed after the answer alone where the data plane counts no credit', () => {
    const hosts = new TwoHosts({ sun: { configuration: { usesCredit: false } } }).connect();
    const { moon, sun } = hosts;
    const before = moon.address;
    moveTo(hosts, moon, elsewhere);
    hosts.deliver(hosts.take(moon));
    assert.equal([...sun.outbound.values()][0]?.remote, before);
    assert.equal(hosts.take(sun).path.remote.address, elsewhere);
    hosts.wait(2_000);
    assert.equal([...sun.outbound.values()][0]?.remote, elsewhere);
    assert.equal(sun.unverified.size, 0);
  });

  // RFC 8046 5.4
  test('is not believed for the sake of a nonce that came by another way than from the new address', () => {
    const hosts = new TwoHosts().connect();
    const { moon, sun } = hosts;
    moveTo(hosts, moon, elsewhere);
    const announcement = hosts.take(moon);
    hosts.deliver(announcement);
    assert.equal(hosts.take(sun).path.remote.address, elsewhere);
    // The same UPDATE once more, from where moon really is: the answer goes there.
    const before = { address: address('192.0.2.1'), port: 0 };
    writeHipChecksum(announcement.octets, addressesOf(before.address, sun.address));
    hosts.deliver({ ...announcement, path: { ...announcement.path, local: before } });
    const { octets, path: way } = hosts.take(sun);
    assert.equal(way.remote.address, before.address);
    const { parameters } = decodeHipPacket(octets, addressesOf(way.local.address, way.remote.address));
    assert.equal(hipParameter(parameters, 'ECHO_REQUEST_SIGNED'), undefined);
    assert.ok(hipParameter(parameters, 'ACK') !== undefined);
  });

  // RFC 8046 5.3
  test('whose answers were lost is asked about again as soon as the peer says something new from there', () => {
    const hosts = new TwoHosts({ sun: { configuration: { usesCredit: false } } }).connect();
    const { moon, sun } = hosts;
    const before = moon.address;
    moveTo(hosts, moon, elsewhere);
    hosts.deliver(hosts.take(moon));
    // It has something to ask, too, and has given up.
    rekey(hosts, sun);
    hosts.wait(45_000, ({ from }) => from === 'sun');
    assert.equal([...sun.outbound.values()][0]?.remote, before);
    rekey(hosts, moon);
    hosts.wait(1_000);
    assert.equal([...sun.outbound.values()][0]?.remote, elsewhere);
  });

  test('to where nobody answers is never more than credit is good for', () => {
    const hosts = new TwoHosts().connect();
    const { moon, sun } = hosts;
    moveTo(hosts, moon, elsewhere);
    hosts.deliver(hosts.take(moon));
    moon.address = address('203.0.113.1');
    hosts.wait(5_000);
    assert.deepEqual([...sun.unverified], [...sun.outbound.keys()]);
    // Not under other keys either.
    rekey(hosts, sun);
    hosts.deliver(hosts.take(sun));
  });

  test('of both at once succeeds if either can still be reached', () => {
    const hosts = new TwoHosts().connect();
    const { moon, sun } = hosts;
    const inFlight: Transit[] = [];
    moveTo(hosts, moon, elsewhere);
    inFlight.push(hosts.take(moon));
    moveTo(hosts, sun, address('198.51.100.8'));
    inFlight.push(hosts.take(sun));
    // Both announcements reach the old addresses, where a rendezvous server would know the way.
    for (const { from, path, octets } of inFlight) {
      const to = from === 'moon' ? sun : moon;
      to.give(hosts.now, { kind: 'packet', path: { local: path.remote, remote: path.local }, octets });
    }
    hosts.wait(20_000);
    assert.equal([...sun.outbound.values()][0]?.remote, elsewhere);
    assert.equal([...moon.outbound.values()][0]?.remote, sun.address);
  });
});
