// What somebody on the way, or a peer that lies, cannot make of moves (RFC 4555 3.7, 5.1, 5.3, 5.4).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address } from '#sa';
import { decodeIkeMessage } from '#wire';
import { addresses } from '../../testing/connections.ts';
import {
  at,
  atHome,
  between,
  elsewhere,
  mobile,
  otherGateway,
  third,
  tunnels,
} from '../../testing/mobile-pair.ts';

// RFC 4555 3.7
test('Child SAs do not follow to where nobody answers, and the IKE SA comes back', () => {
  const pair = mobile().establish();
  pair.moon.command({ kind: 'move', local: elsewhere });
  // Somebody on the way writes another source on the request, and keeps to itself what goes there.
  const update = pair.take(pair.sun);
  pair.deliver(pair.sun, { ...update, source: at(third) });
  assert.equal(pair.sun.sa.remote.address, third);
  for (let i = 0; i < 200 && pair.sun.eventsOf('path-checked').length === 0; i++) {
    pair.wait(250);
    for (const datagram of pair.wire.splice(0)) {
      if (datagram.destination.address !== third) pair.deliver(datagram.to, datagram);
    }
  }
  assert.deepEqual(
    pair.sun.eventsOf('path-checked').map(({ proven, remote }) => [proven, remote.address]),
    [[false, third]],
  );
  // It looked like a NAT, which is gone with it.
  assert.deepEqual(
    pair.sun.eventsOf('nat-detected').map(({ remote }) => remote),
    [true, false],
  );
  assert.deepEqual(tunnels(pair.sun), atHome);
  assert.equal(pair.sun.sa.phase, 'established');
  const moved = pair.sun.commands.filter(
    (command) => command.kind === 'update-addresses' && command.remote.address === third,
  );
  assert.deepEqual(moved, []);
});

// RFC 4555 5.1, 3.8
test('what somebody on the way made of one update is undone once both ends hear each other again', () => {
  const pair = mobile().establish();
  pair.moon.command({ kind: 'move', local: elsewhere });
  const update = pair.take(pair.sun);
  pair.deliver(pair.sun, { ...update, source: at(third) });
  // All that went there is lost, and the true request comes later: its answer is the one that there is.
  pair.wire.length = 0;
  pair.deliver(pair.sun, update);
  pair.deliver(pair.moon);
  assert.equal(pair.moon.sa.nat.local, true);
  for (let i = 0; i < 400 && pair.sun.sa.remote.address !== elsewhere; i++) {
    pair.wait(250);
    pair.moon.command({ kind: 'check-liveness', reason: 'a test' });
    pair.collect();
    for (const datagram of pair.wire.splice(0)) {
      const reached = datagram.to === pair.sun || datagram.destination.address === elsewhere;
      if (reached) pair.deliver(datagram.to, datagram);
    }
  }
  pair.settle();
  assert.deepEqual(tunnels(pair.sun), between(addresses.sun, elsewhere));
  assert.deepEqual(tunnels(pair.moon), between(elsewhere, addresses.sun));
  assert.equal(pair.moon.sa.nat.local, false);
});

// RFC 4555 3.6, 5.1
test('a client that is led astray by the source of an announcement comes back', () => {
  const pair = mobile({ moon: { ownAddresses: [addresses.moon] } }).establish();
  pair.sun.command({ kind: 'announce-addresses' });
  const announcement = pair.take(pair.moon);
  pair.deliver(pair.moon, { ...announcement, source: at(third) });
  assert.equal(pair.moon.sa.remote.address, third);
  for (let i = 0; i < 200 && pair.moon.sa.remote.address === third; i++) {
    for (const datagram of pair.wire.splice(0)) {
      const lost = datagram.to === pair.sun && datagram.destination.address === third;
      if (!lost) pair.deliver(datagram.to, datagram);
    }
    pair.wait(100);
  }
  pair.settle();
  assert.equal(pair.moon.sa.remote.address, addresses.sun);
  assert.deepEqual(tunnels(pair.moon), between(addresses.moon, addresses.sun));
  assert.ok(
    !pair.moon.commands.some(
      (command) => command.kind === 'update-addresses' && command.remote.address === third,
    ),
  );
});

