// Which packets of a host are translated: flows of IPv4 applications, and no others.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { address, addressBytes, type LsiTable } from '#sa';
import { decodeIcmpv4, decodeIp, encodeIpv6, IpProtocol, writeU16 } from '#wire';
import { icmpErrorAbout } from '../packet/icmp-error.ts';
import { PacketSlot } from '../packet-slot.ts';
import { hex, ipPacket } from '../testing/fixtures.ts';
import { lsiVectors } from '../testing/scapy-lsi-vectors.ts';
import { type LsiHost, LsiTranslation } from './lsi-translation.ts';

const own = '2001:21::a0b';
const peer = '2001:22:5c3d:3a54:172f:bd02:5285:6d7a';
const table: LsiTable = {
  own: address('1.0.0.1'),
  peers: [
    { lsi: address('1.0.0.20'), localHit: address(own), remoteHit: address(peer) },
    { lsi: address('1.0.0.21'), localHit: address(own), remoteHit: address('2001:22::6d7a') },
  ],
};
const [tcp, udp, request, reply] = lsiVectors;

function translation(onlyIpv4: readonly number[] = [], flowsMax?: number): LsiTranslation {
  const host: LsiHost = { onlyIpv4Listens: (_protocol, port) => onlyIpv4.includes(port) };
  const made = new LsiTranslation(host, flowsMax);
  made.load(table);
  return made;
}

function slotOf(packet: Uint8Array): PacketSlot {
  const buffer = new Uint8Array(40 + packet.length);
  buffer.set(packet, 40);
  return new PacketSlot(buffer, 40, packet.length);
}

/** What becomes of a packet of ours: source and destination, or `refused`. */
function sent(lsi: LsiTranslation, packet: Uint8Array): string {
  const slot = slotOf(packet);
  return lsi.outbound(slot) ? route(slot) : 'refused';
}

function received(lsi: LsiTranslation, packet: Uint8Array): string {
  const slot = slotOf(packet);
  lsi.inbound(slot);
  return route(slot);
}

function route({ octets }: PacketSlot): string {
  const { version, source, destination } = decodeIp(octets);
  assert.ok(source.length === destination.length);
  return `${version} ${source.at(-1)} > ${destination.at(-1)}`;
}

/** From the peer to us: the vector's addresses and ports the other way round. */
function back(vector: string): Uint8Array {
  const packet = hex(vector);
  const turned = packet.slice();
  turned.set(packet.subarray(8, 24), 24);
  turned.set(packet.subarray(24, 40), 8);
  if (packet[6] !== IpProtocol.ICMPV6) {
    turned.set(packet.subarray(40, 42), 42);
    turned.set(packet.subarray(42, 44), 40);
  }
  return turned;
}

const inIpv6 = '6 122 > 11';
const inIpv4 = '4 20 > 1';

describe('a flow', () => {
  test('that an IPv4 application begins comes back as IPv4', () => {
    const lsi = translation();
    for (const { ipv4 } of [tcp!, udp!, request!]) assert.equal(sent(lsi, hex(ipv4)), '6 11 > 122');
    for (const { ipv6 } of [tcp!, udp!, reply!]) assert.equal(received(lsi, back(ipv6)), inIpv4);
  });

  test('that an IPv6 application begins stays IPv6, also on ports that an IPv4 one had', () => {
    const lsi = translation();
    assert.equal(received(lsi, back(tcp!.ipv6)), inIpv6);
    sent(lsi, hex(tcp!.ipv4));
    assert.equal(received(lsi, back(tcp!.ipv6)), inIpv4);
    assert.equal(sent(lsi, hex(tcp!.ipv6)), '6 11 > 122');
    assert.equal(received(lsi, back(tcp!.ipv6)), inIpv6);
    assert.equal(lsi.flows, 0);
  });

  test('that the peer begins is IPv4 if nothing but IPv4 listens there', () => {
    const syn = back(tcp!.ipv6);
    syn[53] = 0x02;
    const port = 40_000;
    assert.equal(received(translation(), syn), inIpv6);
    const lsi = translation([port]);
    assert.equal(received(lsi, back(tcp!.ipv6)), inIpv6, 'no SYN, no flow');
    assert.equal(received(lsi, syn), inIpv4);
    assert.equal(received(lsi, back(tcp!.ipv6)), inIpv4);
    assert.equal(received(translation([5353]), back(udp!.ipv6)), inIpv4);
  });

  test('of an echo that the peer asks for is the kernel’s to answer as it came', () => {
    const lsi = translation();
    sent(lsi, hex(request!.ipv4));
    assert.equal(received(lsi, back(request!.ipv6)), inIpv6);
  });

  test('to one peer says nothing about another', () => {
    const lsi = translation();
    sent(lsi, hex(udp!.ipv4));
    const other = back(udp!.ipv6);
    other.set(addressBytes(address('2001:22::6d7a')), 8);
    assert.equal(received(lsi, other), inIpv6);
    other[9] = 0x99;
    assert.equal(received(lsi, other), inIpv6);
  });
});

