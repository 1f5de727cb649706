import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address, type DataPlaneEvent, type SaCommand, type Spi } from '#sa';
import { decodeIp, encodeIp } from '#wire';
import {
  delivered,
  drain,
  eventsOf,
  flow,
  ipPacket,
  policyFor,
  receive,
  receiverOuter,
  testRandomness,
  toHex,
  transmitted,
} from '../testing/fixtures.ts';
import { hosts, seal } from '../testing/hosts.ts';
import type { DataPlaneOutput } from './interface.ts';
import { MemoryDataPlane } from './memory-data-plane.ts';

function plane(options: Partial<ConstructorParameters<typeof MemoryDataPlane>[0]> = {}): MemoryDataPlane {
  return new MemoryDataPlane({ randomness: testRandomness, ...options });
}

function onlyEvent<K extends DataPlaneEvent['kind']>(
  outputs: readonly DataPlaneOutput[],
  kind: K,
): DataPlaneEvent & { readonly kind: K } {
  const found = outputs.flatMap((output) =>
    output.kind === 'event' && output.event.kind === kind ? [output.event] : [],
  );
  assert.equal(found.length, 1);
  return found[0] as DataPlaneEvent & { readonly kind: K };
}

// RFC 4301 4.1
test('given a taken SPI, an SA is refused with exists: inbound anywhere, outbound at the same peer only', () => {
  const host = plane();
  const first = flow();
  const second = flow({ childId: 2 });
  for (const sa of [first.sender, first.receiver]) assert.ok(host.apply({ kind: 'install', sa }, 0).ok);
  for (const sa of [second.sender, second.receiver]) {
    const result = host.apply({ kind: 'install', sa }, 0);
    assert.equal(result.ok || result.code, 'exists');
  }
  const elsewhere = { ...flow({ childId: 3 }).sender, remote: address('203.0.113.9') };
  assert.ok(host.apply({ kind: 'install', sa: elsewhere }, 0).ok);
});

test('an SA of a protocol that the way to the wire does not carry is refused with unsupported', () => {
  const host = new MemoryDataPlane({ randomness: testRandomness, protocols: ['ah'] });
  const result = host.apply({ kind: 'install', sa: flow().sender }, 0);
  assert.equal(result.ok || result.code, 'unsupported');
});

test('what this data plane cannot do is refused with unsupported', () => {
  const host = plane();
  const { sender } = flow();
  for (const sa of [
    { ...sender, protocol: 'ah' as const, mode: 'beet' as const },
    { ...sender, protocol: 'ah' as const, encapsulation: { localPort: 4500, remotePort: 4500 } },
    { ...sender, replayWindow: 5000 },
    { ...sender, encryption: { id: 9999, keyLengthBits: 128, key: new Uint8Array(16) } },
  ]) {
    const result = host.apply({ kind: 'install', sa }, 0);
    assert.equal(result.ok || result.code, 'unsupported');
  }
  const wide = host.apply({ kind: 'install', sa: { ...sender, mode: 'beet' } }, 0);
  assert.equal(wide.ok || wide.code, 'failed', 'BEET needs single addresses');
  const badKey = { ...sender, encryption: { ...sender.encryption!, key: new Uint8Array(3) } };
  const result = host.apply({ kind: 'install', sa: badKey }, 0);
  assert.equal(result.ok || result.code, 'failed');
});

test('commands about SAs and policies that are not there are answered with missing', () => {
  const host = plane();
  const { sender } = flow();
  const endpoint = { address: sender.remote, port: 4500 };
  const common = { protocol: 'esp', spi: sender.spi, childId: 1 } as const;
  const commands: SaCommand[] = [
    { kind: 'use-outbound', ...common },
    { kind: 'remove', ...common, direction: 'inbound' },
    { kind: 'remove', ...common, direction: 'outbound' },
    {
      kind: 'update-addresses',
      ...common,
      direction: 'inbound',
      local: endpoint,
      remote: endpoint,
      encapsulated: true,
    },
    {
      kind: 'update-addresses',
      ...common,
      direction: 'outbound',
      local: endpoint,
      remote: endpoint,
      encapsulated: true,
    },
    { kind: 'remove-policy', policyId: 4 },
  ];
  for (const command of commands) {
    const result = host.apply(command, 0);
    assert.equal(result.ok || result.code, 'missing');
  }
});

