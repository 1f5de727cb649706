// I1 by way of a rendezvous server, R1 straight from whom it was for, and everything that must not work (RFC 8004 3.3, 4).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { appendHipMac } from '#crypto';
import { address, addressBytes } from '#sa';
import {
  appendHipParameters,
  decodeHipPacket,
  encodeHipPacket,
  type HipPacket,
  HipPacketType,
  type HipParameter,
  type HipParameterName,
  type HipParameterOf,
  type Hit,
  hipParameter,
  hipUdpPort,
  writeHipChecksum,
  zeroHit,
} from '#wire';
import { addressesOf } from '../host-state.ts';
import type { HipPath } from '../interface.ts';
import type { TestHost, Transit } from '../testing/test-host.ts';
import { ThreeHosts } from '../testing/three-hosts.ts';

/** As its receiver reads it: in IP with the right checksum for the addresses that it has now. */
function decode({ octets, path }: Transit): HipPacket {
  const inUdp = path.remote.port !== 0;
  return decodeHipPacket(octets, inUdp ? undefined : addressesOf(path.local.address, path.remote.address));
}

function parameterOf<Name extends HipParameterName>(
  transit: Transit,
  name: Name,
): HipParameterOf<Name> | undefined {
  return hipParameter(decode(transit).parameters, name);
}

function withChecksum(octets: Uint8Array, { local, remote }: HipPath): Uint8Array {
  const packet = octets.slice();
  if (remote.port === 0) writeHipChecksum(packet, addressesOf(remote.address, local.address));
  return packet;
}

/** An I1 of anybody, as it arrives at a host. */
function give(hosts: ThreeHosts, to: TestHost, path: HipPath, octets: Uint8Array): void {
  to.give(hosts.now, { kind: 'packet', path, octets: withChecksum(octets, path) });
}

function i1(sender: Hit, receiver: Hit, ...more: HipParameter[]): Uint8Array {
  return encodeHipPacket({
    header: { packetType: HipPacketType.I1, anonymous: false, sender, receiver },
    parameters: [{ type: 'DH_GROUP_LIST', groups: [7] }, ...more],
  });
}

const networks = [
  { family: 'IPv4', port: 0 },
  { family: 'IPv6', port: 0 },
  { family: 'IPv4', port: hipUdpPort },
] as const;

for (const network of networks) {
  const name = `${network.family}${network.port === 0 ? '' : ' in UDP'}`;

  // RFC 8004 3.3, 4.2.1, 4.2.2, 4.2.3, 4.3.1, 4.3.2, 4.3.3, 4.3.4
  test(`the server passes I1 on and nothing else: ${name}`, () => {
    const hosts = new ThreeHosts(network).register();
    const { moon, hub, sun } = hosts;
    hosts.call(moon, sun, hub);
    const called = hosts.take(moon);
    hosts.deliver(called);
    const relayed = hosts.take(hub);
    assert.deepEqual(relayed.path, hosts.path(hub, sun));
    const from = parameterOf(relayed, 'FROM');
    assert.deepEqual(from?.address, addressBytes(moon.address));
    assert.equal(parameterOf(relayed, 'RVS_HMAC')?.mac.length, 48);
    hosts.deliver(relayed);
    const r1 = hosts.take(sun);
    assert.deepEqual(r1.path, hosts.path(sun, moon));
    assert.deepEqual(parameterOf(r1, 'VIA_RVS')?.addresses, [addressBytes(hub.address)]);
    hosts.deliver(r1);
    const rest: string[] = [];
    hosts.settle((transit) => {
      rest.push(hosts.story(transit));
      return true;
    });
    assert.deepEqual(rest, ['moon I2 sun', 'sun R2 moon']);
    assert.equal(moon.state(sun.hit), 'ESTABLISHED');
    const [association] = moon.host.status().filter(({ remote }) => remote === sun.hit);
    assert.deepEqual(association?.path, hosts.path(moon, sun));
    assert.deepEqual([moon.rejections, hub.rejections, sun.rejections], [[], [], []]);
  });
}

