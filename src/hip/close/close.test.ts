// CLOSE and CLOSE_ACK, in every state and crossing each other (RFC 7401 tables 7 and 8, 6.14, 6.15).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type TestHost, TwoHosts } from '../testing/two-hosts.ts';

function close(hosts: TwoHosts, host: TestHost): void {
  const remote = hosts.other(host).hit;
  host.give(hosts.now, {
    kind: 'command',
    command: { kind: 'close', local: host.hit, remote, reason: 'a test' },
  });
}

function assertNothingLeft({ moon, sun }: TwoHosts): void {
  for (const host of [moon, sun]) {
    for (const table of [host.inbound, host.outbound, host.policies, host.spis]) assert.equal(table.size, 0);
  }
}

const longerThanClosed = 30 * 60_000;

// RFC 7401 5.3.7, 5.3.8, 6.14, 6.15; RFC 7402 6.7
test('one round trip ends an association; the peer remembers it for a while', () => {
  const hosts = new TwoHosts().connect();
  const { moon, sun } = hosts;
  close(hosts, moon);
  assert.equal(moon.state(sun.hit), 'CLOSING');
  hosts.settle();
  assert.equal(moon.state(sun.hit), 'UNASSOCIATED');
  assert.equal(sun.state(moon.hit), 'CLOSED');
  assertNothingLeft(hosts);
  hosts.wait(longerThanClosed);
  assert.equal(sun.host.status().length, 0);
});

test('a lost CLOSE is repeated, and a lost CLOSE_ACK is given again', () => {
  for (const lost of ['CLOSE', 'CLOSE_ACK']) {
    const hosts = new TwoHosts().connect();
    close(hosts, hosts.moon);
    let count = 0;
    hosts.wait(10_000, (_, type) => type !== lost || count++ > 0);
    assert.equal(hosts.moon.state(hosts.sun.hit), 'UNASSOCIATED');
    assertNothingLeft(hosts);
  }
});

// RFC 7401 tables 7 and 8; 5.4.4 is for whom nothing is known
test('an UPDATE to whom is leaving is dropped without a word', () => {
  for (const lost of ['CLOSE', 'CLOSE_ACK']) {
    const hosts = new TwoHosts().connect();
    const { moon, sun } = hosts;
    hosts.sendEsp(moon);
    close(hosts, moon);
    const check = { kind: 'check', local: sun.hit, remote: moon.hit, reason: 'a test' } as const;
    sun.give(hosts.now, { kind: 'command', command: check });
    hosts.settle((_, type) => type !== lost);
    assert.deepEqual(moon.rejections, ['UPDATE unexpected']);
    assert.deepEqual(moon.problems, []);
  }
});

test('CLOSE of both at once ends on both sides', () => {
  const hosts = new TwoHosts().connect();
  close(hosts, hosts.moon);
  close(hosts, hosts.sun);
  hosts.settle();
  assertNothingLeft(hosts);
  hosts.wait(longerThanClosed);
  assert.equal(hosts.moon.host.status().length + hosts.sun.host.status().length, 0);
});

test('nobody answers CLOSE: it is given up, with fewer packets each minute', () => {
  const hosts = new TwoHosts().connect();
  close(hosts, hosts.moon);
  let sent = 0;
  hosts.wait(longerThanClosed, (transit) => {
    if (transit.from === 'moon') sent++;
    return false;
  });
  assert.ok(sent > 3 && sent < 12, `${sent} packets`);
  assert.equal(hosts.moon.host.status().length, 0);
});

test('a new association is made while the old one is still closing, and the old one is still acknowledged', () => {
  const hosts = new TwoHosts().connect();
  const { moon, sun } = hosts;
  close(hosts, moon);
  const closing = hosts.take(moon);
  hosts.call();
  assert.equal(moon.state(sun.hit), 'I1-SENT');
  hosts.deliver(closing);
  const acknowledgement = hosts.take(sun);
  hosts.settle();
  assert.equal(moon.state(sun.hit), 'ESTABLISHED');
  hosts.deliver(acknowledgement);
  assert.equal(moon.state(sun.hit), 'ESTABLISHED');
  hosts.assertKeysAgree();
});

test('an association that nobody uses is closed after UAL', () => {
  const hosts = new TwoHosts().connect();
  hosts.sendEsp(hosts.moon);
  hosts.wait(14 * 60_000);
  assert.equal(hosts.moon.inbound.size, 1);
  hosts.wait(2 * 60_000);
  assertNothingLeft(hosts);
});

test('CLOSE of somebody who does not have the keys changes nothing', () => {
  const hosts = new TwoHosts().connect();
  const { moon, sun } = hosts;
  close(hosts, moon);
  const { octets } = hosts.take(moon);
  const others = new TwoHosts().connect();
  others.now += 1;
  // The same HITs, other keys: a CLOSE of another association between the two.
  const renewed = new TwoHosts();
  renewed.sun.crash(0);
  renewed.connect();
  const path = { local: sun.endpoint, remote: moon.endpoint };
  renewed.sun.give(0, { kind: 'packet', path, octets });
  assert.deepEqual(renewed.sun.rejections, ['CLOSE mac']);
  assert.equal(renewed.sun.inbound.size, 1);
});