// RFC 4303 3.3.1
test('after a rekey, traffic leaves by the old SA until use-outbound, and by the new one from then on', () => {
  const { sender } = hosts();
  const { sender: next } = flow({ spi: 0x5000, more: { generation: 1 } });
  sender.apply({ kind: 'install', sa: next }, 0);
  assert.equal(seal(sender, ipPacket()).octets[0], 0xc0);
  sender.apply({ kind: 'use-outbound', protocol: 'esp', spi: 0x5000 as Spi, childId: 1 }, 0);
  assert.equal(toHex(seal(sender, ipPacket()).octets.subarray(0, 4)), '00005000');
  sender.apply(
    { kind: 'remove', protocol: 'esp', direction: 'outbound', spi: 0xc0ffee01 as Spi, childId: 1 },
    0,
  );
  assert.equal(toHex(seal(sender, ipPacket()).octets.subarray(0, 4)), '00005000');
});

test('given that the sending SA of a pair is removed, the newest remaining one sends', () => {
  const { sender, senderSa } = hosts();
  for (const [spi, generation] of [
    [0x6000, 2],
    [0x5000, 1],
  ] as const) {
    sender.apply({ kind: 'install', sa: flow({ spi, more: { generation } }).sender }, 0);
  }
  sender.apply({ kind: 'remove', protocol: 'esp', direction: 'outbound', spi: senderSa.spi, childId: 1 }, 0);
  assert.equal(toHex(seal(sender, ipPacket()).octets.subarray(0, 4)), '00006000');
});

test('moving SAs to other addresses keeps sequence numbers and the replay window', () => {
  const { sender, receiver, senderSa, receiverSa } = hosts();
  const before = seal(sender, ipPacket());
  receive(receiver, before, 0);
  const here = { address: address('203.0.113.1'), port: 4500 };
  const there = { address: address('203.0.113.2'), port: 4501 };
  const common = { kind: 'update-addresses', protocol: 'esp', childId: 1, encapsulated: true } as const;
  sender.apply({ ...common, direction: 'outbound', spi: senderSa.spi, local: here, remote: there }, 0);
  receiver.apply({ ...common, direction: 'inbound', spi: receiverSa.spi, local: there, remote: here }, 0);
  const after = seal(sender, ipPacket());
  assert.deepEqual([after.protocol, after.local, after.remote], ['udp', here, there]);
  assert.equal(after.octets[7], 2, 'the sequence number goes on');
  assert.deepEqual(eventsOf(receive(receiver, before, 0)), []);
  assert.equal(receiver.stats().verdicts['replayed'], 1);
  const outputs = receive(receiver, after, 0);
  assert.equal(delivered(outputs).length, 1);
  assert.deepEqual(eventsOf(outputs), []);
  sender.apply({ kind: 'remove', protocol: 'esp', direction: 'outbound', spi: senderSa.spi, childId: 1 }, 0);
  assert.equal(sender.counters('esp', 'outbound', senderSa.spi), undefined);
});

test('a new mapping of a NAT is reported for the newest packet only, and once', () => {
  const { sender, receiver } = hosts({ encapsulated: true });
  const [first, second, third, fourth] = [1, 2, 3, 4].map(() => seal(sender, ipPacket()));
  const moved = { remote: { address: address('203.0.113.50'), port: 61000 } };
  receive(receiver, second!, 0);
  // An older packet, authentic and unseen, from elsewhere: somebody may have held it back.
  assert.deepEqual(eventsOf(receive(receiver, first!, 0, moved)), []);
  assert.deepEqual(eventsOf(receive(receiver, second!, 0, moved)), []);
  const event = onlyEvent(receive(receiver, third!, 0, moved), 'mapping-changed');
  assert.deepEqual(event.remote, moved.remote);
  assert.deepEqual(eventsOf(receive(receiver, fourth!, 0, moved)), []);
  assert.deepEqual(eventsOf(receive(receiver, seal(sender, ipPacket()), 0)), []);
  assert.deepEqual(eventsOf(receive(receiver, seal(sender, ipPacket()), 0, moved)), ['mapping-changed']);
});

test('without a NAT, another source address is no mapping', () => {
  const { sender, receiver } = hosts();
  const moved = { remote: { address: address('203.0.113.50'), port: 0 } };
  assert.deepEqual(eventsOf(receive(receiver, seal(sender, ipPacket()), 0, moved)), ['first-inbound']);
});

