// Hosts with several addresses: what they tell, what they verify, and how they go on when a link fails (RFC 8047 4.2, 5).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { address } from '#sa';
import { LocatorType } from '#wire';
import { links, locatorSetOf, MultihomedHosts } from '../testing/multihomed-hosts.ts';
import { decodeTransit, type Transit, typeOf } from '../testing/two-hosts.ts';

function verified(hosts: MultihomedHosts): MultihomedHosts {
  hosts.connect();
  hosts.talk(200);
  return hosts;
}

const [moonFirst, moonSecond] = links.IPv4.moon;
const [sunFirst, sunSecond] = links.IPv4.sun;

describe('a host with two addresses', () => {
  // RFC 8047 4.2.8, 5.1; RFC 8046 4
  test('tells them in I2 or R2, the one in use as preferred, with its SPI and a lifetime; never in R1', () => {
    const hosts = new MultihomedHosts();
    const seen = new Map<string, Transit>();
    hosts.call();
    hosts.settle((transit, type) => {
      if (!seen.has(type)) seen.set(type, transit);
      return true;
    });
    assert.equal(locatorSetOf(seen.get('R1')!), undefined);
    for (const [type, host, addresses] of [
      ['I2', hosts.moon, links.IPv4.moon],
      ['R2', hosts.sun, links.IPv4.sun],
    ] as const) {
      const { locators } = locatorSetOf(seen.get(type)!)!;
      const [spi] = [...host.inbound.keys()];
      assert.deepEqual(
        locators.map((one) => [one.locatorType, one.preferred, one.lifetimeSeconds, 'spi' in one && one.spi]),
        addresses.map((_, i) => [LocatorType.ESP_SPI_ADDRESS, i === 0, 3_600, spi]),
      );
    }
  });

  // RFC 8046 3.3.3, 5.1, 5.4, RFC 8047 4.2.1, 5.3
  test('has each of them verified by its peer before anything fails', () => {
    const hosts = verified(new MultihomedHosts());
    assert.deepEqual(hosts.known(hosts.moon), { [sunFirst]: 'ACTIVE preferred', [sunSecond]: 'ACTIVE' });
    assert.deepEqual(hosts.known(hosts.sun), { [moonFirst]: 'ACTIVE preferred', [moonSecond]: 'ACTIVE' });
    assert.deepEqual(hosts.way(hosts.moon), [moonFirst, sunFirst]);
  });

  for (const on of ['IPv4', 'mixed'] as const) {
    // RFC 8046 5.5, RFC 8047 4.2.3, 4.2.6, 4.2.9, 5.4
    test(`goes on by the other link when the first one is cut, within a second (${on})`, () => {
      const hosts = verified(new MultihomedHosts({ on }));
      hosts.cut(0);
      const silentMs = hosts.talk(5_000);
      assert.ok(silentMs > 0 && silentMs <= 1_000, `${silentMs} ms`);
      const [[, moon], [, sun]] = [links[on].moon, links[on].sun];
      assert.deepEqual(hosts.way(hosts.moon), [moon, sun]);
      assert.deepEqual(hosts.way(hosts.sun), [sun, moon]);
      hosts.assertKeysAgree();
      assert.equal(hosts.moon.eventsOf('ended').length, 0);
      assert.equal(hosts.moon.unverified.size + hosts.sun.unverified.size, 0);
    });
  }

  test('goes back and forth as links fail, with the same association', () => {
    const hosts = verified(new MultihomedHosts());
    for (const link of [0, 1, 0, 1] as const) {
      hosts.cut(link);
      assert.ok(hosts.talk(4_000) <= 1_500);
      hosts.mend();
      // What did not answer is asked again after a while.
      assert.equal(hosts.talk(70_000), 0);
      assert.ok(Object.values(hosts.known(hosts.moon)).every((one) => one.startsWith('ACTIVE')));
    }
    assert.equal(hosts.moon.eventsOf('established').length, 1);
  });

  test('is found by a host that has but one address, and tells it where it is', () => {
    for (const single of ['moon', 'sun'] as const) {
      const hosts = verified(new MultihomedHosts({ single }));
      // The single one reaches both links.
      const host = single === 'moon' ? hosts.sun : hosts.moon;
      const [first, second] = hosts.places[host.name as 'moon' | 'sun'];
      const alone = hosts.other(host);
      const pass = ({ path }: Transit): boolean =>
        path.local.address !== first && path.remote.address !== first;
      host.further.add(first!);
      const childId = [...host.using.keys()].at(-1)!;
      host.give(hosts.now, { kind: 'traffic', childId, lastOutboundAt: hosts.now });
      hosts.wait(3_000, pass);
      assert.equal(hosts.way(host)[0], second);
      assert.equal(hosts.way(alone)[1], second);
    }
  });

  // RFC 8046 5.2, 5.3
  test('that loses an address says so, and the peer does not use it any more', () => {
    const hosts = verified(new MultihomedHosts());
    const { moon, sun } = hosts;
    moon.give(hosts.now, {
      kind: 'command',
      command: { kind: 'addresses', own: new Set([address(moonSecond)]) },
    });
    hosts.cut(0);
    hosts.wait(1_000, hosts.links);
    assert.deepEqual(hosts.way(moon), [moonSecond, sunSecond]);
    assert.deepEqual(hosts.way(sun), [sunSecond, moonSecond]);
    assert.deepEqual(hosts.known(sun), {});
    hosts.mend();
    moon.give(hosts.now, {
      kind: 'command',
      command: { kind: 'addresses', own: new Set([moonFirst, moonSecond].map(address)) },
    });
    hosts.wait(1_000);
    assert.deepEqual(hosts.known(sun), { [moonSecond]: 'ACTIVE preferred', [moonFirst]: 'ACTIVE' });
  });

  // RFC 8046 4, 5.1
  test('is told of again before its addresses are too old, and forgotten where it has fallen silent', () => {
    const moon = { locatorLifetimeMs: 20_000, unusedMs: 10_000_000 };
    const hosts = verified(new MultihomedHosts({ moon, sun: { unusedMs: 10_000_000 } }));
    hosts.wait(100_000);
    assert.deepEqual(hosts.known(hosts.sun), { [moonFirst]: 'ACTIVE preferred', [moonSecond]: 'ACTIVE' });
    hosts.wait(21_000, ({ from }) => from === 'sun');
    assert.deepEqual(hosts.known(hosts.sun), { [moonFirst]: 'DEPRECATED', [moonSecond]: 'DEPRECATED' });
    // There is nowhere else to send to.
    assert.equal(hosts.way(hosts.sun)[1], moonFirst);
  });

  // RFC 8046 6.4
  test('goes to no address that its operator has not named', () => {
    const hosts = verified(new MultihomedHosts());
    const { moon } = hosts;
    const secret = address('203.0.113.5');
    moon.give(hosts.now, {
      kind: 'command',
      command: { kind: 'move', from: address(moonFirst), to: secret },
    });
    assert.equal(moon.sent.length, 0);
    moon.give(hosts.now, {
      kind: 'command',
      command: { kind: 'addresses', own: new Set([moonFirst, moonSecond, secret].map(address)) },
    });
    assert.equal(moon.sent.length, 0);
  });
});

