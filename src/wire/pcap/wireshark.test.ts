// Wireshark's tools read what this room writes, and this room reads what they write.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  encodeAh,
  encodeEsp,
  encodeIcmpv4,
  encodeIcmpv6,
  encodeIp,
  encodeUdp,
  fragmentIpv4,
} from '../index.ts';
import { IpProtocol, type Ipv4Packet, type Ipv6Packet, padIpv6Options } from '../ip/index.ts';
import { decodeCapture } from './capture-reader.ts';
import { CaptureWriter, type WrittenInterface } from './capture-writer.ts';
import { LinkType, locateIpPacket } from './link-type.ts';
import { microsecondEthernet, twoInterfaces } from './testing/captured-files.ts';

const missing = ['tshark', 'capinfos', 'editcap', 'mergecap'].filter(
  (tool) => spawnSync(tool, ['--version'], { stdio: 'ignore' }).status !== 0,
);
const skip = missing.length > 0 ? `${missing.join(', ')} not installed` : false;
const folder = mkdtempSync(join(tmpdir(), 'wayward-pcap-'));
after(() => rmSync(folder, { recursive: true }));

function path(name: string): string {
  return join(folder, name);
}

function run(tool: string, ...args: string[]): string {
  return execFileSync(tool, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}

/** One line of tab-separated fields per packet, the way tshark prints them; checksums are verified. */
function dissect(file: string, ...fields: string[]): string[][] {
  const checks = ['ip', 'udp'].flatMap((name) => ['-o', `${name}.check_checksum:TRUE`]);
  const wanted = fields.flatMap((field) => ['-e', field]);
  const output = run(
    'tshark',
    '-r',
    file,
    '-n',
    '-o',
    'ip.defragment:TRUE',
    ...checks,
    '-T',
    'fields',
    ...wanted,
  );
  return output
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'));
}

function writeFile(name: string, packets: readonly Uint8Array[], written: WrittenInterface = {}): string {
  const writer = new CaptureWriter({ application: 'wayward', interfaces: [written] });
  const blocks = packets.map((octets, i) =>
    writer.packet({ timestampNs: 1_700_000_000_000_000_001n + BigInt(i), octets, comment: `packet ${i}` }),
  );
  writeFileSync(path(name), Buffer.concat([writer.start(), ...blocks]));
  return path(name);
}

const four: Omit<Ipv4Packet, 'protocol' | 'payload'> = {
  version: 4,
  dscp: 46,
  ecn: 1,
  identification: 7,
  dontFragment: false,
  moreFragments: false,
  fragmentOffset: 0,
  timeToLive: 64,
  source: Uint8Array.of(192, 0, 2, 1),
  destination: Uint8Array.of(192, 0, 2, 2),
  options: new Uint8Array(),
};
const six: Omit<Ipv6Packet, 'protocol' | 'payload'> = {
  version: 6,
  dscp: 46,
  ecn: 1,
  flowLabel: 0xabcde,
  hopLimit: 64,
  source: Uint8Array.of(0x20, 1, 0xd, 0xb8, ...new Array(11).fill(0), 1),
  destination: Uint8Array.of(0x20, 1, 0xd, 0xb8, ...new Array(11).fill(0), 2),
  extensions: [],
};
const payload = Uint8Array.from({ length: 120 }, (_, i) => i);
const datagram = { sourcePort: 40_000, destinationPort: 40_001, checksummed: true, payload };

test('capinfos counts the packets of our files and names our program', { skip }, () => {
  const file = writeFile('count.pcapng', [
    encodeIp({ ...four, protocol: 253, payload }),
    encodeIp({ ...six, protocol: 253, payload }),
  ]);
  const report = run('capinfos', file);
  assert.match(report, /File type:\s+.*pcapng/);
  assert.match(report, /File encapsulation:\s+Raw IP/);
  assert.match(report, /Number of packets:\s+2$/m);
  assert.match(report, /Capture application:\s+wayward/);
  assert.match(report, /File timestamp precision:\s+nanoseconds/);
});

test('tshark shows the time to the nanosecond and our comments', { skip }, () => {
  const file = writeFile('time.pcapng', [encodeIp({ ...four, protocol: 253, payload })]);
  assert.deepEqual(dissect(file, 'frame.time_epoch', 'frame.comment'), [
    ['1700000000.000000001', 'packet 0'],
  ]);
});

test('tshark finds our IP headers and UDP checksums right', { skip }, () => {
  const udp4 = encodeIp({ ...four, protocol: IpProtocol.UDP, payload: encodeUdp(datagram, four) });
  const udp6 = encodeIp({ ...six, protocol: IpProtocol.UDP, payload: encodeUdp(datagram, six) });
  const fields = [
    'ip.checksum.status',
    'udp.checksum.status',
    'ip.dsfield.dscp',
    'ipv6.tclass.dscp',
    'ipv6.flow',
  ];
  const file = writeFile('udp.pcapng', [udp4, udp6]);
  assert.deepEqual(dissect(file, ...fields), [
    ['1', '1', '46', '', ''],
    ['', '1', '', '46', '0x0abcde'],
  ]);
});

test('tshark puts our fragments together and finds the UDP checksum right', { skip }, () => {
  const udp = encodeIp({ ...four, protocol: IpProtocol.UDP, payload: encodeUdp(datagram, four) });
  const file = writeFile('fragments.pcapng', fragmentIpv4(udp, 68));
  assert.deepEqual(dissect(file, 'ip.checksum.status', 'ip.flags.mf', 'udp.dstport', 'udp.checksum.status'), [
    ['1', '1', '', ''],
    ['1', '1', '', ''],
    ['1', '0', '40001', '1'],
  ]);
});

test('tshark finds our extension headers in their order, and the datagram behind them', { skip }, () => {
  const options = padIpv6Options([{ type: 5, data: Uint8Array.of(0, 0) }]);
  const octets = encodeIp({
    ...six,
    extensions: [
      { kind: 'hop-by-hop', options },
      {
        kind: 'routing',
        routingType: 4,
        segmentsLeft: 0,
        data: Uint8Array.of(0, 0, 0, 0, ...six.destination),
      },
      { kind: 'fragment', offset: 0, moreFragments: false, identification: 0x01020304 },
      { kind: 'authentication', spi: 0x100, sequence: 9, icv: new Uint8Array(12) },
      { kind: 'destination-options', options: padIpv6Options([{ type: 1, data: new Uint8Array(4) }]) },
    ],
    protocol: IpProtocol.UDP,
    payload: encodeUdp(datagram, six),
  });
  const [line] = dissect(
    writeFile('chain.pcapng', [octets]),
    'frame.protocols',
    'ipv6.fraghdr.ident',
    'ah.sequence',
    'udp.dstport',
    'udp.checksum.status',
  );
  const [protocols, ...rest] = line!;
  assert.match(protocols!, /ipv6\.hopopts.*ipv6\.routing.*ipv6\.fraghdr.*ah.*ipv6\.dstopts.*udp/);
  assert.deepEqual(rest, ['0x01020304', '9', '40001', '1']);
});

test('tshark finds our ICMP errors right, with what they quote', { skip }, () => {
  const quoted4 = encodeIp({ ...four, protocol: IpProtocol.UDP, payload: encodeUdp(datagram, four) });
  const quoted6 = encodeIp({ ...six, protocol: IpProtocol.UDP, payload: encodeUdp(datagram, six) });
  const messages4 = [
    { kind: 'fragmentation-needed', nextHopMtu: 1280, quoted: quoted4 },
    { kind: 'parameter-problem', code: 0, pointer: 20, quoted: quoted4 },
    { kind: 'time-exceeded', code: 0, quoted: quoted4.subarray(0, 28) },
    { kind: 'destination-unreachable', code: 3, quoted: quoted4 },
    { kind: 'echo-request', identifier: 77, sequence: 1, data: payload },
  ] as const;
  const file4 = writeFile(
    'icmp4.pcapng',
    messages4.map((message) =>
      encodeIp({ ...four, protocol: IpProtocol.ICMP, payload: encodeIcmpv4(message) }),
    ),
  );
  assert.deepEqual(
    dissect(
      file4,
      'icmp.type',
      'icmp.code',
      'icmp.checksum.status',
      'icmp.mtu',
      'icmp.pointer',
      'udp.dstport',
      'icmp.seq',
    ),
    [
      ['3', '4', '1', '1280', '', '40001', ''],
      ['12', '0', '1', '', '20', '40001', ''],
      ['11', '0', '1', '', '', '40001', ''],
      ['3', '3', '1', '', '', '40001', ''],
      ['8', '0', '1', '', '', '', '1'],
    ],
  );
  const messages6 = [
    { kind: 'packet-too-big', code: 0, mtu: 1280, quoted: quoted6 },
    { kind: 'parameter-problem', code: 1, pointer: 40, quoted: quoted6 },
    { kind: 'time-exceeded', code: 0, quoted: quoted6 },
    { kind: 'destination-unreachable', code: 4, quoted: quoted6 },
  ] as const;
  const file6 = writeFile(
    'icmp6.pcapng',
    messages6.map((message) =>
      encodeIp({ ...six, protocol: IpProtocol.ICMPV6, payload: encodeIcmpv6(message, six) }),
    ),
  );
  assert.deepEqual(
    dissect(
      file6,
      'icmpv6.type',
      'icmpv6.code',
      'icmpv6.checksum.status',
      'icmpv6.mtu',
      'icmpv6.pointer',
      'udp.dstport',
    ),
    [
      ['2', '0', '1', '1280', '', '40001'],
      ['4', '1', '1', '', '40', '40001'],
      ['3', '0', '1', '', '', '40001'],
      ['1', '4', '1', '', '', '40001'],
    ],
  );
});

test('tshark finds SPI and sequence number of our ESP and AH, native and in UDP', { skip }, () => {
  const esp = encodeEsp({ spi: 0xc0ffee01, sequence: 5, body: payload });
  const ah = { spi: 0x101, sequence: 6, icv: new Uint8Array(12), nextHeader: 253, payload };
  const nat = { sourcePort: 4500, destinationPort: 4500, checksummed: false, payload: esp };
  const file = writeFile('ipsec.pcapng', [
    encodeIp({ ...four, protocol: IpProtocol.ESP, payload: esp }),
    encodeIp({ ...four, protocol: IpProtocol.AH, payload: encodeAh(ah) }),
    encodeIp({ ...four, protocol: IpProtocol.UDP, payload: encodeUdp(nat, four) }),
    encodeIp({
      ...four,
      protocol: IpProtocol.UDP,
      payload: encodeUdp({ ...nat, payload: Uint8Array.of(0xff) }, four),
    }),
  ]);
  assert.deepEqual(
    dissect(file, 'esp.spi', 'esp.sequence', 'ah.spi', 'ah.sequence', 'udpencap.nat_keepalive'),
    [
      ['0xc0ffee01', '5', '', '', ''],
      ['', '', '0x00000101', '6', ''],
      ['0xc0ffee01', '5', '', '', ''],
      ['', '', '', '', '1'],
    ].map((line) => line.map(String)),
  );
});

test('tshark finds the IP packet where we do, behind each link-layer header', { skip }, () => {
  const packet = encodeIp({ ...four, protocol: 253, payload });
  const family = [0x08, 0x00];
  const frames: [number, number[]][] = [
    [LinkType.ETHERNET, [...new Array(12).fill(2), ...family]],
    [LinkType.ETHERNET, [...new Array(12).fill(2), 0x88, 0xa8, 0, 7, 0x81, 0, 0, 8, ...family]],
    [LinkType.LINUX_SLL, [0, 0, 0, 1, 0, 6, ...new Array(8).fill(2), ...family]],
    [LinkType.LINUX_SLL2, [...family, ...new Array(18).fill(0)]],
    [LinkType.NULL, [2, 0, 0, 0]],
    [LinkType.LOOP, [0, 0, 0, 2]],
    [LinkType.RAW, []],
    [LinkType.IPV4, []],
  ];
  for (const [linkType, header] of frames) {
    const frame = Uint8Array.of(...header, ...packet);
    const seen = dissect(writeFile('frame.pcapng', [frame], { linkType }), 'ip.src', 'ip.len');
    assert.deepEqual(seen, [['192.0.2.1', String(packet.length)]], `link type ${linkType}`);
    assert.equal(locateIpPacket(linkType, frame), header.length);
  }
});

test('files that editcap converted hold the packets they held before', { skip }, () => {
  writeFileSync(path('original.pcap'), microsecondEthernet);
  const before = decodeCapture(microsecondEthernet);
  for (const format of ['pcap', 'nsecpcap', 'pcapng']) {
    run('editcap', '-F', format, path('original.pcap'), path('converted'));
    const now = decodeCapture(readFileSync(path('converted')));
    assert.deepEqual(
      now.map(({ timestampNs, octets, linkType }) => ({ timestampNs, octets, linkType })),
      before.map(({ timestampNs, octets, linkType }) => ({ timestampNs, octets, linkType })),
      format,
    );
  }
});

test('a file that mergecap joined from ours and one of dumpcap has both interfaces', { skip }, () => {
  const packet = encodeIp({ ...four, protocol: 253, payload });
  const ours = writeFile('ours.pcapng', [packet], { name: 'lost and found' });
  writeFileSync(path('theirs.pcapng'), twoInterfaces);
  run('mergecap', '-w', path('merged.pcapng'), path('theirs.pcapng'), ours);
  const merged = decodeCapture(readFileSync(path('merged.pcapng')));
  assert.equal(merged.length, 5);
  const found = merged.find(({ linkType }) => linkType === LinkType.RAW);
  assert.deepEqual(found?.octets, packet);
  assert.equal(found?.interfaceName, 'lost and found');
  assert.equal(found?.comment, 'packet 0');
  assert.equal(merged.filter(({ interfaceName }) => interfaceName === 'wv0').length, 4);
});

test('a file that tshark wrote from ours is read back the same', { skip }, () => {
  const file = writeFile('again.pcapng', [encodeIp({ ...six, protocol: 253, payload })]);
  run('tshark', '-r', file, '-F', 'pcapng', '-w', path('again-tshark.pcapng'));
  const [before] = decodeCapture(readFileSync(file));
  const [now] = decodeCapture(readFileSync(path('again-tshark.pcapng')));
  assert.deepEqual({ ...now, fileOffset: 0 }, { ...before, fileOffset: 0 });
});
