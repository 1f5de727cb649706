// Two ends that may move (RFC 4555): who tells whom, what follows when, and what never follows.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address, type Endpoint, type IpAddress } from '#sa';
import { decodeIkeMessage } from '#wire';
import type { ConnectionConfiguration } from '../../configuration.ts';
import { addresses, child, connection } from '../../testing/connections.ts';
import type { Host, HostOptions } from '../../testing/host.ts';
import { Pair } from '../../testing/pair.ts';

const elsewhere = address('198.51.100.9');
const third = address('203.0.113.5');
const otherGateway = address('192.0.2.22');

type Options = Partial<HostOptions> & { readonly change?: Partial<ConnectionConfiguration> };

function mobile(options: { readonly moon?: Options; readonly sun?: Options } = {}): Pair {
  const of = (name: 'moon' | 'sun'): Partial<HostOptions> => {
    const { change, ...rest } = options[name] ?? {};
    return { connections: [connection(name, { mobike: true, ...change })], ...rest };
  };
  return new Pair({ moon: of('moon'), sun: of('sun') });
}

/** Where the SAs of a host lead. */
function tunnels(host: Host): string[] {
  return [...host.installed.values()].map(
    ({ direction, local, remote, encapsulation }) =>
      `${direction} ${local} ${remote}${encapsulation === undefined ? '' : ` udp ${encapsulation.remotePort}`}`,
  );
}

function between(local: IpAddress, remote: IpAddress): string[] {
  return [`inbound ${local} ${remote}`, `outbound ${local} ${remote}`];
}

const atHome = between(addresses.sun, addresses.moon);

function at(host: IpAddress, port = 4500): Endpoint {
  return { address: host, port };
}

// RFC 4555 3.2, 3.3, 4.2.1
test('both ends that want to may move, and use port 4500 from IKE_AUTH on without any NAT', () => {
  const pair = mobile();
  pair.moon.initiate(pair.sun.endpoint);
  assert.equal(pair.take(pair.sun).destination.port, 500);
  const again = mobile().establish();
  for (const host of [again.moon, again.sun]) {
    assert.notEqual(host.sa.mobility, undefined);
    assert.equal(host.sa.local.port, 4500);
    assert.equal(host.sa.remote.port, 4500);
    assert.equal(host.sa.nat.local || host.sa.nat.remote, false);
  }
  assert.equal(again.moon.sa.mobility?.client, true);
  assert.equal(again.sun.sa.mobility?.client, false);
  // Without a NAT ESP stays out of UDP.
  assert.deepEqual(tunnels(again.sun), atHome);
});

// RFC 4555 3.2, 1.2
test('one end that does not want to, or has anything but tunnels, is enough not to', () => {
  const transport = { children: [child('sun', { mode: 'transport' as const })] };
  for (const options of [
    { moon: { change: { mobike: false } } },
    { sun: { change: { mobike: false } } },
    { sun: { change: transport } },
  ]) {
    const pair = mobile(options);
    pair.moon.initiate(pair.sun.endpoint);
    pair.settle();
    assert.equal(pair.moon.sa.mobility, undefined);
    assert.equal(pair.sun.sa.mobility, undefined);
    pair.moon.command({ kind: 'move', local: elsewhere });
    pair.collect();
    assert.equal(pair.wire.length, 0);
  }
});

