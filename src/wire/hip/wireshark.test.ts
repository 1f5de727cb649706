// Wireshark reads what this folder writes. Its dissector is older than RFC 7401: what it takes for the numbers of version
// 1 (R1_COUNTER, ciphers, the octet of a signature's algorithm) or does not know (DH_GROUP_LIST) is left out here.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  addNonEspMarker,
  CaptureWriter,
  encodeHipPacket,
  encodeIp,
  encodeUdp,
  HipPacketType,
  type HipParameter,
  type Hit,
  hipUdpPort,
  IpProtocol,
  type Ipv4Packet,
  type Ipv6Packet,
  writeHipChecksum,
} from '../index.ts';

const missing = spawnSync('tshark', ['--version'], { stdio: 'ignore' }).status !== 0;
const skip = missing ? 'tshark not installed' : false;
const folder = mkdtempSync(join(tmpdir(), 'wayward-hip-'));
after(() => rmSync(folder, { recursive: true }));

const four: Omit<Ipv4Packet, 'protocol' | 'payload'> = {
  version: 4,
  dscp: 0,
  ecn: 0,
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
  dscp: 0,
  ecn: 0,
  flowLabel: 0,
  hopLimit: 64,
  source: Uint8Array.of(0x20, 1, 0xd, 0xb8, ...new Array(11).fill(0), 1),
  destination: Uint8Array.of(0x20, 1, 0xd, 0xb8, ...new Array(11).fill(0), 2),
  extensions: [],
};
const sender = '20010021000000000000000000000001' as Hit;
const receiver = '20010022000000000000000000000002' as Hit;

function hipPacket(packetType: number, ...parameters: HipParameter[]): Uint8Array {
  return encodeHipPacket({
    header: { packetType, anonymous: packetType === 3, sender, receiver },
    parameters,
  });
}

function inIpv4(octets: Uint8Array): Uint8Array {
  writeHipChecksum(octets, four);
  return encodeIp({ ...four, protocol: IpProtocol.HIP, payload: octets });
}

function inIpv6(octets: Uint8Array): Uint8Array {
  writeHipChecksum(octets, six);
  return encodeIp({ ...six, protocol: IpProtocol.HIP, payload: octets });
}

/** One line of tab-separated fields per packet; several values of one field are joined by commas. */
function dissect(name: string, packets: readonly Uint8Array[], ...fields: string[]): string[][] {
  const writer = new CaptureWriter({ application: 'wayward', interfaces: [{}] });
  const blocks = packets.map((octets, i) =>
    writer.packet({ timestampNs: 1_700_000_000_000_000_000n + BigInt(i), octets }),
  );
  const file = join(folder, name);
  writeFileSync(file, Buffer.concat([writer.start(), ...blocks]));
  const wanted = fields.flatMap((field) => ['-e', field]);
  const output = execFileSync('tshark', ['-r', file, '-n', '-T', 'fields', ...wanted], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return output
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => line.split('\t'));
}

const i1 = (): Uint8Array => hipPacket(HipPacketType.I1, { type: 'DH_GROUP_LIST', groups: [3, 4, 8] });

// RFC 7401 5.1.1, 5.3.1
test('tshark finds headers and checksums of our packets right, in IPv4, IPv6 and UDP', { skip }, () => {
  const udp = encodeUdp(
    {
      sourcePort: hipUdpPort,
      destinationPort: hipUdpPort,
      checksummed: true,
      payload: addNonEspMarker(i1()),
    },
    four,
  );
  const seen = dissect(
    'headers.pcapng',
    [inIpv4(i1()), inIpv6(i1()), encodeIp({ ...four, protocol: IpProtocol.UDP, payload: udp })],
    'hip.version',
    'hip.packet_type',
    'hip.hdr_len',
    'hip.checksum.status',
    'hip.hit_sndr',
    'hip.hit_rcvr',
    'hip.type',
    '_ws.malformed',
  );
  const rest = ['2', '1', '5'];
  assert.deepEqual(
    seen.map((line) => line.slice(0, 3)),
    [rest, rest, rest],
  );
  assert.deepEqual(
    seen.slice(0, 2).map((line) => line[3]),
    ['1', '1'],
  );
  for (const line of seen) {
    assert.deepEqual(line.slice(4), [sender, receiver, '511', '']);
  }
});

