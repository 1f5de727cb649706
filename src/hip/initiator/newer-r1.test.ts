// A Responder that restarts, reloads or refuses between R1 and I2, and an Initiator that asks it for another R1.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { address } from '#sa';
import { HipCipher, HipEspSuite, hipParameter } from '#wire';
import { hipDefaults } from '../configuration.ts';
import { testIdentity } from '../testing/identities.ts';
import { decodeTransit, type Transit, TwoHosts } from '../testing/two-hosts.ts';

/** The R1 counter of a packet that has one. */
function countersOf(transit: Transit): bigint[] {
  return decodeTransit(transit).parameters.flatMap((one) => (one.type === 'R1_COUNTER' ? [one.counter] : []));
}

// RFC 7401 6.8 8, 6.9 7
describe('a Responder that has changed between R1 and I2', () => {
  /** The Initiator has R1, and its I2 is on its way. */
  function withI2(changes: ConstructorParameters<typeof TwoHosts>[0] = {}): { hosts: TwoHosts; i2: Transit } {
    const hosts = new TwoHosts(changes);
    hosts.call();
    hosts.deliver(hosts.take(hosts.moon));
    hosts.deliver(hosts.take(hosts.sun));
    return { hosts, i2: hosts.take(hosts.moon) };
  }

  const load = ({ sun, now }: TwoHosts, change: Partial<TwoHosts['sun']['configuration']>): void => {
    sun.configuration = { ...sun.configuration, ...change };
    sun.give(now, { kind: 'command', command: { kind: 'load', configuration: sun.configuration } });
  };

  test('takes the I2 after a reload that changes nothing of it, and makes other R1s from then on', () => {
    const { hosts, i2 } = withI2();
    const { moon, sun } = hosts;
    load(hosts, { ciphers: [HipCipher.AES_256_CBC, HipCipher.AES_128_CBC] });
    hosts.deliver(i2);
    hosts.settle();
    assert.equal(moon.state(sun.hit), 'ESTABLISHED');
    assert.deepEqual(sun.rejections, []);
    hosts.assertKeysAgree();
    const [counterBefore] = countersOf(i2);
    moon.crash(hosts.now);
    hosts.call();
    hosts.deliver(hosts.take(moon));
    const r1 = hosts.take(sun);
    assert.ok(countersOf(r1)[0]! > counterBefore!);
    assert.deepEqual(hipParameter(decodeTransit(r1).parameters, 'HIP_CIPHER')?.ciphers, [
      HipCipher.AES_256_CBC,
      HipCipher.AES_128_CBC,
    ]);
  });

  for (const [what, change, reason] of [
    ['the group', { groups: [8] }, 'I2 stale-puzzle'],
    ['the ESP suite', { espSuites: [HipEspSuite.NULL_HMAC_SHA_256] }, 'I2 esp-transform'],
    ['the peer', { peers: [] }, 'I2 not-configured'],
  ] as const)
    test(`does not take it if ${what} is not wanted any more`, () => {
      const { hosts, i2 } = withI2({
        moon: { configuration: { groups: [7, 8] } },
        sun: { configuration: { groups: [7, 8] } },
      });
      load(hosts, change);
      hosts.deliver(i2);
      assert.deepEqual(hosts.sun.rejections, [reason]);
    });

  test('forgets, with an identity, what was offered for it', () => {
    const { hosts, i2 } = withI2();
    const { sun } = hosts;
    const { identities } = sun.configuration;
    load(hosts, { identities: [testIdentity('p384-a')] });
    load(hosts, { identities });
    hosts.deliver(i2);
    assert.deepEqual(sun.rejections, ['I2 stale-puzzle']);
  });

  test('gets an I2 that answers its new R1 as soon as one is repeated after its restart', () => {
    const { hosts, i2 } = withI2();
    const { moon, sun } = hosts;
    sun.crash(hosts.now);
    hosts.deliver(i2);
    hosts.wait(hipDefaults.retransmission.baseMs);
    assert.equal(moon.state(sun.hit), 'ESTABLISHED');
    assert.deepEqual(sun.rejections, ['I2 stale-puzzle', 'I2 stale-puzzle']);
    hosts.assertKeysAgree();
    assert.equal(moon.spis.size, 1);
  });

  test('gets it also from an Initiator that has moved meanwhile', () => {
    const { hosts } = withI2();
    const { moon, sun } = hosts;
    sun.crash(hosts.now);
    const from = moon.address;
    moon.address = address('192.0.2.9');
    moon.give(hosts.now, { kind: 'command', command: { kind: 'move', from, to: moon.address } });
    hosts.wait(hipDefaults.retransmission.baseMs, ({ path }) => path.local.address !== from);
    assert.equal(moon.state(sun.hit), 'ESTABLISHED');
    hosts.assertKeysAgree();
  });

  test('takes no I2 from where its puzzle did not go, and an Initiator that moves asks anew', () => {
    for (const solves of [false, true]) {
      const hosts = new TwoHosts();
      const { moon, sun } = hosts;
      moon.holdComputation = true;
      hosts.call();
      hosts.settle();
      assert.equal(moon.held.length, 1);
      // The I2 is lost, or not even made yet.
      if (solves) moon.give(hosts.now, moon.held.shift()!);
      moon.sent.length = 0;
      moon.holdComputation = false;
      const from = moon.address;
      moon.address = address('192.0.2.9');
      moon.give(hosts.now, { kind: 'command', command: { kind: 'move', from, to: moon.address } });
      for (const late of moon.held.splice(0)) moon.give(hosts.now, late);
      hosts.settle(({ path }) => path.local.address !== from && path.remote.address !== from);
      assert.equal(moon.state(sun.hit), 'ESTABLISHED');
      assert.deepEqual(sun.rejections, []);
      assert.equal(moon.spis.size, 1);
      hosts.assertKeysAgree();
    }
  });

  test('makes nobody begin anew more often than he has repeated, whoever asks for R1s in his name', () => {
    const { hosts } = withI2();
    const { moon } = hosts;
    let i2s = 1;
    for (let i = 0; i < 80; i++) {
      load(hosts, {});
      const forged = new TwoHosts();
      forged.call();
      hosts.deliver(forged.take(forged.moon));
      hosts.wait(900, (_, type) => {
        if (type === 'I2') i2s++;
        return type !== 'I2';
      });
    }
    assert.equal(moon.state(hosts.sun.hit), 'UNASSOCIATED');
    assert.equal(i2s, 2 * hipDefaults.retransmission.tries + 1);
  });

  test('and is never satisfied is given up after as many repetitions as one that is silent', () => {
    const { hosts } = withI2();
    const { moon, sun } = hosts;
    let sent = 0;
    const counters = new Set<bigint>();
    // No I2 arrives, and whoever else asks for R1s makes that each is a new one.
    hosts.wait(64_000, (transit, type) => {
      if (type === 'I2') {
        sent++;
        for (const counter of countersOf(transit)) counters.add(counter);
      }
      if (type === 'I1') load(hosts, {});
      return type !== 'I2';
    });
    assert.equal(moon.state(sun.hit), 'E-FAILED');
    const { tries } = hipDefaults.retransmission;
    // Each is sent once when it is made, but the first one by the test, and is repeated once.
    assert.equal(sent, 2 * tries);
    assert.equal(counters.size, tries + 1);
    assert.equal(moon.spis.size, 0);
  });

  test('when both call at once, and the greater HIT restarts, does not leave the smaller one waiting', () => {
    const hosts = TwoHosts.ofOrder(true);
    const { moon, sun } = hosts;
    hosts.call(moon);
    const i1 = hosts.take(moon);
    hosts.call(sun);
    hosts.deliver(i1);
    hosts.deliver(hosts.take(sun));
    const r1OfMoon = hosts.take(moon);
    // What moon has offered is forgotten; it calls again, and its I2 is not taken while sun waits for an answer to its own.
    moon.crash(hosts.now);
    hosts.deliver(r1OfMoon);
    hosts.call(moon);
    hosts.wait(2 * hipDefaults.retransmission.baseMs);
    assert.equal(moon.inbound.size, 1);
    assert.equal(sun.inbound.size, 1);
    hosts.assertKeysAgree();
  });
});