describe('the relayed I1', () => {
  test('has the octets of the one that came, and what is said in addition is under the key of the registration', () => {
    for (const hubKey of ['p384-a', 'rsa-a'] as const) {
      const hosts = new ThreeHosts({ hubKey }).register();
      const { moon, hub, sun } = hosts;
      hosts.call(moon, sun, hub);
      const called = hosts.take(moon);
      hosts.deliver(called);
      const relayed = hosts.take(hub);
      // Behind Header Length and Checksum all is as it was.
      assert.deepEqual(relayed.octets.slice(6, called.octets.length), called.octets.slice(6));
      // RFC 8004 says nothing of the ratio; the document does.
      assert.equal(called.octets.length, 48);
      assert.equal(relayed.octets.length, hubKey === 'rsa-a' ? 112 : 128);
    }
  });

  test('goes to where the client has moved, once it has proven that it is there, and not before', () => {
    const hosts = new ThreeHosts().register();
    const { moon, hub, sun } = hosts;
    const before = sun.address;
    const to = address('203.0.113.7');
    sun.address = to;
    sun.give(hosts.now, { kind: 'command', command: { kind: 'move', from: before, to } });
    // The UPDATE arrives, its verification is under way.
    hosts.deliver(hosts.take(sun));
    const verification = hosts.take(hub);
    assert.equal(verification.path.remote.address, to);
    hosts.call(moon, sun, hub);
    hosts.deliver(hosts.take(moon));
    assert.equal(hosts.take(hub).path.remote.address, before);
    hosts.deliver(verification);
    hosts.settle();
    hosts.wait(1_000);
    assert.equal(moon.state(sun.hit), 'ESTABLISHED');
    const [association] = moon.host.status().filter(({ remote }) => remote === sun.hit);
    assert.equal(association?.path.remote.address, to);
    assert.equal(hosts.registration, 'registered');
  });

  test('gets to a client whose server has restarted, after the client has noticed', () => {
    const hosts = new ThreeHosts({ lifetimeMs: 60_000 }).register();
    const { moon, hub, sun } = hosts;
    hub.crash(hosts.now);
    hosts.callThroughHub();
    assert.equal(moon.state(sun.hit), 'I1-SENT');
    assert.deepEqual(hub.rejections.slice(-1), ['I1 not-registered']);
    hosts.wait(90_000);
    hosts.callThroughHub();
    assert.equal(moon.state(sun.hit), 'ESTABLISHED');
  });
});

describe('a server relays to nobody', () => {
  const stranger = '20010022000000000000000000000009' as Hit;

  test('who is not registered, or not any longer', () => {
    const hosts = new ThreeHosts().register();
    const { moon, hub, sun } = hosts;
    give(hosts, hub, hosts.path(hub, moon), i1(moon.hit, stranger));
    // An association alone is no registration.
    hosts.call(moon, hub);
    hosts.settle();
    give(hosts, hub, hosts.path(hub, sun), i1(sun.hit, moon.hit));
    assert.deepEqual(hub.rejections, ['I1 not-registered', 'I1 not-registered']);
    hosts.now += 10 * 60_000;
    give(hosts, hub, hosts.path(hub, moon), i1(moon.hit, sun.hit));
    assert.deepEqual(hub.rejections.slice(2), ['I1 not-registered']);
    sun.give(hosts.now, {
      kind: 'command',
      command: { kind: 'close', local: sun.hit, remote: hub.hit, reason: 'a test' },
    });
    hosts.settle();
    give(hosts, hub, hosts.path(hub, moon), i1(moon.hit, sun.hit));
    assert.deepEqual(hub.rejections.slice(3), ['I1 not-registered']);
    assert.deepEqual(hub.sent, []);
  });

  test('if it is none', () => {
    const hosts = new ThreeHosts();
    hosts.load(hosts.hub, { registrar: undefined } as never);
    const { hub, moon } = hosts;
    give(hosts, hub, hosts.path(hub, moon), i1(moon.hit, stranger));
    assert.deepEqual(hub.rejections, ['I1 not-ours']);
  });

  test('who would be called without a name: such an I1 is for the server itself', () => {
    const hosts = new ThreeHosts().register();
    const { hub, moon } = hosts;
    give(hosts, hub, hosts.path(hub, moon), i1(moon.hit, zeroHit));
    assert.equal(hosts.story(hosts.take(hub)), 'hub R1 moon');
  });

  test('what another server has relayed, what is no I1, and what the client could not answer', () => {
    const hosts = new ThreeHosts().register();
    const { hub, moon, sun } = hosts;
    const path = hosts.path(hub, moon);
    const from: HipParameter = { type: 'FROM', address: addressBytes(address('203.0.113.9')) };
    give(hosts, hub, path, i1(moon.hit, sun.hit, from));
    give(hosts, hub, path, i1(moon.hit, sun.hit, { type: 'RVS_HMAC', mac: new Uint8Array(48) }));
    give(hosts, hub, path, i1(stranger.replace('22', '2e') as Hit, sun.hit));
    const bare = encodeHipPacket({
      header: { packetType: HipPacketType.I1, anonymous: false, sender: moon.hit, receiver: sun.hit },
      parameters: [],
    });
    give(hosts, hub, path, bare);
    // FROM has no room for a port, and sun is not in UDP; it has no IPv6 address either.
    for (const remote of [
      { address: moon.address, port: hipUdpPort },
      { address: moon.address, port: 4_711 },
    ])
      give(hosts, hub, { local: { address: hub.address, port: hipUdpPort }, remote }, i1(moon.hit, sun.hit));
    const six = { address: address('2001:db8::1'), port: 0 };
    give(
      hosts,
      hub,
      { local: { address: address('2001:db8::3'), port: 0 }, remote: six },
      i1(moon.hit, sun.hit),
    );
    const filler = { type: 'unknown' as const, parameterType: 4_000, contents: new Uint8Array(1_930) };
    give(hosts, hub, path, i1(moon.hit, sun.hit, filler));
    assert.deepEqual(hub.rejections, [
      'I1 relayed-before',
      'I1 relayed-before',
      'I1 hit-suite',
      'I1 missing-parameter',
      'I1 relay-path',
      'I1 relay-path',
      'I1 relay-path',
      'I1 malformed',
    ]);
    assert.deepEqual(hub.sent, []);
  });

  test('in UDP, for whom a NAT has given another port', () => {
    const hosts = new ThreeHosts({ port: hipUdpPort }).register();
    const { hub, moon, sun } = hosts;
    const remote = { address: moon.address, port: 4_711 };
    give(hosts, hub, { local: { address: hub.address, port: hipUdpPort }, remote }, i1(moon.hit, sun.hit));
    assert.deepEqual(hub.rejections, ['I1 relay-path']);
  });

  test('more than its rates allow, for one prefix and for all together', () => {
    const hosts = new ThreeHosts({
      registrar: { relayPerSecond: { perPrefix: 3, total: 10 } },
    }).register();
    const { hub, moon, sun } = hosts;
    const octets = i1(moon.hit, sun.hit);
    const flood = (last: number): void => {
      const remote = { address: address(`198.51.100.${last}`), port: 0 };
      give(hosts, hub, { local: hub.endpoint, remote }, octets);
    };
    for (let times = 0; times < 50; times++) flood(1);
    assert.equal(hub.sent.splice(0).length, 3);
    for (let last = 2; last < 100; last++) flood(last);
    assert.equal(hub.sent.splice(0).length, 7);
    hosts.now += 500;
    for (let last = 2; last < 100; last++) flood(last);
    assert.equal(hub.sent.splice(0).length, 5);
    assert.ok(hub.rejections.every((reason) => reason === 'I1 relay-rate'));
  });
});

