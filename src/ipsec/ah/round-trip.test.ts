// What one host authenticates, another accepts: every suite, mode and family; and nothing that was touched on the way.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Integ, type SaParameters } from '#sa';
import {
  decodeIp,
  encodeIp,
  encodeIpv4Options,
  IpProtocol,
  readU16,
  transportChecksum,
  writeIpv4Checksum,
  writeU16,
} from '#wire';
import { MemoryDataPlane } from '../memory/memory-data-plane.ts';
import {
  delivered,
  drain,
  eventsOf,
  type FlowOptions,
  flow,
  ipPacket,
  keyOctets,
  policyFor,
  receive,
  receiverOuter,
  senderOuter,
  type Transmit,
  testRandomness,
  toHex,
} from '../testing/fixtures.ts';
import { seal } from '../testing/hosts.ts';

const suites = {
  HMAC_SHA1_96: 20,
  HMAC_SHA2_256_128: 32,
  HMAC_SHA2_384_192: 48,
  HMAC_SHA2_512_256: 64,
  AES_XCBC_96: 16,
  AES_CMAC_96: 16,
} as const;

interface AhOptions extends FlowOptions {
  readonly integ?: keyof typeof suites;
}

function ahHosts(options: AhOptions = {}): { sender: MemoryDataPlane; receiver: MemoryDataPlane } {
  const integ = options.integ ?? 'HMAC_SHA2_256_128';
  const sas = flow(options);
  const plane = ({ encryption: _, ...sa }: SaParameters): MemoryDataPlane => {
    const host = new MemoryDataPlane({ randomness: testRandomness });
    const integrity = { id: Integ[integ], key: keyOctets(suites[integ]) };
    const installed = host.apply({ kind: 'install', sa: { ...sa, protocol: 'ah', integrity } }, 0);
    assert.deepEqual(installed, { ok: true });
    host.apply({ kind: 'install-policy', policy: policyFor(sa) }, 0);
    return host;
  };
  return { sender: plane(sas.sender), receiver: plane(sas.receiver) };
}

const innerPackets = {
  4: (dataBytes: number) => ipPacket({ dataBytes, trafficClass: 0x28 }),
  6: (dataBytes: number) => ipPacket({ source: '2001:db8:1::5', destination: '2001:db8:2::7', dataBytes }),
};

function hostToHost(outer: 4 | 6, dataBytes = 20): Uint8Array {
  return ipPacket({ source: senderOuter[outer], destination: receiverOuter[outer], dataBytes });
}

for (const integ of Object.keys(suites) as (keyof typeof suites)[]) {
  test(`tunnel and transport mode, both families, any length, with and without ESN: ${integ}`, () => {
    fc.assert(
      fc.property(
        fc.constantFrom<4 | 6>(4, 6),
        fc.constantFrom<4 | 6>(4, 6),
        fc.boolean(),
        fc.integer({ min: 0, max: 300 }),
        (outer, inner, esn, dataBytes) => {
          const tunnel = ahHosts({ integ, outer, esn });
          const packet = innerPackets[inner](dataBytes);
          const sent = seal(tunnel.sender, packet);
          assert.equal(sent.protocol, 'ah');
          const read = decodeIp(sent.octets);
          assert.equal(read.version, outer);
          assert.deepEqual(delivered(receive(tunnel.receiver, sent, 0)).map(toHex), [toHex(packet)]);
          const transport = ahHosts({ integ, outer, esn, mode: 'transport' });
          const direct = hostToHost(outer, dataBytes);
          const arrived = delivered(receive(transport.receiver, seal(transport.sender, direct), 0));
          assert.deepEqual(arrived.map(toHex), [toHex(direct)]);
        },
      ),
      { numRuns: 12 },
    );
  });
}

/** Octets of an outer header that routers change (RFC 4302 3.3.3.1). */
const mutable = { 4: new Set([1, 6, 7, 8, 10, 11]), 6: new Set([1, 2, 3, 7]) };

for (const outer of [4, 6] as const) {
  test(`given an IPv${outer} packet with one bit changed, only fields that routers change may differ`, () => {
    const { sender, receiver } = ahHosts({ outer, mode: 'transport', more: { replayWindow: 0 } });
    const sent = seal(sender, hostToHost(outer, 9));
    for (let at = 0; at < sent.octets.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const octets = sent.octets.slice();
        octets[at] = octets[at]! ^ (1 << bit);
        // More fragments and the offset make it a fragment; the top of IPv6's first word is its version.
        const fragment = outer === 4 && ((at === 6 && (1 << bit) & 0x3f) || at === 7);
        const trafficClass = outer === 6 && at === 0 && bit < 4;
        const accepted = (mutable[outer].has(at) && !fragment) || trafficClass;
        const arrived = delivered(receive(receiver, { ...sent, octets }, 0));
        assert.equal(arrived.length, accepted ? 1 : 0, `octet ${at}, bit ${bit}`);
      }
    }
  });

  test(`every shorter IPv${outer} packet is refused, also one whose lengths were made to fit`, () => {
    const { sender, receiver } = ahHosts({ outer, mode: 'transport' });
    const sent = seal(sender, hostToHost(outer, 9));
    for (let length = 0; length < sent.octets.length; length++) {
      const cut = sent.octets.slice(0, length);
      assert.deepEqual(delivered(receive(receiver, { ...sent, octets: cut }, 0)), []);
      if (length < 40) continue;
      writeU16(cut, outer === 4 ? 2 : 4, outer === 4 ? length : length - 40);
      assert.deepEqual(delivered(receive(receiver, { ...sent, octets: cut }, 0)), []);
    }
    assert.equal(delivered(receive(receiver, sent, 0)).length, 1);
  });
}

