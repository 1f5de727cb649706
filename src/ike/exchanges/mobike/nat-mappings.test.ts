// Moves behind a NAT, and NATs that change their mappings (RFC 4555 3.5, 3.8).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address, type Endpoint } from '#sa';
import { addresses } from '../../testing/connections.ts';
import type { Host } from '../../testing/host.ts';
import { at, between, elsewhere, mobile, third, tunnels } from '../../testing/mobile-pair.ts';

// RFC 4555 3.5, 3.8
test('a client that moves behind a NAT goes into UDP, and out of it when it comes back', () => {
  const pair = mobile().establish();
  pair.natAddress = address('192.0.2.99');
  pair.moon.command({ kind: 'move', local: address('10.0.0.7') });
  pair.settle();
  // Answers go through the NAT to where the Pair has moon.
  assert.equal(pair.moon.sa.nat.local, true);
  assert.equal(pair.sun.sa.nat.remote, true);
  assert.deepEqual(tunnels(pair.sun), [
    `inbound ${addresses.sun} 192.0.2.99 udp 24500`,
    `outbound ${addresses.sun} 192.0.2.99 udp 24500`,
  ]);
  pair.natAddress = undefined;
  pair.moon.command({ kind: 'move', local: elsewhere });
  pair.settle();
  assert.equal(pair.moon.sa.nat.local, false);
  assert.deepEqual(tunnels(pair.sun), between(addresses.sun, elsewhere));
  assert.deepEqual(tunnels(pair.moon), between(elsewhere, addresses.sun));
  assert.deepEqual(
    pair.moon.eventsOf('nat-detected').map(({ local }) => local),
    [true, false],
  );
});

// RFC 4555 3.8
test('a liveness check of a client behind a NAT notices another mapping', () => {
  const pair = mobile();
  pair.natAddress = address('192.0.2.99');
  pair.establish();
  assert.equal(pair.sun.sa.remote.port, 24_500);
  pair.natPortOffset = 30_000;
  pair.moon.command({ kind: 'check-liveness', reason: 'a test' });
  pair.settle();
  assert.equal(pair.sun.sa.remote.port, 34_500);
  assert.deepEqual(pair.sun.sa.mobility?.tunnel.remote.port, 34_500);
  // The mapping is known, and no further update follows.
  const sent = pair.moon.sa.statistics.messagesSent;
  pair.moon.command({ kind: 'check-liveness', reason: 'a test' });
  pair.settle();
  assert.equal(pair.moon.sa.statistics.messagesSent, sent + 1);
});

function mappingChanged(host: Host, remote: Endpoint): void {
  const { inboundSpi, childId } = host.sa.children[0]!;
  host.input(host.sa, {
    kind: 'data-plane',
    event: { kind: 'mapping-changed', protocol: 'esp', spi: inboundSpi, childId, remote },
  });
}

// RFC 4555 3.7, 3.8
test('a packet through another mapping of a NAT makes the gateway ask there, and follow only then', () => {
  const pair = mobile();
  pair.natAddress = address('192.0.2.99');
  pair.establish();
  pair.natPortOffset = 30_000;
  mappingChanged(pair.sun, at(address('192.0.2.99'), 34_500));
  assert.equal(pair.sun.sa.remote.port, 24_500);
  pair.settle();
  assert.equal(pair.sun.sa.remote.port, 34_500);
  assert.deepEqual(
    pair.sun.eventsOf('path-checked').map(({ proven }) => proven),
    [true],
  );
});

test('a request to a mapping that is gone does not keep the gateway from asking where packets come from', () => {
  const pair = mobile();
  pair.natAddress = address('192.0.2.99');
  pair.establish();
  pair.natPortOffset = 30_000;
  pair.sun.command({ kind: 'check-liveness', reason: 'an ICMP error' });
  pair.collect();
  mappingChanged(pair.sun, at(address('192.0.2.99'), 34_500));
  const begunAt = pair.sun.now;
  while (pair.sun.sa.remote.port !== 34_500) {
    // Nobody has the other mapping any more.
    for (const datagram of pair.wire.splice(0))
      if (datagram.destination.port === 4500) pair.deliver(datagram.to, datagram);
    assert.ok(pair.sun.now < begunAt + 5_000, 'it stays where the client was');
    pair.wait(50);
  }
});