describe('a client believes nothing of a relayed I1', () => {
  interface Stage {
    readonly hosts: ThreeHosts;
    /** I1 with FROM as hub would relay it, but for a MAC. */
    readonly unsealed: Uint8Array;
    readonly relayed: Transit;
    readonly path: HipPath;
  }

  function stage(): Stage {
    const hosts = new ThreeHosts().register();
    const { moon, hub, sun } = hosts;
    hosts.call(moon, sun, hub);
    hosts.deliver(hosts.take(moon));
    const relayed = hosts.take(hub);
    const from: HipParameter = { type: 'FROM', address: addressBytes(moon.address) };
    return { hosts, relayed, unsealed: i1(moon.hit, sun.hit, from), path: hosts.path(sun, hub) };
  }

  function rejected({ hosts, path }: Stage, octets: Uint8Array, reason: string): void {
    const { sun } = hosts;
    const before = sun.rejections.length;
    give(hosts, sun, path, octets);
    assert.deepEqual(sun.rejections.slice(before), [`I1 ${reason}`]);
    assert.deepEqual(sun.sent, []);
  }

  // RFC 8004 4.3.2: MUST be dropped.
  test('without a MAC, or with one that is not right in any octet', () => {
    const all = stage();
    rejected(all, all.unsealed, 'rvs-hmac');
    const { octets } = all.relayed;
    // FROM's address and the MAC itself; the header's fields of no meaning are not looked at.
    for (let at = octets.length - 24 - 56 + 4; at < octets.length; at++) {
      if (at === octets.length - 4 || at > octets.length - 5) continue;
      const forged = octets.slice();
      forged[at] = forged[at]! ^ 1;
      const before = all.hosts.sun.rejections.length;
      give(all.hosts, all.hosts.sun, all.path, forged);
      assert.equal(all.hosts.sun.rejections.length, before + 1, `octet ${at}`);
      assert.deepEqual(all.hosts.sun.sent, [], `octet ${at}`);
    }
  });

  test('under the key of an association in which it is not registered', () => {
    const all = stage();
    const { moon, sun, hub } = all.hosts;
    // moon has an association with sun, and could be believed to be its server.
    all.hosts.deliver(all.relayed);
    all.hosts.settle();
    assert.equal(moon.state(sun.hit), 'ESTABLISHED');
    const key = new Uint8Array(48).fill(1);
    rejected(all, appendHipMac(all.unsealed, hub.hit, key, 'RVS_HMAC'), 'rvs-hmac');
  });

  test('once its registration has been cancelled', () => {
    const all = stage();
    const { sun } = all.hosts;
    all.hosts.load(sun, { peers: sun.configuration.peers.map(({ registration: _, ...peer }) => peer) });
    all.hosts.settle();
    rejected(all, all.relayed.octets, 'rvs-hmac');
  });

  test('that names nobody', () => {
    const all = stage();
    const { moon } = all.hosts;
    const from: HipParameter = { type: 'FROM', address: addressBytes(moon.address) };
    rejected(all, i1(moon.hit, zeroHit, from), 'opportunistic');
  });

  test('beyond the budget for R1 of the address in FROM', () => {
    const all = stage();
    const { sun } = all.hosts;
    for (let times = 0; times < 20; times++) give(all.hosts, sun, all.path, all.relayed.octets);
    assert.equal(sun.sent.length, 8);
    assert.equal(sun.rejections.filter((reason) => reason === 'I1 rate').length, 12);
  });
});