// RFC 4555 3.5, 3.7, 4.2.4
test('a client that moves takes its Child SAs along, and the gateway follows once it has answered from there', () => {
  const pair = mobile().establish();
  const before = [pair.moon.sa.initiatorSpi, ...pair.moon.sa.outboundSpis];
  pair.moon.command({ kind: 'move', local: elsewhere });
  pair.collect();
  assert.deepEqual(tunnels(pair.moon), between(elsewhere, addresses.sun));
  const update = pair.take(pair.sun);
  assert.equal(update.source.address, elsewhere);
  pair.deliver(pair.sun, update);
  // It believes the IKE SA, and asks.
  assert.equal(pair.sun.sa.remote.address, elsewhere);
  assert.deepEqual(pair.sun.sa.mobility?.tunnel.remote, at(addresses.moon));
  assert.deepEqual(tunnels(pair.sun), atHome);
  pair.settle();
  assert.deepEqual(tunnels(pair.sun), between(addresses.sun, elsewhere));
  assert.deepEqual([pair.moon.sa.initiatorSpi, ...pair.moon.sa.outboundSpis], before);
  assert.deepEqual(
    pair.sun.eventsOf('peer-moved').map(({ from, to }) => [from.address, to.address]),
    [[addresses.moon, elsewhere]],
  );
  assert.deepEqual(
    pair.sun.eventsOf('path-checked').map(({ proven }) => proven),
    [true],
  );
  assert.equal(pair.moon.eventsOf('moved').length, 1);
  pair.assertKeysAgree();
});

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

// RFC 4555 3.5
test('a client that moves again before the answer tells the gateway once more', () => {
  const pair = mobile().establish();
  pair.moon.command({ kind: 'move', local: elsewhere });
  const first = pair.take(pair.sun);
  pair.moon.command({ kind: 'move', local: third });
  // The first is repeated from where we are now.
  pair.deliver(pair.sun, first);
  pair.settle();
  pair.run(3_000);
  assert.equal(pair.sun.sa.remote.address, third);
  assert.deepEqual(tunnels(pair.sun), between(addresses.sun, third));
  assert.deepEqual(tunnels(pair.moon), between(third, addresses.sun));
});

test('what waits for an answer goes out from the new address at once, and that is no sign of silence', () => {
  const pair = mobile().establish();
  pair.moon.command({ kind: 'rekey-ike' });
  pair.drop(pair.sun);
  pair.moon.command({ kind: 'move', local: elsewhere });
  pair.collect();
  assert.deepEqual(
    pair.wire.map(({ source }) => source.address),
    [elsewhere],
  );
  assert.deepEqual(pair.moon.eventsOf('retransmitting'), []);
  pair.settle();
  assert.deepEqual(tunnels(pair.sun), between(addresses.sun, elsewhere));
});

test('a client that moves away and back at once leaves both ends where they were', () => {
  const pair = mobile().establish();
  pair.moon.command({ kind: 'move', local: elsewhere });
  pair.deliver(pair.sun);
  pair.moon.command({ kind: 'move', local: addresses.moon });
  pair.settle();
  pair.run(5_000);
  assert.deepEqual(tunnels(pair.sun), atHome);
  assert.equal(pair.sun.sa.remote.address, addresses.moon);
  assert.equal(pair.sun.sa.phase, 'established');
});

test('an update or a check that is lost is repeated after a second, beside the tries that silence is measured by', () => {
  const retransmit = { baseMs: 4_000, factor: 2, tries: 2, jitter: 0 };
  const pair = mobile({ moon: { change: { retransmit } }, sun: { change: { retransmit } } }).establish();
  pair.moon.command({ kind: 'move', local: elsewhere });
  pair.drop(pair.sun);
  pair.wait(1_000);
  pair.deliver(pair.sun);
  pair.deliver(pair.moon);
  pair.drop(pair.moon);
  pair.wait(1_000);
  pair.settle();
  assert.deepEqual(tunnels(pair.sun), between(addresses.sun, elsewhere));
  for (const host of [pair.moon, pair.sun]) assert.deepEqual(host.eventsOf('retransmitting'), []);
  // All tries are still there.
  pair.moon.command({ kind: 'move', local: third });
  const sentAt: number[] = [];
  pair.collect();
  for (const start = pair.now; pair.moon.sa.phase === 'established'; pair.wait(100)) {
    for (const { source } of pair.wire.splice(0)) if (source.address === third) sentAt.push(pair.now - start);
  }
  assert.deepEqual(sentAt, [0, 1_000, 5_000, 13_000]);
});