// RFC 3948 2.3
test('keepalives and IKE messages on the ESP port disturb nothing', () => {
  const { receiver, receiverSa } = hosts({ encapsulated: true });
  const local = { address: receiverSa.local, port: 4500 };
  const remote = { address: receiverSa.remote, port: 4500 };
  receiver.inbound({ local, remote, protocol: 'udp', octets: Uint8Array.of(0xff) }, 0);
  receiver.inbound({ local, remote, protocol: 'udp', octets: new Uint8Array(40) }, 0);
  assert.deepEqual(drain(receiver), []);
  assert.equal(receiver.stats().verdicts['keepalive'], 1);
  assert.equal(receiver.stats().verdicts['not-esp'], 1);
});

// RFC 4303 3.4.2
test('unknown SPIs leave evidence, merged by SPI and source, and no more than fits', () => {
  const host = plane({ unknownSpisMax: 2 });
  const local = { address: receiverOuter[4], port: 4500 };
  const from = (port: number, spi: number, sequence: number): void => {
    const octets = new Uint8Array(60);
    new DataView(octets.buffer).setUint32(0, spi);
    new DataView(octets.buffer).setUint32(4, sequence);
    const remote = { address: address('203.0.113.9'), port };
    host.inbound({ local, remote, protocol: 'udp', octets, interfaceName: 'wan0', flowLabel: 3 }, 0);
  };
  from(1000, 0xabcd, 5);
  from(1000, 0xabcd, 6);
  from(2000, 0xabcd, 7);
  from(3000, 0xabcd, 8);
  from(2000, 0xabcd, 9);
  const evidence = drain(host).flatMap((output) =>
    output.kind === 'event' && output.event.kind === 'unknown-spi' ? [output.event.evidence] : [],
  );
  assert.deepEqual(
    evidence.map((one) => [one.source.port, one.spi, one.sequence, one.lengthBytes, one.count]),
    [
      [1000, 0xabcd, 5, 60, 2],
      [2000, 0xabcd, 7, 60, 2],
    ],
  );
  assert.deepEqual([evidence[0]?.interfaceName, evidence[0]?.flowLabel], ['wan0', 3]);
  assert.equal(host.stats().unknownSpisDropped, 1);
  from(3000, 0xabcd, 10);
  assert.deepEqual(eventsOf(drain(host)), ['unknown-spi']);
});

test('of a flood only so much evidence comes out per second, what repeats is merged, and the rest is counted', () => {
  const host = plane({ unknownSpisMax: 4, unknownSpisPerSecondMax: 10 });
  const local = { address: receiverOuter[4], port: 4500 };
  const remote = { address: address('203.0.113.9'), port: 4500 };
  const from = (spi: number, at: number): void => {
    const octets = new Uint8Array(60);
    new DataView(octets.buffer).setUint32(0, spi);
    host.inbound({ local, remote, protocol: 'udp', octets }, at);
  };
  const evidence = (): [number, number][] =>
    drain(host).flatMap((output) =>
      output.kind === 'event' && output.event.kind === 'unknown-spi'
        ? [[output.event.evidence.spi, output.event.evidence.count]]
        : [],
    );
  for (let spi = 300; spi < 304; spi++) from(spi, 0);
  assert.equal(evidence().length, 4);
  for (let i = 0; i < 10; i++) from(400 + (i % 5), 0);
  assert.deepEqual(evidence(), []);
  assert.equal(host.deadline(), 100);
  host.handleTimeout(100);
  // It came again after it had been dropped.
  assert.deepEqual(evidence(), [[404, 1]]);
  assert.equal(host.deadline(), 200);
  host.handleTimeout(400);
  assert.deepEqual(
    evidence(),
    [400, 401, 402].map((spi) => [spi, 2]),
  );
  assert.equal(host.deadline(), undefined);
  assert.equal(host.stats().unknownSpisDropped, 3);
  assert.equal(host.stats().verdicts['unknown-spi'], 14);
});

test('a peer that goes on using an unknown SPI is heard through a flood of random ones', () => {
  const host = plane({ unknownSpisMax: 16, unknownSpisPerSecondMax: 100 });
  const local = { address: receiverOuter[4], port: 4500 };
  const from = (spi: number, port: number, at: number): void => {
    const octets = new Uint8Array(60);
    new DataView(octets.buffer).setUint32(0, spi);
    const remote = { address: address('203.0.113.9'), port };
    host.inbound({ local, remote, protocol: 'udp', octets }, at);
  };
  const peerSpi = 0xbeef;
  let heard = 0;
  let random = 0;
  // 20 packets a millisecond against 100 reports a second, and the peer sends one every 20 ms.
  for (let at = 0; at < 1_000; at++) {
    for (let i = 0; i < 20; i++) from(0x1_0000 + random++, 1 + i, at);
    if (at % 20 === 19) from(peerSpi, 4500, at);
    for (const output of drain(host)) {
      if (
        output.kind === 'event' &&
        output.event.kind === 'unknown-spi' &&
        output.event.evidence.spi === peerSpi
      )
        heard++;
    }
  }
  assert.ok(heard >= 15 && heard <= 50, `${heard}`);
});