test('a packet from where nobody answers takes nothing with it', () => {
  const pair = mobile();
  pair.natAddress = address('192.0.2.99');
  pair.establish();
  mappingChanged(pair.sun, at(third, 7));
  for (let i = 0; i < 200; i++) {
    pair.wait(250);
    for (const datagram of pair.wire.splice(0)) {
      // What goes to that port is not moon's.
      if (datagram.destination.port === 4500) pair.deliver(datagram.to, datagram);
    }
  }
  assert.equal(pair.sun.sa.phase, 'established');
  assert.equal(pair.sun.sa.remote.port, 24_500);
  assert.deepEqual(
    pair.sun.eventsOf('path-checked').map(({ proven }) => proven),
    [false],
  );
  assert.ok(!pair.sun.commands.some((command) => command.kind === 'update-addresses'));
});

test('a gateway behind a NAT may get another mapping, and the client asks it there in the same way', () => {
  const pair = mobile({ sun: { change: { encap: true } } }).establish();
  assert.equal(pair.moon.sa.nat.remote, true);
  mappingChanged(pair.moon, at(addresses.sun, 30_000));
  pair.collect();
  assert.equal(pair.moon.sa.remote.port, 4500);
  pair.settle();
  assert.equal(pair.moon.sa.remote.port, 30_000);
  assert.deepEqual(tunnels(pair.moon), [
    `inbound ${addresses.moon} ${addresses.sun} udp 30000`,
    `outbound ${addresses.moon} ${addresses.sun} udp 30000`,
  ]);
});

test('without a NAT in front of the peer packets from elsewhere are no reason to ask', () => {
  const pair = mobile().establish();
  mappingChanged(pair.sun, at(third, 7));
  mappingChanged(pair.moon, at(third, 7));
  pair.collect();
  assert.equal(pair.wire.length, 0);
});

// RFC 4555 3.7, 3.8
test('a gateway that could not tell where a client answered from asks again if packets still come from there', () => {
  const pair = mobile();
  pair.natAddress = address('192.0.2.99');
  pair.establish();
  pair.natPortOffset = 30_000;
  pair.moon.command({ kind: 'move', local: elsewhere });
  let checked = 0;
  const copies = new Map<number, number>();
  for (let i = 0; i < 400 && checked === 0; i++) {
    pair.wait(100);
    for (const datagram of pair.wire.splice(0)) {
      const { octets, destination } = datagram;
      if (datagram.to === pair.sun) pair.deliver(pair.sun, datagram);
      // Nobody is at the old mapping any more; at the new one the first copies of each request get lost.
      else if (destination.port === 4500) {
        const id = new DataView(octets.buffer, octets.byteOffset).getUint32(20);
        const copy = (copies.get(id) ?? 0) + 1;
        copies.set(id, copy);
        if (copy > 3 || (octets[19]! & 0x20) !== 0) pair.deliver(pair.moon, datagram);
      }
    }
    // The data plane says so once.
    if (i === 2) mappingChanged(pair.sun, at(address('192.0.2.99'), 34_500));
    checked = pair.sun.eventsOf('path-checked').length;
  }
  assert.deepEqual(
    pair.sun.eventsOf('path-checked').map(({ proven }) => proven),
    [false],
  );
  assert.equal(pair.sun.sa.remote.port, 24_500);
  pair.collect();
  for (let i = 0; i < 20; i++) {
    pair.wait(100);
    for (const datagram of pair.wire.splice(0))
      if (datagram.to === pair.sun || datagram.destination.port === 4500) pair.deliver(datagram.to, datagram);
  }
  assert.equal(pair.sun.sa.remote.port, 34_500);
  assert.equal(pair.sun.sa.mobility?.tunnel.remote.port, 34_500);
});