test('a packet is delivered once, and its SA counts', () => {
  const { sender, receiver } = ahHosts();
  const packets = [1, 2, 3].map((dataBytes) => seal(sender, ipPacket({ dataBytes })));
  assert.deepEqual(eventsOf(receive(receiver, packets[2]!, 0)), ['first-inbound']);
  for (const packet of [...packets, ...packets].reverse()) receive(receiver, packet, 0);
  const { verdicts } = receiver.stats();
  assert.deepEqual([verdicts['opened'], verdicts['replayed']], [3, 4]);
  const counters = receiver.counters('ah', 'inbound', 0xc0ffee01);
  assert.deepEqual([counters?.packets, counters?.replays], [3, 4]);
  assert.equal(counters?.bytes, 29 + 30 + 31);
});

test('given another high word of the sequence number, the ICV is another', () => {
  const { sender } = ahHosts({ esn: true });
  const { receiver } = ahHosts({ esn: false });
  const sent = seal(sender, ipPacket());
  assert.deepEqual(delivered(receive(receiver, sent, 0)), []);
  assert.equal(receiver.counters('ah', 'inbound', 0xc0ffee01)?.integrityFailures, 1);
});

test('an unknown SPI is reported as one of AH', () => {
  const { sender } = ahHosts();
  const { receiver } = ahHosts({ spi: 0x5555 });
  const [output] = receive(receiver, seal(sender, ipPacket()), 0);
  assert.ok(output?.kind === 'event' && output.event.kind === 'unknown-spi');
  assert.equal(output.event.evidence.protocol, 'ah');
  assert.equal(output.event.evidence.spi, 0xc0ffee01);
});

test('the ECN field of the outer header is seen at the exit of the tunnel', () => {
  const { sender, receiver } = ahHosts();
  const sent = seal(sender, ipPacket({ trafficClass: 2 }));
  const octets = sent.octets.slice();
  octets[1] = octets[1]! | 3;
  const [arrived] = delivered(receive(receiver, { ...sent, octets }, 0));
  assert.equal(decodeIp(arrived!).ecn, 3);
});

test('a packet too large for the path is answered, one that may be is cut before', () => {
  const { sender, receiver } = ahHosts();
  // 1500 less 20 of the outer header and 28 of AH.
  sender.outbound(ipPacket({ dataBytes: 1452 - 28, dontFragment: true }), 0);
  assert.equal(drain(sender)[0]?.kind, 'transmit');
  sender.outbound(ipPacket({ dataBytes: 1453 - 28, dontFragment: true }), 0);
  const [answer] = delivered(drain(sender));
  assert.equal(readU16(answer!, 20 + 6), 1452);
  sender.outbound(ipPacket({ dataBytes: 2000 }), 0);
  const fragments = drain(sender).filter((output): output is Transmit => output.kind === 'transmit');
  assert.equal(fragments.length, 2);
  for (const fragment of fragments) assert.equal(delivered(receive(receiver, fragment, 0)).length, 1);
});

test('an IPv4 packet without identification gets one, which the kernel would else choose', () => {
  for (const mode of ['tunnel', 'transport'] as const) {
    const { sender } = ahHosts({ mode });
    const packet = mode === 'tunnel' ? ipPacket() : hostToHost(4);
    writeU16(packet, 4, 0);
    writeIpv4Checksum(packet, 0, 20);
    assert.notEqual(readU16(seal(sender, packet).octets, 4), 0);
  }
});

test('given a source route, the ICV is for the destination that the packet will have', () => {
  const { sender, receiver } = ahHosts({ mode: 'transport' });
  const final = Uint8Array.of(192, 0, 2, 99);
  const read = decodeIp(hostToHost(4));
  assert.ok(read.version === 4);
  const options = encodeIpv4Options([{ type: 131, data: Uint8Array.of(4, ...final) }]);
  const sent = seal(sender, encodeIp({ ...read, options }));
  // The router that the packet was sent to swaps the addresses and moves the pointer (RFC 791 3.1).
  const octets = sent.octets.slice();
  octets.set(octets.subarray(16, 20), 23);
  octets.set(final, 16);
  octets[22] = 8;
  writeIpv4Checksum(octets, 0, 28);
  const before = receiver.stats().verdicts['not-authentic'];
  receive(receiver, { ...sent, octets }, 0);
  assert.equal(receiver.stats().verdicts['not-authentic'], before);
  octets[19] = octets[19]! ^ 1;
  receive(receiver, { ...sent, octets }, 0);
  assert.equal(receiver.counters('ah', 'inbound', 0xc0ffee01)?.packets, 1);
});