// RFC 7401 6.12.1
test('an address that never answers leaves no hole in the sequence of Update IDs', () => {
  const hosts = new MultihomedHosts();
  hosts.cut(1);
  hosts.connect();
  const { moon, sun } = hosts;
  const types: string[] = [];
  for (let i = 0; i < 60; i++) {
    hosts.talk(20_000);
    const command = { kind: 'rekey', local: moon.hit, remote: sun.hit } as const;
    moon.give(hosts.now, { kind: 'command', command });
    hosts.settle((transit) => {
      types.push(typeOf(transit));
      return hosts.links(transit);
    });
    hosts.sendEsp(moon);
    hosts.sendEsp(sun);
  }
  assert.equal(moon.eventsOf('rekeyed').length, 60);
  assert.deepEqual(moon.rejections.concat(sun.rejections), []);
  assert.equal(hosts.known(moon)[sunSecond], 'UNVERIFIED');
  assert.equal(hosts.moon.eventsOf('silent').length, 0);
  hosts.mend();
  hosts.talk(5 * 60_000 + 1_000);
  assert.equal(hosts.known(moon)[sunSecond], 'ACTIVE');
});

test('while nothing goes out or all is answered, nobody is asked anything', () => {
  const hosts = verified(new MultihomedHosts());
  let sent = 0;
  hosts.wait(60_000, (transit) => {
    sent++;
    return hosts.links(transit);
  });
  assert.equal(sent, 0);
  hosts.talk(10_000);
  for (const kind of ['alive', 'unanswered'] as const) assert.equal(hosts.moon.eventsOf(kind).length, 0);
});

test('what is signed about addresses is read by nobody else: the echo comes back as it went', () => {
  const hosts = new MultihomedHosts();
  hosts.call();
  const nonces = new Map<string, Set<string>>();
  hosts.wait(1_000, (transit) => {
    for (const one of decodeTransit(transit).parameters) {
      if (one.type !== 'ECHO_REQUEST_SIGNED') continue;
      const to = nonces.get(String(one.data)) ?? new Set();
      nonces.set(String(one.data), to.add(transit.path.remote.address));
    }
    return hosts.links(transit);
  });
  assert.equal(nonces.size, 2);
  for (const to of nonces.values()) assert.equal(to.size, 1);
});

test('whatever fails in which order, both are on one way with one pair of SAs once it is mended (property)', () => {
  const step = fc.tuple(
    fc.constantFrom('cut 0', 'cut 1', 'mend', 'talk', 'wait', 'rekey moon', 'rekey sun'),
    fc.integer({ min: 1, max: 6_000 }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), fc.constantFrom('IPv4', 'mixed'), (steps, on) => {
      const patient = { unusedMs: 10_000_000 };
      const hosts = verified(new MultihomedHosts({ on, moon: patient, sun: patient }));
      for (const [what, ms] of steps) {
        if (what === 'cut 0' || what === 'cut 1') {
          // One at a time: with neither, the association would end.
          hosts.mend();
          hosts.cut(what === 'cut 0' ? 0 : 1);
        } else if (what === 'mend') hosts.mend();
        else if (what === 'talk') hosts.talk(ms, 200);
        else if (what === 'wait') hosts.wait(ms, hosts.links);
        else {
          const host = what === 'rekey moon' ? hosts.moon : hosts.sun;
          const command = { kind: 'rekey', local: host.hit, remote: hosts.other(host).hit } as const;
          host.give(hosts.now, { kind: 'command', command });
        }
        hosts.settle(hosts.links);
      }
      hosts.mend();
      hosts.talk(120_000, 500);
      const [[local, remote], theirs] = [hosts.way(hosts.moon), hosts.way(hosts.sun)];
      assert.deepEqual(theirs, [remote, local]);
      hosts.assertKeysAgree();
      assert.equal(hosts.moon.unverified.size + hosts.sun.unverified.size, 0);
      assert.ok(Object.values(hosts.known(hosts.moon)).every((one) => one.startsWith('ACTIVE')));
    }),
    { numRuns: 60 },
  );
});