test('what is not to an LSI goes its way, and what cannot be translated goes nowhere', () => {
  const lsi = translation();
  assert.equal(sent(lsi, ipPacket()), '4 5 > 7');
  assert.equal(sent(lsi, ipPacket({ destination: '1.0.0.20' })), 'refused', 'not from our LSI');
  const fragment = ipPacket({ source: '1.0.0.1', destination: '1.0.0.20', moreFragments: true });
  assert.equal(sent(lsi, fragment), 'refused');
  assert.equal(new LsiTranslation({ onlyIpv4Listens: () => true }).active, false);
});

test('however many flows there are, no more than two generations are kept, and busy ones are', () => {
  const lsi = translation([], 64);
  for (let port = 1; port <= 1_000; port++) {
    const packet = ipPacket({ source: '1.0.0.1', destination: '1.0.0.20', sourcePort: port });
    sent(lsi, packet);
    const first = ipPacket({ source: '1.0.0.1', destination: '1.0.0.20', sourcePort: 1 });
    if (port % 16 === 0) sent(lsi, first);
    assert.ok(lsi.flows <= 128);
  }
  const answer = (port: number): Uint8Array => {
    const payload = new Uint8Array(8);
    writeU16(payload, 0, 53);
    writeU16(payload, 2, port);
    writeU16(payload, 4, 8);
    return encodeIpv6({
      version: 6,
      dscp: 0,
      ecn: 0,
      flowLabel: 0,
      hopLimit: 64,
      source: addressBytes(address(peer)),
      destination: addressBytes(address(own)),
      extensions: [],
      protocol: IpProtocol.UDP,
      payload,
    });
  };
  assert.equal(received(lsi, answer(1)), inIpv4);
  assert.equal(received(lsi, answer(500)), inIpv6);
});

describe('a packet that is too large for its path once it is IPv6', () => {
  const tooBig = (vector: string): Uint8Array =>
    icmpErrorAbout(hex(vector), { kind: 'too-big', mtuBytes: 1300 })!;

  test('is answered in IPv4 if an IPv4 application sent it', () => {
    const lsi = translation();
    sent(lsi, hex(tcp!.ipv4));
    const answer = decodeIp(lsi.error(tooBig(tcp!.ipv6)));
    assert.deepEqual([answer.version, ...answer.source, ...answer.destination], [4, 1, 0, 0, 20, 1, 0, 0, 1]);
    const message = decodeIcmpv4(answer.payload);
    assert.ok(message.kind === 'fragmentation-needed');
    assert.equal(message.nextHopMtu, 1280);
    const about = hex(tcp!.ipv4);
    // Lengths, protocol, addresses, ports and sequence number are those of what it sent.
    assert.deepEqual(message.quoted.slice(2, 4), about.slice(2, 4));
    assert.equal(message.quoted[9], IpProtocol.TCP);
    assert.deepEqual(message.quoted.slice(12, 28), about.slice(12, 28));
  });

  test('is answered as it is, if an IPv6 application did, or if it is about something else', () => {
    const lsi = translation();
    const packet = tooBig(tcp!.ipv6);
    assert.equal(lsi.error(packet), packet);
    sent(lsi, hex(tcp!.ipv4));
    for (const other of [ipPacket(), hex(tcp!.ipv6), tooBig(udp!.ipv6), packet.subarray(0, 90)])
      assert.equal(lsi.error(other), other);
  });
});