// RFC 4301 5.1
test('given a trap policy, packets wait for the SA that they ask for', () => {
  const host = plane({ heldPacketsMax: 2 });
  const { sender } = flow();
  host.apply({ kind: 'install-policy', policy: policyFor(sender, { action: 'trap', policyId: 9 }) }, 0);
  for (const dataBytes of [1, 2, 3]) host.outbound(ipPacket({ dataBytes }), 100);
  const outputs = drain(host);
  const acquire = onlyEvent(outputs, 'acquire');
  assert.equal(acquire.policyId, 9);
  assert.deepEqual(
    [
      acquire.local.start,
      acquire.local.startPort,
      acquire.remote.end,
      acquire.remote.endPort,
      acquire.local.protocol,
    ],
    ['10.1.0.5', 1024, '10.2.0.7', 53, 17],
  );
  assert.equal(outputs.length, 1, 'nothing leaves');
  host.apply({ kind: 'install', sa: sender }, 200);
  assert.deepEqual(drain(host), []);
  host.apply({ kind: 'install-policy', policy: policyFor(sender, { priority: 1 }) }, 200);
  assert.equal(transmitted(drain(host)).length, 2);
  assert.equal(host.stats().heldPacketsDropped, 1);
  host.apply({ kind: 'install-policy', policy: policyFor(sender, { priority: 1 }) }, 200);
  assert.deepEqual(drain(host), [], 'released packets leave once');
});

test('packets held for a policy also leave if the policy comes before the SA', () => {
  const host = plane();
  const { sender } = flow();
  host.apply({ kind: 'install-policy', policy: policyFor(sender, { action: 'trap' }) }, 0);
  host.outbound(ipPacket(), 0);
  assert.deepEqual(eventsOf(drain(host)), ['acquire']);
  host.apply({ kind: 'install-policy', policy: policyFor(sender) }, 0);
  assert.deepEqual(drain(host), []);
  host.apply({ kind: 'install', sa: sender }, 0);
  assert.equal(transmitted(drain(host)).length, 1);
});

test('given a discard policy, held packets are not let out by a later SA', () => {
  const host = plane();
  const { sender } = flow();
  host.apply({ kind: 'install-policy', policy: policyFor(sender, { action: 'trap' }) }, 0);
  host.outbound(ipPacket(), 0);
  host.apply(
    { kind: 'install-policy', policy: policyFor(sender, { action: 'discard', policyId: 2, priority: 1 }) },
    0,
  );
  host.apply({ kind: 'install-policy', policy: policyFor(sender) }, 0);
  host.apply({ kind: 'install', sa: sender }, 0);
  assert.deepEqual(transmitted(drain(host)), []);
});

test('a trap policy asks again only after its interval, and held packets are given up in time', () => {
  const host = plane({ acquireIntervalMs: 1000, holdMs: 3000 });
  host.apply({ kind: 'install-policy', policy: policyFor(flow().sender, { action: 'trap' }) }, 0);
  const asks = (at: number): number => {
    host.outbound(ipPacket(), at);
    return drain(host).length;
  };
  assert.deepEqual([asks(0), asks(999), asks(1000), asks(1500), asks(2000)], [1, 0, 1, 0, 1]);
  assert.equal(host.deadline(), 3000);
  host.handleTimeout(6000);
  assert.equal(host.deadline(), undefined);
  const { sender } = flow();
  host.apply({ kind: 'install', sa: sender }, 6000);
  host.apply({ kind: 'install-policy', policy: policyFor(sender) }, 6000);
  assert.deepEqual(drain(host), []);
});

