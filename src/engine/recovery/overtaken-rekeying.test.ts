// The peer uses a new IKE SA before its answer, which makes it here, has come: the network has no order.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Datagram, established, TwoHosts } from './testing/two-hosts.ts';

interface Overtaken {
  readonly hosts: TwoHosts;
  /** Sun's answer, which is still on its way. */
  readonly answer: Datagram;
  /** What sun says by the new IKE SA. */
  readonly byTheNew: Datagram;
}

/** Moon replaces the IKE SA; sun has made the new one, and its answer is overtaken by what it says next. */
function overtaken(): Overtaken {
  const hosts = new TwoHosts();
  hosts.connect();
  const { moon, sun } = hosts;
  const rekey = { kind: 'rekey', connection: 'gateway' } as const;
  // Not the first one that it has.
  moon.give(hosts.now, { kind: 'command', id: 1, command: rekey });
  hosts.settle();
  moon.give(hosts.now, { kind: 'command', id: 2, command: rekey });
  hosts.receive(sun, moon.sent.splice(0)[0]!);
  sun.give(hosts.now, { kind: 'command', id: 3, command: { kind: 'rekey', child: 'net' } });
  const [answer, byTheNew] = sun.sent.splice(0);
  assert.ok(answer !== undefined && byTheNew !== undefined);
  for (const host of [moon, sun]) host.events.length = 0;
  hosts.receive(moon, byTheNew);
  return { hosts, answer, byTheNew };
}

// RFC 6290 5.1: a token is for an IKE SA that has been lost. This one is being made.
test('a message by an IKE SA that is being made waits for it, and is not answered with a token', () => {
  const { hosts, answer } = overtaken();
  const { moon, sun } = hosts;
  assert.deepEqual(moon.sent, []);
  assert.deepEqual(moon.events, []);
  hosts.receive(moon, answer);
  hosts.settle();
  assert.equal(sun.engine.status().ikeSas.at(-1)?.children[0]?.generation, 1, 'it need not be said again');
  hosts.wait(60_000);
  for (const host of [moon, sun]) {
    assert.equal(established(host).length, 1, host.name);
    assert.deepEqual(host.eventsOf('recovery'), [], host.name);
  }
});

test('what is kept is bounded, and what does not fit is not answered either', () => {
  const { hosts, answer, byTheNew } = overtaken();
  const { moon, sun } = hosts;
  for (let i = 0; i < 100; i++) {
    hosts.receive(moon, byTheNew);
    const forged = byTheNew.octets.slice();
    forged[forged.length - 1]! ^= i + 1;
    hosts.receive(moon, { ...byTheNew, octets: forged });
  }
  // An I flag that is wrong.
  const flagged = byTheNew.octets.slice();
  flagged[19]! |= 0x08;
  hosts.receive(moon, { ...byTheNew, octets: flagged });
  assert.deepEqual(moon.sent, []);
  assert.ok(moon.eventsOf('unknown-ike-message').every(({ verdict }) => verdict.reason === 'live'));
  assert.equal(moon.eventsOf('unknown-ike-message').length, 94);
  hosts.receive(moon, answer);
  hosts.settle();
  for (const host of [moon, sun]) assert.equal(established(host).length, 1, host.name);
});

test('once the rekeying has come to nothing, its SPI is as unknown as any other', () => {
  const { hosts, byTheNew } = overtaken();
  const { moon } = hosts;
  hosts.wait(600_000, ({ from }) => from === 'moon');
  assert.deepEqual(established(moon), []);
  moon.events.length = 0;
  hosts.receive(moon, byTheNew);
  assert.equal(moon.eventsOf('unknown-ike-message')[0]?.verdict.kind, 'invalid-ike-spi');
});
