// A gateway with several addresses, or with another one (RFC 4555 3.4 to 3.7, 3.10).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addresses } from '../../testing/connections.ts';
import { between, mobile, otherGateway, third, tunnels } from '../../testing/mobile-pair.ts';

// RFC 4555 3.4, 3.5, 3.10
test('a gateway names its other addresses, and the client goes there when the one in use is dead', () => {
  const pair = mobile({
    moon: { ownAddresses: [addresses.moon] },
    sun: { ownAddresses: [addresses.sun, otherGateway] },
  }).establish();
  assert.deepEqual(pair.moon.sa.mobility?.peerAddresses, [otherGateway]);
  assert.deepEqual(pair.sun.sa.mobility?.peerAddresses, []);
  pair.moon.command({ kind: 'check-liveness', reason: 'a test' });
  const dead = new Set<string>([addresses.sun]);
  for (let i = 0; i < 100; i++) {
    for (const datagram of pair.wire.splice(0)) {
      const address = datagram.to === pair.sun ? datagram.destination.address : datagram.source.address;
      if (!dead.has(address)) pair.deliver(datagram.to, datagram);
    }
    pair.wait(100);
  }
  assert.equal(pair.moon.sa.remote.address, otherGateway);
  assert.equal(pair.sun.sa.local.address, otherGateway);
  assert.deepEqual(tunnels(pair.moon), between(addresses.moon, otherGateway));
  assert.deepEqual(tunnels(pair.sun), between(otherGateway, addresses.moon));
  assert.equal(pair.moon.sa.phase, 'established');
});

// RFC 4555 3.7
test("a client's traffic goes to another address of the gateway only once that has answered from there", () => {
  const pair = mobile().establish();
  pair.moon.command({ kind: 'move', local: addresses.moon, remote: otherGateway });
  const update = pair.take(pair.sun);
  assert.deepEqual(tunnels(pair.moon), between(addresses.moon, addresses.sun));
  pair.deliver(pair.sun, update);
  assert.deepEqual(tunnels(pair.moon), between(addresses.moon, addresses.sun));
  pair.settle();
  assert.deepEqual(tunnels(pair.moon), between(addresses.moon, otherGateway));
  assert.deepEqual(tunnels(pair.sun), between(otherGateway, addresses.moon));
});

// RFC 4555 3.5, 3.7
test('an answer from one address of the gateway is no proof of another one', () => {
  const pair = mobile().establish();
  pair.moon.command({ kind: 'move', local: addresses.moon, remote: otherGateway });
  const first = pair.take(pair.sun);
  pair.deliver(pair.sun, first);
  const answer = pair.take(pair.moon);
  pair.moon.command({ kind: 'move', local: addresses.moon, remote: third });
  pair.deliver(pair.moon, answer);
  assert.equal(pair.moon.sa.remote.address, third);
  assert.deepEqual(tunnels(pair.moon), between(addresses.moon, addresses.sun));
  pair.settle();
  pair.run(3_000);
  assert.deepEqual(tunnels(pair.moon), between(addresses.moon, third));
});

// RFC 4555 3.5, 3.6
test('a gateway whose address is gone goes on from another one, and the client follows it there', () => {
  const pair = mobile({ sun: { ownAddresses: [addresses.sun] } }).establish();
  pair.sun.ownAddresses = [otherGateway];
  pair.sun.command({ kind: 'move', local: otherGateway });
  const announcement = pair.take(pair.moon);
  pair.deliver(pair.moon, announcement);
  pair.settle();
  assert.equal(pair.moon.sa.remote.address, otherGateway);
  assert.deepEqual(tunnels(pair.moon), between(addresses.moon, otherGateway));
  assert.deepEqual(tunnels(pair.sun), between(otherGateway, addresses.moon));
});

// RFC 4555 3.6
test('the newest list of addresses counts, and one with the address in use moves nobody', () => {
  const pair = mobile({ sun: { ownAddresses: [addresses.sun, otherGateway] } }).establish();
  pair.sun.ownAddresses = [addresses.sun, third];
  pair.sun.command({ kind: 'announce-addresses' });
  pair.settle();
  assert.deepEqual(pair.moon.sa.mobility?.peerAddresses, [third]);
  pair.sun.ownAddresses = [addresses.sun];
  pair.sun.command({ kind: 'announce-addresses' });
  pair.settle();
  assert.deepEqual(pair.moon.sa.mobility?.peerAddresses, []);
  assert.equal(pair.moon.sa.remote.address, addresses.sun);
  assert.deepEqual(pair.moon.eventsOf('moved'), []);
});