test('a packet asks at once when the SA that an earlier one asked for has come and gone', () => {
  const host = plane({ acquireIntervalMs: 1000 });
  const { sender } = flow();
  host.apply({ kind: 'install-policy', policy: policyFor(sender, { action: 'trap', policyId: 9 }) }, 0);
  host.outbound(ipPacket(), 0);
  host.apply({ kind: 'install', sa: sender }, 100);
  host.apply({ kind: 'install-policy', policy: policyFor(sender, { priority: 1 }) }, 100);
  assert.equal(transmitted(drain(host)).length, 1);
  host.apply({ kind: 'remove-policy', policyId: 1 }, 200);
  host.outbound(ipPacket(), 200);
  assert.deepEqual(
    drain(host).map((output) => output.kind === 'event' && output.event.kind),
    ['acquire'],
  );
});

// RFC 4303 2.6
test('a dummy packet looks like a packet of its length, and the peer throws it away', () => {
  const { sender, receiver } = hosts();
  const packet = ipPacket({ dataBytes: 100 });
  const real = seal(sender, packet);
  sender.dummy(1, packet.length, 0);
  const [dummy] = transmitted(drain(sender));
  assert.equal(dummy?.octets.length, real.octets.length);
  assert.deepEqual(delivered(receive(receiver, dummy!, 0)), []);
  assert.equal(receiver.stats().verdicts['dummy'], 1);
  assert.equal(delivered(receive(receiver, real, 0)).length, 1);
  sender.dummy(99, 10, 0);
  assert.deepEqual(drain(sender), []);
});

test('unprotected packets are delivered only under a bypass policy', () => {
  const host = plane();
  const { sender } = flow();
  const inward = ipPacket({ source: '10.2.0.7', destination: '10.1.0.5' });
  const tries = (['protect', 'trap', 'discard', 'bypass'] as const).map((action) => {
    host.apply({ kind: 'install-policy', policy: policyFor(sender, { action }) }, 0);
    host.inboundUnprotected(inward);
    return delivered(drain(host)).length;
  });
  assert.deepEqual(tries, [0, 0, 0, 1]);
  host.inboundUnprotected(ipPacket());
  assert.deepEqual(drain(host), []);
});

test('unmatched traffic is discarded unless the host is configured to let it bypass', () => {
  for (const [unmatched, count] of [
    ['discard', 0],
    ['bypass', 1],
  ] as const) {
    const host = plane({ unmatched });
    host.outbound(ipPacket(), 0);
    assert.equal(drain(host).filter((output) => output.kind === 'bypass').length, count);
  }
});

test('transport mode refuses what it cannot carry', () => {
  const { sender, senderSa } = hosts({ mode: 'transport', senderSide: ['0.0.0.0/0'] });
  const peers = { source: senderSa.local, destination: senderSa.remote };
  sender.outbound(ipPacket({ ...peers, moreFragments: true }), 0);
  sender.outbound(ipPacket({ ...peers, source: '192.0.2.99' }), 0);
  const plain = decodeIp(ipPacket(peers));
  assert.ok(plain.version === 4);
  sender.outbound(encodeIp({ ...plain, options: Uint8Array.of(7, 3, 4, 0) }), 0);
  assert.deepEqual(drain(sender), []);
  const { verdicts } = sender.stats();
  assert.deepEqual([verdicts['unsupported'], verdicts['outside-sa']], [2, 1]);
});

test('a packet with an unknown SPI is dismissed unread only while there is no room for evidence, and not twice', () => {
  const host = plane({ unknownSpisMax: 2 });
  const from = (port: number) => ({ address: address('198.51.100.7'), port });
  const local = { address: address('192.0.2.1'), port: 4500 };
  const octets = Uint8Array.of(0, 0, 9, 9, 0, 0, 0, 1, 0, 0, 0, 0);
  assert.equal(host.dismisses('esp', 0x0909, 1), false);
  for (const port of [1, 2]) host.inbound({ local, remote: from(port), protocol: 'udp', octets }, 0);
  assert.equal(host.dismisses('esp', 0x0909, 1), true);
  assert.equal(host.dismisses('esp', 0x0909, 2), true);
  // What comes again is looked at.
  assert.equal(host.dismisses('esp', 0x0909, 1), false);
  assert.equal(host.stats().verdicts['unknown-spi'], 4);
  assert.equal(host.stats().unknownSpisDropped, 2);
});

test('a packet of an SA is never dismissed', () => {
  const { receiver } = flow();
  const host = plane({ unknownSpisMax: 0 });
  host.apply({ kind: 'install', sa: receiver }, 0);
  assert.equal(host.dismisses('esp', receiver.spi, 7), false);
  assert.equal(host.dismisses('esp', receiver.spi + 1, 7), true);
});