describe('an Initiator', () => {
  function answered(): { hosts: ThreeHosts; r1: Transit } {
    const hosts = new ThreeHosts().register();
    const { moon, hub, sun } = hosts;
    hosts.call(moon, sun, hub);
    hosts.deliver(hosts.take(moon));
    hosts.deliver(hosts.take(hub));
    return { hosts, r1: hosts.take(sun) };
  }

  // RFC 8004 4.3.4
  test('goes by HITs if it called through a server, whatever VIA_RVS says', () => {
    const { hosts, r1 } = answered();
    const { moon, sun } = hosts;
    const { header } = decode(r1);
    assert.equal(header.receiver, moon.hit);
    const bare = r1.octets.slice(0, -24);
    bare[1] = bare.length / 8 - 1;
    give(hosts, moon, hosts.path(moon, sun), bare);
    assert.deepEqual(moon.rejections, []);
    assert.equal(hosts.story(hosts.take(moon)), 'moon I2 sun');
  });

  test('that called an address takes an R1 from elsewhere if it names that address, and not otherwise', () => {
    const { hosts, r1 } = answered();
    const { moon, sun } = hosts;
    hosts.load(moon, {
      peers: moon.configuration.peers.map(({ rendezvous: _, ...peer }) => peer),
    });
    const bare = r1.octets.slice(0, -24);
    bare[1] = bare.length / 8 - 1;
    const elsewhere: HipParameter = {
      type: 'VIA_RVS',
      addresses: [addressBytes(address('203.0.113.3'))],
    };
    const path = hosts.path(moon, sun);
    give(hosts, moon, path, bare);
    give(hosts, moon, path, appendHipParameters(bare, [elsewhere]));
    assert.deepEqual(moon.rejections, ['R1 address', 'R1 address']);
    give(hosts, moon, path, r1.octets);
    assert.equal(hosts.story(hosts.take(moon)), 'moon I2 sun');
  });

  // RFC 8046 3.2.3
  test('whose peer does not answer where it was calls it there and through its server', () => {
    const hosts = new ThreeHosts().register();
    const { moon, sun } = hosts;
    hosts.callThroughHub();
    assert.equal(moon.state(sun.hit), 'ESTABLISHED');
    // Both move at once: neither hears of the other's new address.
    for (const [host, to] of [
      [moon, address('203.0.113.1')],
      [sun, address('203.0.113.2')],
    ] as const) {
      const from = host.address;
      host.address = to;
      host.give(hosts.now, { kind: 'command', command: { kind: 'move', from, to } });
    }
    hosts.wait(120_000);
    const [association] = moon.host.status().filter(({ remote }) => remote === sun.hit);
    assert.equal(association?.path.remote.address, sun.address);
    assert.equal(moon.state(sun.hit), 'ESTABLISHED');
  });
});

test('the MAC of the server is made with the key of its direction, whoever called whom', () => {
  const hosts = new ThreeHosts();
  const { moon, hub, sun } = hosts;
  hosts.call(hub, sun);
  hosts.settle();
  assert.equal(hosts.registration, 'registered');
  const seen = hosts.callThroughHub();
  assert.deepEqual(seen, ['moon I1 hub', 'hub I1 sun', 'sun R1 moon', 'moon I2 sun', 'sun R2 moon']);
  assert.equal(moon.state(sun.hit), 'ESTABLISHED');
});