test('a header padded to eight octets within IPv4, as Linux does by default, is accepted', async () => {
  const { integrityAlgorithm } = await import('#crypto');
  const { receiver } = ahHosts({ mode: 'transport' });
  const packet = hostToHost(4);
  // 12 octets, an ICV of 16, padding of 4.
  const octets = new Uint8Array(packet.length + 32);
  octets.set(packet.subarray(0, 20));
  octets.set(packet.subarray(20), 52);
  writeU16(octets, 2, octets.length);
  octets[9] = IpProtocol.AH;
  octets.set([IpProtocol.UDP, 6, 0, 0, 0xc0, 0xff, 0xee, 0x01, 0, 0, 0, 1], 20);
  const covered = octets.slice();
  for (const at of mutable[4]) covered[at] = 0;
  octets.set(integrityAlgorithm(Integ.HMAC_SHA2_256_128).compute(keyOctets(32), covered), 32);
  const sent: Transmit = {
    kind: 'transmit',
    protocol: 'ah',
    local: { address: senderOuter[4], port: 0 },
    remote: { address: receiverOuter[4], port: 0 },
    octets,
    trafficClass: 0,
    hopLimit: 64,
    dontFragment: false,
  };
  assert.deepEqual(delivered(receive(receiver, sent, 0)).map(toHex), [toHex(packet)]);
});

test('what cannot be covered is refused before a sequence number is spent', () => {
  const { sender, receiver } = ahHosts({ outer: 6, mode: 'transport' });
  const packet = hostToHost(6);
  const source = packet.slice(8, 24);
  const destination = packet.slice(24, 40);
  const payload = packet.slice(40);
  assert.equal(transportChecksum({ source, destination }, IpProtocol.UDP, payload), 0);
  // A routing header of type 4 (segment routing) that is still under way changes unpredictably for us.
  const routed = encodeIp({
    version: 6,
    dscp: 0,
    ecn: 0,
    flowLabel: 0,
    hopLimit: 64,
    source,
    destination,
    protocol: IpProtocol.UDP,
    extensions: [{ kind: 'routing', routingType: 4, segmentsLeft: 1, data: new Uint8Array(20) }],
    payload,
  });
  sender.outbound(routed, 0);
  assert.deepEqual(drain(sender), []);
  assert.equal(sender.stats().verdicts['unsupported'], 1);
  assert.equal(sender.counters('ah', 'outbound', 0xc0ffee01)?.packets, 0);
  assert.equal(delivered(receive(receiver, seal(sender, packet), 0)).length, 1);
});

test('whatever octets arrive, nothing throws and nothing is delivered', () => {
  const { sender, receiver } = ahHosts({ outer: 6, mode: 'transport' });
  const sent = seal(sender, hostToHost(6));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), fc.constantFrom(0x45, 0x60, 0x4f), (tail, first) => {
      const octets = Uint8Array.of(first, ...tail);
      if (octets.length > 9) octets[first === 0x60 ? 6 : 9] = tail[0]! % 3 === 0 ? 0 : IpProtocol.AH;
      assert.deepEqual(delivered(receive(receiver, { ...sent, octets }, 0)), []);
    }),
    { numRuns: 2000 },
  );
});

// RFC 4302 3.3.3.1.1.1, RFC 4301 8.2
test('where a router does not say enough, packets lose DF in either mode, and are authentic without it', () => {
  for (const mode of ['tunnel', 'transport'] as const) {
    const { sender, receiver } = ahHosts({ mode });
    const ends = mode === 'tunnel' ? {} : { source: senderOuter[4], destination: receiverOuter[4] };
    const packet = ipPacket({ ...ends, dontFragment: true });
    const flagsOf = (sent: Transmit): number => sent.octets[6]! & 0x40;
    assert.equal(flagsOf(seal(sender, packet)), 0x40);
    // Eight octets of a packet show the SPI of AH, and not its number.
    const about = { remote: receiverOuter[4], protocol: 'ah', spi: 0xc0ffee01 } as const;
    sender.hearTooBig({ from: senderOuter[4], ...about, mtuBytes: 600 }, 0);
    drain(sender);
    const sent = seal(sender, packet);
    assert.equal(flagsOf(sent), 0);
    assert.equal(delivered(receive(receiver, sent, 0)).length, 1);
  }
});
