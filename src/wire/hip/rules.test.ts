// Rules of the format one by one, and the examples that the RFCs print.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WireError, type WireErrorCode } from '../error.ts';
import { toHex } from '../ike/testing/hex.ts';
import { transportChecksum } from '../ip/checksum.ts';
import {
  addressHipR1,
  appendHipParameters,
  decodeHipHeader,
  decodeHipPacket,
  decodeHipParameters,
  decodeHipRecord,
  encodeHipPacket,
  encodeHipParameters,
  encodeHipRecord,
  type HipHeader,
  HipPacketType,
  type HipParameter,
  type Hit,
  hipMac2Octets,
  hipMacOctets,
  hipNotifyTypeName,
  hipPacketTypeName,
  hipParameter,
  hipParameterOctets,
  hipParameterTypeName,
  hipSignature2Octets,
  hipSignatureOctets,
  hitBytes,
  hitFromBytes,
  hitSuiteOf,
  unknownCriticalParameter,
  writeHipChecksum,
  zeroHit,
} from './index.ts';

function hex(digits: string): Uint8Array {
  return Uint8Array.from(digits.replace(/\s/g, '').match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

const sender = '20010020000000000000000000000001' as Hit;
const receiver = '20010020000000000000000000000002' as Hit;
const header: HipHeader = { packetType: HipPacketType.I1, anonymous: false, sender, receiver };
const groups: HipParameter = { type: 'DH_GROUP_LIST', groups: [3, 4, 8] };

function refused(run: () => unknown, code: WireErrorCode, offset?: number): void {
  assert.throws(run, (error) => {
    assert.ok(error instanceof WireError, `${error}`);
    assert.equal(error.code, code, error.message);
    if (offset !== undefined) assert.equal(error.offset, offset, error.message);
    return true;
  });
}

// RFC 7401 C.1 and C.2; 5.1.1
test("the checksums of RFC 7401's example I1 over IPv6 and over IPv4 are ours", () => {
  const six = {
    source: hex('20010db8000000000000000000000001'),
    destination: hex('20010db8000000000000000000000002'),
  };
  const four = { source: Uint8Array.of(192, 0, 2, 1), destination: Uint8Array.of(192, 0, 2, 2) };
  const packet = encodeHipPacket({ header, parameters: [groups] });
  assert.equal(packet.length, 48);
  assert.equal(toHex(packet), `3b05012100000000${sender}${receiver}01ff000303040800`);
  writeHipChecksum(packet, six);
  assert.equal(toHex(packet.subarray(4, 6)), '1a5e');
  assert.deepEqual(decodeHipPacket(packet, six).parameters, [groups]);
  writeHipChecksum(packet, four);
  assert.equal(toHex(packet.subarray(4, 6)), 'f1ce');
  assert.deepEqual(decodeHipPacket(packet, four).parameters, [groups]);
});

// RFC 7401 C.3 and 4.5.1
test("the checksum of RFC 7401's example TCP segment between HITs is ours", () => {
  const segment = hex('ffdc0016 00000001 00000000 5002ffff 00000000');
  const hits = { source: hitBytes(sender), destination: hitBytes(receiver) };
  assert.equal(transportChecksum(hits, 6, segment), 0x6faa);
});

// RFC 9028 5.1
test('out of UDP a packet has a checksum of zero, and any other is refused', () => {
  const packet = encodeHipPacket({ header, parameters: [groups] });
  assert.deepEqual(decodeHipPacket(packet).parameters, [groups]);
  packet[5] = 1;
  refused(() => decodeHipPacket(packet), 'checksum', 4);
});

// RFC 7401 5.4.1, 5.4.2
test('another version is refused at its octet, but not before a wrong checksum', () => {
  const addresses = { source: new Uint8Array(4), destination: new Uint8Array(4) };
  const packet = encodeHipPacket({ header, parameters: [] });
  packet[3] = 0x11;
  refused(() => decodeHipPacket(packet, addresses), 'checksum');
  writeHipChecksum(packet, addresses);
  refused(() => decodeHipPacket(packet, addresses), 'version', 3);
  assert.equal(decodeHipHeader(packet).version, 1);
});

// RFC 7401 5.1, 5.1.2
test('fixed, reserved and unknown bits of the header and reserved fields of parameters mean nothing', () => {
  const packet = encodeHipPacket({ header, parameters: [{ type: 'ESP_TRANSFORM', suites: [8] }] });
  packet[2] = packet[2]! | 0x80;
  packet[3] = 0x2e;
  packet.fill(0xff, 6, 8);
  packet.fill(0xff, 44, 46);
  const read = decodeHipPacket(packet);
  assert.deepEqual(read.header, { ...header, anonymous: true });
  assert.deepEqual(read.parameters, [{ type: 'ESP_TRANSFORM', suites: [8] }]);
});

// RFC 7401 5.1
test('what follows a packet is ignored, and a next header is told', () => {
  const packet = encodeHipPacket({ header: { ...header, nextHeader: 6 }, parameters: [groups] });
  const read = decodeHipPacket(Uint8Array.of(...packet, 1, 2, 3));
  assert.equal(read.header.nextHeader, 6);
  assert.deepEqual(read.octets, packet);
});

// RFC 7401 5.1
test('a header length below four eights, beyond the datagram or beyond 2048 octets is refused', () => {
  const packet = encodeHipPacket({ header, parameters: [groups] });
  for (const length of [0, 3]) {
    packet[1] = length;
    refused(() => decodeHipPacket(packet), 'length', 1);
  }
  packet[1] = 6;
  refused(() => decodeHipPacket(packet), 'truncated', 1);
  const large = (length: number): HipParameter[] => [
    { type: 'ECHO_REQUEST_SIGNED', data: new Uint8Array(length) },
  ];
  assert.equal(encodeHipPacket({ header, parameters: large(2004) }).length, 2048);
  refused(() => encodeHipPacket({ header, parameters: large(2005) }), 'limit');
});

// RFC 7401 5.2.1
test('parameters out of order are refused; equal types may follow one another', () => {
  const one = encodeHipParameters([{ type: 'SEQ', updateId: 1 }]);
  const other = encodeHipParameters([{ type: 'ACK', updateIds: [1] }]);
  assert.equal(decodeHipParameters(Uint8Array.of(...one, ...one, ...other)).length, 3);
  refused(() => decodeHipParameters(Uint8Array.of(...other, ...one)), 'value', 8);
});

// RFC 7401 5.2.1
test('padding is written as zeros and not looked at when read', () => {
  const octets = encodeHipParameters([groups]);
  assert.equal(toHex(octets), '01ff000303040800');
  octets[7] = 0xff;
  assert.deepEqual(decodeHipParameters(octets), [groups]);
  refused(() => decodeHipParameters(octets.subarray(0, 7)), 'truncated');
});

// RFC 7401 5.2.1
test('unknown parameters are kept; one with an odd number is critical', () => {
  const harmless: HipParameter = { type: 'unknown', parameterType: 32768, contents: hex('0102') };
  const critical: HipParameter = { type: 'unknown', parameterType: 32769, contents: hex('') };
  assert.deepEqual(decodeHipParameters(encodeHipParameters([critical, harmless])), [harmless, critical]);
  assert.equal(unknownCriticalParameter([groups, harmless]), undefined);
  assert.equal(unknownCriticalParameter([harmless, critical]), critical);
  refused(() => encodeHipParameters([{ ...harmless, parameterType: 257 }]), 'value');
});

// RFC 7401 5.2.8, RFC 7402 5.1.2, RFC 9028 5.4
test('a seventh cipher, ESP suite or traversal mode is not read and cannot be written', () => {
  const numbers = [1, 2, 3, 4, 5, 6, 7];
  const many = numbers.map((number) => `000${number}`).join('');
  const [cipher] = decodeHipParameters(hex(`0243000e${many}000000000000`));
  assert.deepEqual(cipher, { type: 'HIP_CIPHER', ciphers: [1, 2, 3, 4, 5, 6] });
  const [suites] = decodeHipParameters(hex(`0fff00100000${many}00000000`));
  assert.deepEqual(suites, { type: 'ESP_TRANSFORM', suites: [1, 2, 3, 4, 5, 6] });
  const [modes] = decodeHipParameters(hex(`026000100000${many}00000000`));
  assert.deepEqual(modes, { type: 'NAT_TRAVERSAL_MODE', modes: [1, 2, 3, 4, 5, 6] });
  refused(() => encodeHipParameters([{ type: 'HIP_CIPHER', ciphers: numbers }]), 'limit');
  refused(() => encodeHipParameters([{ type: 'ESP_TRANSFORM', suites: numbers }]), 'limit');
});

// RFC 7401 5.2.10
test('HIT suites stand in the high four bits, and low bits are an error', () => {
  assert.equal(toHex(encodeHipParameters([{ type: 'HIT_SUITE_LIST', suites: [2, 1] }])), '02cb000220100000');
  refused(() => decodeHipParameters(hex('02cb000220110000')), 'value', 5);
});

// RFC 7401 5.2.9
test('a HOST_ID carries a domain name beside the key; a length without a type is refused', () => {
  const parameter: HipParameter = {
    type: 'HOST_ID',
    algorithm: 7,
    hostIdentity: hex('0001aabb'),
    domainIdentifier: { type: 1, octets: hex('016100') },
  };
  const octets = encodeHipParameters([parameter]);
  assert.equal(toHex(octets), `02c1000d0004100300070001aabb016100${'00'.repeat(7)}`);
  assert.deepEqual(decodeHipParameters(octets), [parameter]);
  octets[6] = 0;
  refused(() => decodeHipParameters(octets), 'value', 6);
});

// RFC 7401 5.2.4, 5.2.5, 5.2.17
test('a puzzle without a number, a solution with one and a half, and an empty ACK are refused', () => {
  refused(() => decodeHipParameters(hex('0101000400000000')), 'truncated');
  refused(() => decodeHipParameters(hex('01410007000000000102030000000000')), 'length');
  refused(() => decodeHipParameters(hex('01c1000000000000')), 'truncated');
  refused(() => decodeHipParameters(hex('01c1000600000001000200000000')), 'truncated');
});

// RFC 7401 5.2.3: the Initiator returns the reserved field as it is
test('R1_COUNTER keeps its reserved octets', () => {
  const octets = hex('0081000c01020304ffffffffffffffff');
  const [counter] = decodeHipParameters(octets);
  assert.deepEqual(counter, { type: 'R1_COUNTER', reserved: 0x01020304, counter: 2n ** 64n - 1n });
  assert.deepEqual(encodeHipParameters([counter!]), octets);
});

// RFC 7401 5.2.7
test('a DIFFIE_HELLMAN with octets behind its public value is refused', () => {
  refused(() => decodeHipParameters(hex('0201000507000100aa000000'.padEnd(32, '0'))), 'trailing');
});

// RFC 8046 4, 4.2, RFC 9028 5.7
test('locators of each type are read, IPv4 as four octets; a zero lifetime and a wrong length are refused', () => {
  const octets = encodeHipParameters([
    {
      type: 'LOCATOR_SET',
      locators: [
        {
          trafficType: 0,
          preferred: true,
          lifetimeSeconds: 60,
          locatorType: 1,
          spi: 0x1234,
          address: Uint8Array.of(192, 0, 2, 1),
        },
      ],
    },
  ]);
  assert.equal(
    toHex(octets),
    '00c1001c' + '00010501' + '0000003c' + '00001234' + '00000000000000000000ffffc0000201',
  );
  refused(() => decodeHipParameters(octets.map((octet, at) => (at === 11 ? 0 : octet))), 'value', 8);
  refused(() => decodeHipParameters(octets.map((octet, at) => (at === 6 ? 4 : octet))), 'length', 6);
  const [empty] = decodeHipParameters(hex('00c1000000000000'));
  assert.deepEqual(empty, { type: 'LOCATOR_SET', locators: [] });
});

// RFC 7402 5.1.1
test('ESP_INFO is written as the RFC draws it', () => {
  const octets = encodeHipParameters([
    { type: 'ESP_INFO', keymatIndex: 0x60, oldSpi: 0, newSpi: 0xc0ffee01 },
  ]);
  assert.equal(toHex(octets), '0041000c' + '0000' + '0060' + '00000000' + 'c0ffee01');
});

// RFC 7401 6.4.1, 6.4.2, 5.2.12, 5.2.13, 5.2.14
test('MACs and signatures cover what stands before them, with the length up to there and a checksum of zero', () => {
  const signed: HipParameter[] = [
    { type: 'SEQ', updateId: 1 },
    { type: 'HIP_MAC', mac: new Uint8Array(20) },
  ];
  const signature: HipParameter = { type: 'HIP_SIGNATURE', algorithm: 5, signature: new Uint8Array(10) };
  const unsigned: HipParameter = { type: 'ECHO_REQUEST_UNSIGNED', data: new Uint8Array(3) };
  const packet = encodeHipPacket({ header, parameters: [...signed, signature, unsigned] });
  writeHipChecksum(packet, { source: new Uint8Array(4), destination: new Uint8Array(4) });
  const without = (parameters: HipParameter[]): Uint8Array => encodeHipPacket({ header, parameters });
  assert.deepEqual(hipMacOctets(packet, 'HIP_MAC'), without(signed.slice(0, 1)));
  assert.deepEqual(hipSignatureOctets(packet), without(signed));
  assert.deepEqual(hipMacOctets(without(signed.slice(0, 1)), 'HIP_MAC'), without(signed.slice(0, 1)));
  const hostId = encodeHipParameters([{ type: 'HOST_ID', algorithm: 5, hostIdentity: new Uint8Array(3) }]);
  const covered = without([]);
  covered[1] = covered[1]! + hostId.length / 8;
  const r2 = without([{ type: 'HIP_MAC_2', mac: new Uint8Array(20) }, signature]);
  assert.deepEqual(hipMac2Octets(r2, hostId), Uint8Array.of(...covered, ...hostId));
});

// RFC 7401 5.2.15, 5.3.2, 6.4.2
test('HIP_SIGNATURE_2 stays the same whoever the R1 is addressed to', () => {
  const r1Header: HipHeader = { ...header, packetType: HipPacketType.R1, receiver: zeroHit };
  const puzzle: HipParameter = {
    type: 'PUZZLE',
    difficulty: 10,
    lifetime: 40,
    opaque: 0,
    random: new Uint8Array(32),
  };
  const signature: HipParameter = { type: 'HIP_SIGNATURE_2', algorithm: 5, signature: new Uint8Array(8) };
  const prepared = encodeHipPacket({ header: r1Header, parameters: [puzzle, signature] });
  const random = new Uint8Array(32).fill(7);
  const sent = addressHipR1(prepared, { receiver, opaque: 0xabcd, random });
  const read = decodeHipPacket(sent);
  assert.equal(read.header.receiver, receiver);
  assert.deepEqual(hipParameter(read.parameters, 'PUZZLE'), { ...puzzle, opaque: 0xabcd, random });
  assert.deepEqual(hipSignature2Octets(sent), hipSignature2Octets(prepared));
  assert.deepEqual(hipSignature2Octets(sent), encodeHipPacket({ header: r1Header, parameters: [puzzle] }));
  const harder = encodeHipPacket({
    header: r1Header,
    parameters: [{ ...puzzle, difficulty: 11 }, signature],
  });
  assert.notDeepEqual(hipSignature2Octets(harder), hipSignature2Octets(prepared));
  refused(() => addressHipR1(prepared, { receiver, opaque: 0, random: new Uint8Array(20) }), 'length');
});

test('a parameter is taken from a packet with the padding it has there', () => {
  const packet = encodeHipPacket({ header, parameters: [groups, { type: 'SEQ', updateId: 1 }] });
  packet[55] = 9;
  assert.equal(toHex(hipParameterOctets(packet, 'DH_GROUP_LIST')!), '01ff000303040809');
  assert.equal(hipParameterOctets(packet, 'HOST_ID'), undefined);
});

test('parameters are appended behind those of a packet, and not before them', () => {
  const packet = encodeHipPacket({ header, parameters: [groups] });
  const mac: HipParameter = { type: 'HIP_MAC', mac: new Uint8Array(20) };
  assert.deepEqual(
    appendHipParameters(packet, [mac]),
    encodeHipPacket({ header, parameters: [groups, mac] }),
  );
  refused(() => appendHipParameters(packet, [{ type: 'SEQ', updateId: 1 }]), 'value');
});

// RFC 7343 2, RFC 7401 E
test('a HIT tells its suite, and what is no ORCHID has none', () => {
  assert.equal(hitSuiteOf('20010021ffffffffffffffffffffffff' as Hit), 1);
  assert.equal(hitSuiteOf('2001002f000000000000000000000000' as Hit), 15);
  assert.equal(hitSuiteOf(zeroHit), undefined);
  assert.equal(hitSuiteOf('200100107b1a74df365639cc39f1d578' as Hit), undefined);
  assert.equal(hitFromBytes(hitBytes(sender)), sender);
  refused(() => hitFromBytes(new Uint8Array(15)), 'length');
});

/** RFC 8005 7: the node with a HIT of version 1, its RSA key, and two rendezvous servers. */
const examplePublicKey =
  'AwEAAbdxyhNuSutc5EMzxTs9LBPCIkOFH8cIvM4p9+LrV4e19WzK00+CI6zBCQTdtWsuxKbWIy87UOoJTwkUs7lBu+Upr1gsNrut79ry' +
  'ra+bSRGQb1slImA8YVJyuIDsj7kwzG7jnERNqnWxZ48AWkskmdHaVDP4BcelrTI3rMXdXF5D';

// RFC 8005 5.1, 5.2, 5.3, 5.4, 5.6, 7
test("RFC 8005's example record with two rendezvous servers is read and written", () => {
  const publicKey = Uint8Array.from(atob(examplePublicKey), (character) => character.charCodeAt(0));
  const label = (text: string): Uint8Array => new TextEncoder().encode(text);
  const record = {
    hit: '200100107b1a74df365639cc39f1d578' as Hit,
    algorithm: 2,
    publicKey,
    rendezvousServers: ['rvs1.example.com', 'rvs2.example.com'].map((name) => name.split('.').map(label)),
  };
  const rdata = encodeHipRecord(record);
  assert.equal(toHex(rdata.subarray(0, 24)), `10020084${record.hit}03010001`);
  assert.equal(
    toHex(rdata.subarray(4 + 16 + 132)),
    toHex(label('\x04rvs1\x07example\x03com\0\x04rvs2\x07example\x03com\0')),
  );
  assert.deepEqual(decodeHipRecord(rdata), record);
  refused(() => decodeHipRecord(rdata.subarray(0, rdata.length - 1)), 'truncated');
  const compressed = rdata.slice();
  compressed[4 + 16 + 132] = 0xc0;
  refused(() => decodeHipRecord(compressed), 'value');
  refused(() => encodeHipRecord({ ...record, rendezvousServers: [[label('x'.repeat(64))]] }), 'length');
});

test('numbers have the names of the RFCs, and unknown ones their kind', () => {
  assert.equal(hipPacketTypeName(19), 'CLOSE_ACK');
  assert.equal(hipPacketTypeName(99), 'PACKET(99)');
  assert.equal(hipParameterTypeName(63661), 'ECHO_REQUEST_UNSIGNED');
  assert.equal(hipParameterTypeName(2), 'PARAMETER(2)');
  assert.equal(hipNotifyTypeName(44), 'RESPONDER_BUSY_PLEASE_RETRY');
  assert.equal(hipNotifyTypeName(999), 'NOTIFY(999)');
});
