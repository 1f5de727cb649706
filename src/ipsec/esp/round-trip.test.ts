// What one host seals, another opens: every suite, mode and mix of families; and nothing that was touched on the way.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { nodeRandomness } from '#crypto';
import { decodeIp } from '#wire';
import { MemoryDataPlane } from '../memory/memory-data-plane.ts';
import {
  delivered,
  flow,
  ipPacket,
  receive,
  receiverOuter,
  senderOuter,
  testRandomness,
  testSuites,
  toHex,
} from '../testing/fixtures.ts';
import { hosts, seal } from '../testing/hosts.ts';

const innerPackets = {
  IPv4: (dataBytes: number) => ipPacket({ dataBytes }),
  IPv6: (dataBytes: number) => ipPacket({ source: '2001:db8:1::5', destination: '2001:db8:2::7', dataBytes }),
};

for (const suite of testSuites) {
  // RFC 4303 3.1.2, 3.3.2, 3.4.4, RFC 3948 3.4, 3.5
  test(`tunnel mode carries both families over both, any length, with and without ESN: ${suite.name}`, () => {
    fc.assert(
      fc.property(
        fc.constantFrom<4 | 6>(4, 6),
        fc.constantFrom<'IPv4' | 'IPv6'>('IPv4', 'IPv6'),
        fc.boolean(),
        fc.boolean(),
        fc.integer({ min: 0, max: 300 }),
        (outer, inner, esn, encapsulated, dataBytes) => {
          const { sender, receiver } = hosts({ suite, outer, esn, encapsulated });
          const packet = innerPackets[inner](dataBytes);
          const sent = seal(sender, packet);
          assert.equal(sent.protocol, encapsulated ? 'udp' : 'esp');
          assert.deepEqual(delivered(receive(receiver, sent, 0)).map(toHex), [toHex(packet)]);
        },
      ),
      { numRuns: 12 },
    );
  });

  // RFC 4303 3.1.1, RFC 3948 3.2
  test(`transport mode carries what both hosts say to each other: ${suite.name}`, () => {
    for (const outer of [4, 6] as const) {
      const { sender, receiver } = hosts({ suite, outer, mode: 'transport' });
      const source = senderOuter[outer];
      const destination = receiverOuter[outer];
      const packet = ipPacket({ source, destination, hopLimit: 64, trafficClass: 0x28 });
      const [arrived] = delivered(receive(receiver, seal(sender, packet), 0));
      const sent = decodeIp(packet);
      const received = decodeIp(arrived!);
      assert.deepEqual(
        [
          received.protocol,
          received.dscp,
          toHex(received.source),
          toHex(received.destination),
          toHex(received.payload),
        ],
        [sent.protocol, sent.dscp, toHex(sent.source), toHex(sent.destination), toHex(sent.payload)],
      );
    }
  });

  // RFC 4303 2.8, 3.4.4
  test(`one changed bit anywhere is noticed, and the packet itself is still accepted after: ${suite.name}`, () => {
    const { sender, receiver } = hosts({ suite, esn: true });
    const sent = seal(sender, ipPacket({ dataBytes: 9 }));
    const before = receiver.stats().verdicts;
    for (let at = 0; at < sent.octets.length; at++) {
      const octets = sent.octets.slice();
      octets[at] = octets[at]! ^ (1 << (at % 8));
      assert.deepEqual(delivered(receive(receiver, { ...sent, octets }, 0)), []);
    }
    const after = receiver.stats().verdicts;
    const grown = Object.keys(after).filter((name) => after[name]! > before[name]!);
    // The SPI's octets make it unknown; the sequence number is covered by the ICV like the rest.
    assert.deepEqual(grown, ['unknown-spi', 'not-authentic']);
    assert.equal(after['unknown-spi'], 4);
    assert.equal(after['not-authentic'], sent.octets.length - 4);
    assert.equal(delivered(receive(receiver, sent, 0)).length, 1);
  });

  test(`every shorter packet is refused: ${suite.name}`, () => {
    const { sender, receiver } = hosts({ suite });
    const sent = seal(sender, ipPacket({ dataBytes: 9 }));
    for (let length = 0; length < sent.octets.length; length++) {
      const octets = sent.octets.subarray(0, length);
      assert.deepEqual(delivered(receive(receiver, { ...sent, octets }, 0)), []);
    }
  });
}