test('tshark finds the parameters of a base exchange where they are', { skip }, () => {
  const random = Uint8Array.from({ length: 32 }, (_, i) => i);
  const r1 = hipPacket(
    HipPacketType.R1,
    { type: 'R1_COUNTER', reserved: 0, counter: 7n },
    { type: 'PUZZLE', difficulty: 10, lifetime: 37, opaque: 0xabcd, random },
    { type: 'DIFFIE_HELLMAN', group: 8, publicValue: new Uint8Array(96).fill(1) },
    { type: 'HIT_SUITE_LIST', suites: [2, 1] },
    { type: 'NOTIFICATION', notifyType: 16384, data: Uint8Array.of(1, 2) },
    { type: 'ECHO_REQUEST_SIGNED', data: Uint8Array.of(3, 4, 5) },
    { type: 'ESP_TRANSFORM', suites: [8, 9] },
    { type: 'HIP_SIGNATURE_2', algorithm: 7, signature: new Uint8Array(10).fill(9) },
  );
  const i2 = hipPacket(
    HipPacketType.I2,
    { type: 'ESP_INFO', keymatIndex: 96, oldSpi: 0, newSpi: 0xc0ffee01 },
    { type: 'SOLUTION', difficulty: 10, opaque: 0xabcd, random, solution: random.toReversed() },
    { type: 'HIP_MAC', mac: new Uint8Array(32).fill(5) },
    { type: 'HIP_SIGNATURE', algorithm: 5, signature: new Uint8Array(8).fill(6) },
  );
  const [first, second] = dissect(
    'base-exchange.pcapng',
    [inIpv4(r1), inIpv6(i2)],
    'hip.type',
    'hip.tlv_puzzle_k',
    'hip.tlv_puzzle_lifetime',
    'hip.tlv_puzzle_opaque',
    'hip.tlv.dh_group_id',
    'hip.tlv.dh_pv_length',
    'hip.tlv.notification_type',
    'hip.tlv.opaque_data',
    'hip.tlv_esp_info_key_index',
    'hip.tlv_esp_info_new_spi',
    'hip.tlv_solution_k',
    'hip.tlv_solution_opaque',
    'hip.tlv.hmac',
    'hip.controls.a',
    '_ws.malformed',
  );
  assert.deepEqual(
    first,
    ['129,257,513,715,832,897,4095,61633', '10', '37', '0xabcd', '8', '96', '16384', '030405'].concat(
      ['', '', '', '', ''],
      ['0', ''],
    ),
  );
  assert.deepEqual(
    second,
    ['65,321,61505,61697', '', '', '', '', '', '', ''].concat(
      ['0x0060', '0xc0ffee01', '10', '0xabcd', '05'.repeat(32)],
      ['1', ''],
    ),
  );
});

test('tshark finds the parameters of updates and registrations where they are', { skip }, () => {
  const update = hipPacket(
    HipPacketType.UPDATE,
    {
      type: 'LOCATOR_SET',
      locators: [
        {
          trafficType: 1,
          preferred: true,
          lifetimeSeconds: 60,
          locatorType: 1,
          spi: 0x1234,
          address: Uint8Array.of(192, 0, 2, 1),
        },
      ],
    },
    { type: 'SEQ', updateId: 5 },
    { type: 'ACK', updateIds: [6, 7] },
    { type: 'CERT', group: 1, count: 2, id: 3, certType: 1, certificate: new Uint8Array(5) },
    { type: 'REG_INFO', minimumLifetime: 80, maximumLifetime: 120, registrationTypes: [1] },
    { type: 'REG_REQUEST', lifetime: 100, registrationTypes: [1, 2] },
    { type: 'REG_FAILED', failureType: 2, registrationTypes: [3] },
    { type: 'FROM', address: Uint8Array.of(192, 0, 2, 9) },
    { type: 'VIA_RVS', addresses: [Uint8Array.of(192, 0, 2, 8)] },
  );
  const [line] = dissect(
    'update.pcapng',
    [inIpv4(update)],
    'hip.type',
    'hip.tlv.locator_traffic_type',
    'hip.tlv.locator_type',
    'hip.tlv.locator_len',
    'hip.tlv.locator_lifetime',
    'hip.tlv.locator_spi',
    'hip.tlv.locator_address',
    'hip.tlv_seq_update_id',
    'hip.tlv_ack_updid',
    'hip.tlv.cert_group',
    'hip.tlv.cert_count',
    'hip.tlv.cert_id',
    'hip.tlv.reg_ltmin',
    'hip.tlv.reg_ltmax',
    'hip.tlv.reg_lt',
    'hip.tlv.reg_type',
    'hip.tlv.reg_failtype',
    'hip.tlv_from_address',
    'hip.tlv_rvs_address',
    '_ws.malformed',
  );
  const mapped = '::ffff:192.0.2.1';
  assert.deepEqual(
    line,
    [
      '193,385,449,768,930,932,936,65498,65502',
      '1',
      '1',
      '5',
      '60',
      '0x00001234',
      `${mapped},${mapped}`,
    ].concat(
      ['0x00000005', '0x00000006,0x00000007', '1', '2', '3', '80', '120', '100', '1,1,2,3', '2'],
      ['::ffff:192.0.2.9', '::ffff:192.0.2.8', ''],
    ),
  );
});
