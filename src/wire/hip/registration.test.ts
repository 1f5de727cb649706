// REG_* and what a rendezvous server adds, octet by octet (RFC 8003 4.2 to 4.5, RFC 8004 4.2).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WireError } from '../error.ts';
import { toHex } from '../ike/testing/hex.ts';
import {
  appendHipParameters,
  decodeHipPacket,
  decodeHipParameters,
  encodeHipPacket,
  encodeHipParameters,
  HipPacketType,
  type HipParameter,
  HipParameterType,
  type Hit,
  hipMacOctets,
  registrationFailureName,
  registrationTypeName,
} from './index.ts';

const i1 = encodeHipPacket({
  header: {
    packetType: HipPacketType.I1,
    anonymous: false,
    sender: '20010020000000000000000000000001' as Hit,
    receiver: '20010020000000000000000000000002' as Hit,
  },
  parameters: [{ type: 'DH_GROUP_LIST', groups: [7, 8, 4, 11] }],
});

const from: HipParameter = { type: 'FROM', address: Uint8Array.of(192, 0, 2, 9) };

const written: readonly (readonly [string, HipParameter, string])[] = [
  [
    'REG_INFO has two lifetimes and the types that are offered',
    { type: 'REG_INFO', minimumLifetime: 91, maximumLifetime: 160, registrationTypes: [1, 2] },
    '03a2 0004 5ba00102',
  ],
  [
    'REG_INFO of a registrar that has nothing to offer at the moment is not empty',
    { type: 'REG_INFO', minimumLifetime: 91, maximumLifetime: 160, registrationTypes: [] },
    '03a2 0002 5ba0 0000',
  ],
  ['REG_REQUEST', { type: 'REG_REQUEST', lifetime: 119, registrationTypes: [1] }, '03a4 0002 7701 0000'],
  ['REG_RESPONSE', { type: 'REG_RESPONSE', lifetime: 0, registrationTypes: [1] }, '03a6 0002 0001 0000'],
  ['REG_FAILED', { type: 'REG_FAILED', failureType: 1, registrationTypes: [2, 3, 4] }, '03a8 0004 01020304'],
  ['FROM with an IPv4 address', from, 'ffda 0010 00000000000000000000ffffc0000209 00000000'],
  [
    'VIA_RVS with two addresses',
    {
      type: 'VIA_RVS',
      addresses: [Uint8Array.of(192, 0, 2, 9), Uint8Array.from({ length: 16 }, (_, at) => at)],
    },
    'ffde 0020 00000000000000000000ffffc0000209 000102030405060708090a0b0c0d0e0f 00000000',
  ],
];

for (const [name, parameter, digits] of written) {
  test(name, () => {
    const octets = encodeHipParameters([parameter]);
    assert.equal(toHex(octets), digits.replaceAll(' ', ''));
    assert.deepEqual(decodeHipParameters(octets), [parameter]);
  });
}

test('none of them is critical: who knows no registration goes on without it', () => {
  for (const name of [
    'REG_INFO',
    'REG_REQUEST',
    'REG_RESPONSE',
    'REG_FAILED',
    'FROM',
    'RVS_HMAC',
    'VIA_RVS',
  ] as const)
    assert.equal(HipParameterType[name] % 2, 0, name);
});

test('REG_INFO without its lifetimes, and FROM with more or less than one address, are malformed', () => {
  for (const digits of ['03a20001', 'ffda000c', 'ffda0020']) {
    const octets = new Uint8Array(40);
    octets.set([digits.slice(0, 2), digits.slice(2, 4), digits.slice(4, 6), digits.slice(6)].map(hexOctet));
    const whole = octets.subarray(0, Math.ceil((4 + octets[3]!) / 8) * 8);
    assert.throws(() => decodeHipParameters(whole), WireError);
  }
});

function hexOctet(digits: string): number {
  return Number.parseInt(digits, 16);
}

// RFC 8004 4.2.1
test('RVS_HMAC stands behind FROM and covers it, but neither itself nor what follows', () => {
  const relayed = appendHipParameters(i1, [from]);
  const whole = appendHipParameters(relayed, [
    { type: 'RVS_HMAC', mac: new Uint8Array(32).fill(7) },
    { type: 'VIA_RVS', addresses: [Uint8Array.of(192, 0, 2, 1)] },
  ]);
  const received = whole.slice();
  received.set([0xab, 0xcd], 4);
  // The checksum is zero, and Header Length is that of what is covered.
  assert.deepEqual(hipMacOctets(received, 'RVS_HMAC'), relayed);
  assert.equal(relayed[1], i1[1]! + 3);
  assert.deepEqual(
    decodeHipPacket(whole).parameters.map(({ type }) => type),
    ['DH_GROUP_LIST', 'FROM', 'RVS_HMAC', 'VIA_RVS'],
  );
});

// RFC 8004 4.2.2
test('a second FROM stands behind the first', () => {
  const other: HipParameter = { type: 'FROM', address: Uint8Array.of(198, 51, 100, 1) };
  const { parameters } = decodeHipPacket(appendHipParameters(appendHipParameters(i1, [from]), [other]));
  assert.deepEqual(parameters.slice(1), [from, other]);
});

test('services and failures have the names of the RFCs, and numbers where there is none', () => {
  assert.equal(registrationTypeName(1), 'RENDEZVOUS');
  assert.equal(registrationTypeName(201), 'SERVICE(201)');
  assert.equal(registrationFailureName(0), 'CREDENTIALS_REQUIRED');
  assert.equal(registrationFailureName(9), 'FAILURE(9)');
});
