// Where IPsec hides in frames: native, in UDP, behind AH, in fragments, on other ports, and in what ICMP quotes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressBytes, type IpAddress } from '#sa';
import { type CapturePacket, encodeAh, encodeEsp, encodeIp, IpProtocol, LinkType } from '#wire';
import { icmpv4Error, ipPacket, left, right, udpDatagram } from '../testing/capture-builder.ts';
import { initRequest } from '../testing/exchanges.ts';
import type { Datagram } from './datagram.ts';
import { Dissector } from './dissector.ts';
import type { IcmpReport } from './icmp-report.ts';

interface Seen {
  readonly datagrams: Datagram[];
  readonly reports: IcmpReport[];
  other: number;
  unreadable: number;
  readonly incomplete: (readonly [number, number] | undefined)[];
}

function dissected(packets: readonly Uint8Array[], linkType: number = LinkType.RAW): Seen {
  const seen: Seen = { datagrams: [], reports: [], other: 0, unreadable: 0, incomplete: [] };
  const dissector = new Dissector({
    datagram: (datagram) => seen.datagrams.push({ ...datagram, octets: datagram.octets.slice() }),
    icmp: (report) => seen.reports.push(report),
    other: () => {
      seen.other++;
    },
    unreadable: () => {
      seen.unreadable++;
    },
    incomplete: (...[, , , , , ports]) => seen.incomplete.push(ports),
  });
  packets.forEach((octets, i) => {
    const packet: CapturePacket = {
      linkType,
      octets,
      originalLength: octets.length,
      interfaceId: 0,
      fileOffset: 0,
    };
    dissector.frame({ frame: i + 1, atUs: i }, packet);
  });
  dissector.end();
  return seen;
}

const left6 = '2001:db8::1' as IpAddress;
const right6 = '2001:db8::2' as IpAddress;
const esp = encodeEsp({ spi: 0xc0ffee, sequence: 1, body: new Uint8Array(40) });
const at = (address: IpAddress, port: number): { address: IpAddress; port: number } => ({ address, port });
const kinds = (seen: Seen): string[] =>
  seen.datagrams.map(({ kind, encapsulated }) => (encapsulated ? `${kind} in UDP` : kind));

test('native ESP, AH, HIP of both families', () => {
  for (const [source, destination] of [
    [left, right],
    [left6, right6],
  ] as const) {
    const seen = dissected([
      ipPacket(source, destination, IpProtocol.ESP, esp),
      ipPacket(source, destination, IpProtocol.HIP, new Uint8Array(40)),
    ]);
    assert.deepEqual(kinds(seen), ['esp', 'hip']);
    assert.equal(seen.datagrams[0]!.source.address, source);
    assert.deepEqual(seen.datagrams[0]!.octets, esp);
  }
});

test('AH around ESP gives both, as a header of IPv4 and as an extension header of IPv6', () => {
  const header = { spi: 300, sequence: 7, icv: new Uint8Array(12) };
  const v4 = encodeAh({ ...header, nextHeader: IpProtocol.ESP, payload: esp });
  const v6 = encodeIp({
    version: 6,
    dscp: 0,
    ecn: 0,
    flowLabel: 0,
    hopLimit: 64,
    protocol: IpProtocol.ESP,
    source: addressBytes(left6),
    destination: addressBytes(right6),
    extensions: [{ kind: 'authentication', ...header }],
    payload: esp,
  });
  assert.deepEqual(kinds(dissected([ipPacket(left, right, IpProtocol.AH, v4), v6])), [
    'ah',
    'esp',
    'ah',
    'esp',
  ]);
});

test('UDP: IKE on 500, and on 4500 what the first octets say', () => {
  const on = (port: number, payload: Uint8Array): Uint8Array =>
    ipPacket(left, right, IpProtocol.UDP, udpDatagram(at(left, port), at(right, port), payload));
  const marked = new Uint8Array([0, 0, 0, 0, ...initRequest()]);
  const seen = dissected([
    on(500, initRequest()),
    on(4500, marked),
    on(4500, esp),
    on(4500, Uint8Array.of(0xff)),
    on(10_500, new Uint8Array(44)),
    on(53, new Uint8Array(30)),
  ]);
  assert.deepEqual(kinds(seen), ['ike', 'ike in UDP', 'esp in UDP', 'keepalive in UDP', 'hip in UDP']);
  assert.deepEqual(seen.datagrams[1]!.octets, initRequest());
  assert.equal(seen.other, 1);
});

test('other ports: IKE is known by its header, and then ESP by its ports', () => {
  const between = (payload: Uint8Array): Uint8Array =>
    ipPacket(left, right, IpProtocol.UDP, udpDatagram(at(left, 40_000), at(right, 14_500), payload));
  const before = dissected([between(esp)]);
  assert.deepEqual(kinds(before), []);
  const seen = dissected([between(new Uint8Array([0, 0, 0, 0, ...initRequest()])), between(esp)]);
  assert.deepEqual(kinds(seen), ['ike in UDP', 'esp in UDP']);
});

test('fragments of both families, and those that never come', () => {
  const datagram = udpDatagram(
    at(left, 4500),
    at(right, 4500),
    new Uint8Array([...esp, ...new Uint8Array(2_000)]),
  );
  for (const [source, destination] of [
    [left, right],
    [left6, right6],
  ] as const) {
    const piece = (from: number, to: number): Uint8Array =>
      ipPacket(source, destination, IpProtocol.UDP, datagram.subarray(from, to), {
        offset: from,
        more: to < datagram.length,
      });
    const seen = dissected([piece(1_400, datagram.length), piece(0, 1_400)]);
    assert.deepEqual(kinds(seen), ['esp in UDP']);
    assert.equal(seen.datagrams[0]!.fragments, 2);
    assert.deepEqual(dissected([piece(0, 1_400)]).incomplete, [[4500, 4500]]);
  }
});

test('ICMP errors are told if they are about IPsec', () => {
  const inUdp = ipPacket(left, right, IpProtocol.UDP, udpDatagram(at(left, 4500), at(right, 4500), esp));
  const dns = ipPacket(left, right, IpProtocol.UDP, udpDatagram(at(left, 999), at(right, 53), esp));
  const tooBig = icmpv4Error(right, left, 3, 4, ipPacket(left, right, IpProtocol.ESP, esp));
  tooBig.set([0x05, 0x14], 26);
  const seen = dissected([
    icmpv4Error(right, left, 3, 3, inUdp.subarray(0, 40)),
    tooBig,
    icmpv4Error(right, left, 3, 3, dns),
    icmpv4Error(right, left, 8, 0, inUdp),
  ]);
  assert.deepEqual(
    seen.reports.map(({ meaning, about, mtu }) => [meaning, about.what, about.spi, mtu]),
    [
      ['port-unreachable', 'esp', 0xc0ffee, undefined],
      ['too-big', 'esp', 0xc0ffee, 1_300],
    ],
  );
  assert.equal(seen.other, 2);
});

test('Ethernet with a VLAN tag; a frame of nothing known; a frame that is cut in its headers', () => {
  const packet = ipPacket(left, right, IpProtocol.ESP, esp);
  const tagged = new Uint8Array([...new Uint8Array(12), 0x81, 0, 0, 7, 0x08, 0, ...packet]);
  assert.deepEqual(kinds(dissected([tagged], LinkType.ETHERNET)), ['esp']);
  assert.equal(dissected([new Uint8Array(60)], LinkType.ETHERNET).other, 1);
  assert.equal(dissected([packet.subarray(0, 10)]).unreadable, 1);
  assert.equal(dissected([packet], 147).unreadable, 1);
});