test('lost updates, answers and checks are repeated until both ends agree', () => {
  for (let lost = 0; lost < 5; lost++) {
    const pair = mobile().establish();
    pair.moon.command({ kind: 'move', local: elsewhere });
    pair.collect();
    for (let count = 0, passes = 0; passes < 400; passes++) {
      const [datagram] = pair.wire.splice(0, 1);
      if (datagram === undefined) pair.wait(100);
      else if (count++ !== lost) pair.deliver(datagram.to, datagram);
    }
    assert.deepEqual(tunnels(pair.sun), between(addresses.sun, elsewhere), `message ${lost} is lost`);
  }
});

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

// RFC 4555 3.5
test('moves and rekeyings of both SAs at once end with all SAs where the client is', () => {
  for (const rekey of ['rekey-ike', 'rekey-child'] as const) {
    for (const by of ['moon', 'sun'] as const) {
      for (let held = 0; held < 4; held++) {
        const pair = mobile().establish();
        const command = rekey === 'rekey-ike' ? { kind: rekey } : { kind: rekey, childId: 1 };
        pair[by].command(command);
        pair.collect();
        for (let i = 0; i < held; i++) {
          const datagram = pair.wire.shift();
          if (datagram !== undefined) pair.deliver(datagram.to, datagram);
        }
        pair.moon.command({ kind: 'move', local: elsewhere });
        pair.settle();
        pair.run(20_000);
        const told = `${rekey} by ${by}, ${held} messages before`;
        assert.deepEqual(new Set(tunnels(pair.sun)), new Set(between(addresses.sun, elsewhere)), told);
        assert.deepEqual(new Set(tunnels(pair.moon)), new Set(between(elsewhere, addresses.sun)), told);
        assert.equal(pair.sun.sa.mobility?.client, false);
        assert.equal(pair.moon.sa.mobility?.client, true);
        pair.assertKeysAgree();
      }
    }
  }
});

test('an update that is lost with the IKE SA under which it was sent is sent under the one that replaces it', () => {
  const pair = mobile().establish();
  pair.moon.command({ kind: 'move', local: elsewhere });
  pair.drop(pair.sun);
  pair.sun.command({ kind: 'rekey-ike' });
  pair.settle();
  assert.equal(pair.sun.sa.remote.address, elsewhere);
  assert.deepEqual(tunnels(pair.sun), between(addresses.sun, elsewhere));
});

test('after the gateway has rekeyed the IKE SA it is still the client who moves', () => {
  const pair = mobile().establish();
  pair.sun.command({ kind: 'rekey-ike' });
  pair.settle();
  assert.equal(pair.sun.sa.role, 'initiator');
  pair.moon.command({ kind: 'move', local: elsewhere });
  pair.settle();
  assert.deepEqual(tunnels(pair.sun), between(addresses.sun, elsewhere));
});

test('a pair made while the gateway still asks leads to where the peer was known to be', () => {
  const pair = mobile().establish();
  pair.moon.command({ kind: 'move', local: elsewhere });
  pair.deliver(pair.sun);
  const [answer, check] = [pair.take(pair.moon), pair.take(pair.moon)];
  pair.deliver(pair.moon, answer);
  pair.moon.command({ kind: 'rekey-child', childId: 1 });
  pair.deliver(pair.sun);
  assert.deepEqual(new Set(tunnels(pair.sun)), new Set(atHome));
  pair.deliver(pair.moon, check);
  pair.settle();
  assert.deepEqual(new Set(tunnels(pair.sun)), new Set(between(addresses.sun, elsewhere)));
});

// RFC 4555 3.5
test('a gateway that does not accept where we are makes us begin anew', () => {
  const pair = mobile().establish();
  // No host has its own address as that of its peer.
  pair.moon.command({ kind: 'move', local: elsewhere });
  const update = pair.take(pair.sun);
  pair.deliver(pair.sun, { ...update, source: at(addresses.sun) });
  pair.settle();
  assert.equal(pair.moon.eventsOf('move-refused').length, 1);
  assert.equal(pair.moon.sa.phase, 'ended');
  assert.deepEqual(
    pair.sun.commands.filter(({ kind }) => kind === 'update-addresses'),
    [],
  );
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