// RFC 4555 3.8
test('a fresh message from elsewhere moves nothing, whoever sent it', () => {
  const pair = mobile().establish();
  pair.moon.command({ kind: 'check-liveness', reason: 'a test' });
  const question = pair.take(pair.sun);
  pair.deliver(pair.sun, { ...question, source: at(third, 999) });
  assert.deepEqual(pair.sun.sa.remote, at(addresses.moon));
  const answer = pair.take(pair.moon);
  assert.deepEqual(answer.source, at(addresses.sun));
  pair.deliver(pair.moon, { ...answer, source: at(third, 999) });
  assert.deepEqual(pair.moon.sa.remote, at(addresses.sun));
  assert.deepEqual(tunnels(pair.sun), atHome);
  assert.deepEqual(pair.sun.eventsOf('peer-moved'), []);
});

test('an update that comes again, in its old octets and from elsewhere, moves nothing', () => {
  const pair = mobile().establish();
  pair.moon.command({ kind: 'move', local: elsewhere });
  const update = pair.take(pair.sun);
  pair.deliver(pair.sun, update);
  pair.settle();
  pair.deliver(pair.sun, { ...update, source: at(third) });
  assert.equal(pair.sun.sa.remote.address, elsewhere);
  pair.moon.command({ kind: 'move', local: addresses.moon });
  pair.settle();
  pair.deliver(pair.sun, { ...update, source: at(third) });
  assert.equal(pair.sun.sa.remote.address, addresses.moon);
  assert.deepEqual(tunnels(pair.sun), atHome);
});

test('what does not stand under the keys moves nothing', () => {
  const pair = mobile().establish();
  pair.moon.command({ kind: 'move', local: elsewhere });
  const update = pair.take(pair.sun);
  for (let i = 32; i < update.octets.length; i++) {
    const octets = update.octets.slice();
    octets[i]! ^= 1;
    pair.deliver(pair.sun, { ...update, octets, source: at(third) });
  }
  assert.deepEqual(pair.sun.sa.remote, at(addresses.moon));
  assert.deepEqual(tunnels(pair.sun), atHome);
});

// RFC 4555 5.4: whoever hears the answer can send it again from elsewhere, and faster.
test('an answer from where nothing was tried moves nobody', () => {
  const pair = mobile({
    moon: { ownAddresses: [addresses.moon] },
    sun: { ownAddresses: [addresses.sun, otherGateway] },
  }).establish();
  pair.moon.command({ kind: 'check-liveness', reason: 'a test' });
  let request = pair.take(pair.sun);
  // Repeated until other pairs are tried, too.
  while (request.destination.address !== otherGateway) {
    pair.wait(500);
    request = pair.wire.splice(0).at(-1) ?? request;
  }
  pair.deliver(pair.sun, request);
  pair.deliver(pair.moon, { ...pair.take(pair.moon), source: at(third) });
  assert.equal(pair.moon.sa.remote.address, addresses.sun);
  assert.deepEqual(pair.moon.eventsOf('moved'), []);
  assert.deepEqual(pair.moon.sa.outstanding, []);
});

// RFC 4555 5.3
test('a client cannot make the gateway send much to where it is not', () => {
  const pair = mobile().establish();
  let octets = 0;
  let received = 0;
  for (let i = 0; i < 50; i++) {
    pair.moon.command({ kind: 'move', local: address(`203.0.113.${i + 1}`) });
    for (const datagram of pair.wire.splice(0)) {
      if (datagram.to === pair.sun) {
        received += datagram.octets.length;
        pair.deliver(pair.sun, datagram);
      }
    }
    for (const datagram of pair.wire.splice(0)) {
      // The answers reach the client, the checks go to whom it wants to harm.
      if (datagram.to !== pair.moon) continue;
      if (!decodeIkeMessage(datagram.octets).header.response) octets += datagram.octets.length;
      else pair.deliver(pair.moon, datagram);
    }
    pair.collect();
  }
  assert.ok(octets <= received, `${octets} octets for ${received}`);
  assert.deepEqual(tunnels(pair.sun), atHome);
});