// RFC 7401 6.2, RFC 7402 6.1, 6.2, B.1.1, B.1.2, B.1.3, B.1.4, B.1.5, B.1.6
test('BEET mode carries fixed inner addresses of either family over either, without their header', () => {
  const identities = {
    IPv4: ['1.0.0.1', '1.0.0.2'],
    IPv6: ['2001:20::1', '2001:20::2'],
  } as const;
  for (const outer of [4, 6] as const) {
    for (const [source, destination] of Object.values(identities)) {
      for (const encapsulated of [false, true]) {
        const { sender, receiver } = hosts({
          mode: 'beet',
          outer,
          encapsulated,
          senderSide: [source],
          receiverSide: [destination],
        });
        const packet = ipPacket({ source, destination, hopLimit: 64, trafficClass: 0x28, dataBytes: 20 });
        const sent = seal(sender, packet);
        assert.equal(sent.remote.address, receiverOuter[outer]);
        // SPI, sequence number, IV, 28 octets of UDP with trailer, ICV.
        assert.equal(sent.octets.length, 8 + 8 + 32 + 16);
        const read = decodeIp(delivered(receive(receiver, sent, 0))[0]!);
        const given = decodeIp(packet);
        assert.deepEqual(
          [read.version, read.dscp, toHex(read.source), toHex(read.destination), toHex(read.payload)],
          [given.version, given.dscp, toHex(given.source), toHex(given.destination), toHex(given.payload)],
        );
        sender.outbound(ipPacket({ source: destination, destination: source }), 0);
        assert.equal(sender.poll(), undefined);
      }
    }
  }
});

test('BEET mode leaves transport checksums alone, because a NAT never saw the addresses they cover', () => {
  const [source, destination] = ['2001:20::1', '2001:20::2'];
  const { sender, receiver } = hosts({
    mode: 'beet',
    encapsulated: true,
    senderSide: [source],
    receiverSide: [destination],
  });
  // TCP with a checksum of zero, which is wrong.
  const packet = ipPacket({ source, destination, protocol: 6, dataBytes: 24 });
  const read = decodeIp(delivered(receive(receiver, seal(sender, packet), 0))[0]!);
  assert.equal(toHex(read.payload), toHex(decodeIp(packet).payload));
});

// RFC 4303 3.4.3
test('a packet is delivered once, however often it arrives', () => {
  const { sender, receiver } = hosts();
  const packets = [1, 2, 3].map((dataBytes) => seal(sender, ipPacket({ dataBytes })));
  for (const packet of [...packets, ...packets].reverse()) receive(receiver, packet, 0);
  const { verdicts } = receiver.stats();
  assert.equal(verdicts['opened'], 3);
  assert.equal(verdicts['replayed'], 3);
  assert.equal(receiver.counters('esp', 'inbound', 0xc0ffee01)?.replays, 3);
});

test('two packets of one SA never share an IV in counter mode', () => {
  const { sender } = hosts();
  const ivs = Array.from({ length: 50 }, () => toHex(seal(sender, ipPacket()).octets.subarray(8, 16)));
  assert.equal(new Set(ivs).size, 50);
  assert.equal(ivs[0], '0000000000000001');
});

// RFC 4303 2.7
test('TFC padding hides the length, and the receiver takes it off', () => {
  for (const [tfcPadding, suite] of [
    [600, testSuites[0]!],
    ['mtu', testSuites[10]!],
  ] as const) {
    const { sender, receiver } = hosts({ suite, more: { tfcPadding } });
    const lengths = new Set<number>();
    for (const dataBytes of [0, 1, 77, 300]) {
      const packet = ipPacket({ dataBytes });
      const sent = seal(sender, packet);
      lengths.add(sent.octets.length);
      assert.deepEqual(delivered(receive(receiver, sent, 0)).map(toHex), [toHex(packet)]);
    }
    assert.equal(lengths.size, 1);
    assert.ok([...lengths][0]! <= 1480);
  }
});

test('a sealed packet shows nothing of what it carries', () => {
  const randomness = nodeRandomness();
  const secret = ipPacket({ dataBytes: 40 });
  const { sender } = hosts({}, { randomness });
  const sent = toHex(seal(sender, secret).octets);
  for (let at = 20; at + 4 <= secret.length; at += 4) {
    assert.ok(!sent.includes(toHex(secret.subarray(at, at + 4))));
  }
});

test('keys are wiped when an SA is removed', () => {
  const sas = flow({ suite: testSuites[9]! });
  const plane = new MemoryDataPlane({ randomness: testRandomness });
  plane.apply({ kind: 'install', sa: sas.sender }, 0);
  assert.notDeepEqual(sas.sender.encryption!.key, new Uint8Array(16));
  plane.apply(
    {
      kind: 'remove',
      protocol: 'esp',
      direction: 'outbound',
      spi: sas.sender.spi,
      childId: sas.sender.childId,
    },
    0,
  );
  assert.deepEqual(sas.sender.encryption!.key, new Uint8Array(16));
  assert.deepEqual(sas.sender.integrity!.key, new Uint8Array(20));
});
