// Arbitrary HIP packets for property tests: everything the codec can write, unknown numbers included.
import fc from 'fast-check';
import { plainRecord as record } from '../../testing/plain-record.ts';
import {
  type HipHeader,
  type HipParameter,
  HipParameterType,
  type Hit,
  hitFromBytes,
  type Locator,
} from '../index.ts';

const u8: fc.Arbitrary<number> = fc.nat(0xff);
const u16: fc.Arbitrary<number> = fc.nat(0xffff);
const u32: fc.Arbitrary<number> = fc.nat(0xffff_ffff);

function octets(minLength: number, maxLength: number = minLength): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength, maxLength });
}

function type<Name extends string>(name: Name): fc.Arbitrary<Name> {
  return fc.constant(name);
}

const some: fc.Arbitrary<Uint8Array> = octets(0, 48);
const mac: fc.Arbitrary<Uint8Array> = fc.constantFrom(20, 32, 48).chain((length) => octets(length));

/** IPv4-mapped addresses come as 4 octets: no IPv6 address here begins like one. */
const address: fc.Arbitrary<Uint8Array> = fc.oneof(
  octets(4),
  octets(16).map((bytes) => Uint8Array.of(0x20, ...bytes.subarray(1))),
);

export const hit: fc.Arbitrary<Hit> = octets(16).map(hitFromBytes);

export const hipHeader: fc.Arbitrary<HipHeader> = record({
  packetType: fc.nat(0x7f),
  anonymous: fc.boolean(),
  sender: hit,
  receiver: hit,
});

const locatorCommon = { trafficType: u8, preferred: fc.boolean(), lifetimeSeconds: u32.map((n) => n || 1) };
const locator: fc.Arbitrary<Locator> = fc.oneof(
  record<Locator & { locatorType: 0 }>({ ...locatorCommon, locatorType: fc.constant(0), address }),
  record<Locator & { locatorType: 1 }>({ ...locatorCommon, locatorType: fc.constant(1), spi: u32, address }),
  record<Locator & { locatorType: 2 }>({
    ...locatorCommon,
    locatorType: fc.constant(2),
    port: u16,
    protocol: u8,
    kind: u8,
    priority: u32,
    spi: u32,
    address,
  }),
  record({
    ...locatorCommon,
    locatorType: fc.integer({ min: 3, max: 255 }),
    body: fc.nat(5).chain((words) => octets(words * 4)),
  }) as fc.Arbitrary<Locator>,
);

function transportAddress(
  name: 'REG_FROM' | 'RELAY_FROM' | 'RELAY_TO' | 'RELAYED_ADDRESS' | 'MAPPED_ADDRESS',
): fc.Arbitrary<HipParameter> {
  return record({ type: type(name), port: u16, protocol: u8, address });
}

function echo(
  name: 'ECHO_REQUEST_SIGNED' | 'ECHO_REQUEST_UNSIGNED' | 'ECHO_RESPONSE_SIGNED' | 'ECHO_RESPONSE_UNSIGNED',
): fc.Arbitrary<HipParameter> {
  return record({ type: type(name), data: some });
}

function macOf(name: 'HIP_MAC' | 'HIP_MAC_2' | 'RVS_HMAC' | 'RELAY_HMAC'): fc.Arbitrary<HipParameter> {
  return record({ type: type(name), mac });
}

const few: fc.Arbitrary<number[]> = fc.array(u16, { maxLength: 6 });
const known = new Set<number>(Object.values(HipParameterType));

/** One arbitrary for each name of `HipParameterType`, and one for all other numbers. */
export const parameters: Readonly<
  Record<keyof typeof HipParameterType | 'unknown', fc.Arbitrary<HipParameter>>
> = {
  ESP_INFO: record({ type: type('ESP_INFO'), keymatIndex: u16, oldSpi: u32, newSpi: u32 }),
  R1_COUNTER: record({
    type: type('R1_COUNTER'),
    reserved: u32,
    counter: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  }),
  LOCATOR_SET: record({ type: type('LOCATOR_SET'), locators: fc.array(locator, { maxLength: 3 }) }),
  PUZZLE: record({ type: type('PUZZLE'), difficulty: u8, lifetime: u8, opaque: u16, random: mac }),
  SOLUTION: fc.constantFrom(20, 32, 48).chain((length) =>
    record({
      type: type('SOLUTION'),
      difficulty: u8,
      opaque: u16,
      random: octets(length),
      solution: octets(length),
    }),
  ),
  SEQ: record({ type: type('SEQ'), updateId: u32 }),
  ACK: record({ type: type('ACK'), updateIds: fc.array(u32, { minLength: 1, maxLength: 4 }) }),
  DH_GROUP_LIST: record({ type: type('DH_GROUP_LIST'), groups: fc.array(u8, { maxLength: 9 }) }),
  DIFFIE_HELLMAN: record({ type: type('DIFFIE_HELLMAN'), group: u8, publicValue: octets(0, 96) }),
  HIP_CIPHER: record({ type: type('HIP_CIPHER'), ciphers: few }),
  NAT_TRAVERSAL_MODE: record({ type: type('NAT_TRAVERSAL_MODE'), modes: few }),
  TRANSACTION_PACING: record({ type: type('TRANSACTION_PACING'), pacingMs: u32 }),
  ENCRYPTED: record({ type: type('ENCRYPTED'), body: some }),
  HOST_ID: fc.oneof(
    record({ type: type('HOST_ID'), algorithm: u16, hostIdentity: some }),
    record({
      type: type('HOST_ID'),
      algorithm: u16,
      hostIdentity: some,
      domainIdentifier: record({ type: fc.integer({ min: 1, max: 15 }), octets: some }),
    }),
  ),
  HIT_SUITE_LIST: record({ type: type('HIT_SUITE_LIST'), suites: fc.array(fc.nat(15), { maxLength: 9 }) }),
  CERT: record({ type: type('CERT'), group: u8, count: u8, id: u8, certType: u8, certificate: some }),
  NOTIFICATION: record({ type: type('NOTIFICATION'), notifyType: u16, data: some }),
  ECHO_REQUEST_SIGNED: echo('ECHO_REQUEST_SIGNED'),
  REG_INFO: record({
    type: type('REG_INFO'),
    minimumLifetime: u8,
    maximumLifetime: u8,
    registrationTypes: fc.array(u8, { maxLength: 9 }),
  }),
  REG_REQUEST: record({ type: type('REG_REQUEST'), lifetime: u8, registrationTypes: fc.array(u8) }),
  REG_RESPONSE: record({ type: type('REG_RESPONSE'), lifetime: u8, registrationTypes: fc.array(u8) }),
  REG_FAILED: record({ type: type('REG_FAILED'), failureType: u8, registrationTypes: fc.array(u8) }),
  REG_FROM: transportAddress('REG_FROM'),
  ECHO_RESPONSE_SIGNED: echo('ECHO_RESPONSE_SIGNED'),
  TRANSPORT_FORMAT_LIST: record({ type: type('TRANSPORT_FORMAT_LIST'), formats: fc.array(u16) }),
  ESP_TRANSFORM: record({ type: type('ESP_TRANSFORM'), suites: few }),
  RELAYED_ADDRESS: transportAddress('RELAYED_ADDRESS'),
  MAPPED_ADDRESS: transportAddress('MAPPED_ADDRESS'),
  PEER_PERMISSION: record({
    type: type('PEER_PERMISSION'),
    relayPort: u16,
    peerPort: u16,
    protocol: u8,
    relayAddress: address,
    peerAddress: address,
    outboundSpi: u32,
    inboundSpi: u32,
  }),
  CANDIDATE_PRIORITY: record({ type: type('CANDIDATE_PRIORITY'), priority: u32 }),
  NOMINATE: record({ type: type('NOMINATE') }),
  HIP_MAC: macOf('HIP_MAC'),
  HIP_MAC_2: macOf('HIP_MAC_2'),
  HIP_SIGNATURE_2: record({ type: type('HIP_SIGNATURE_2'), algorithm: u16, signature: some }),
  HIP_SIGNATURE: record({ type: type('HIP_SIGNATURE'), algorithm: u16, signature: some }),
  ECHO_RESPONSE_UNSIGNED: echo('ECHO_RESPONSE_UNSIGNED'),
  ECHO_REQUEST_UNSIGNED: echo('ECHO_REQUEST_UNSIGNED'),
  RELAY_FROM: transportAddress('RELAY_FROM'),
  RELAY_TO: transportAddress('RELAY_TO'),
  FROM: record({ type: type('FROM'), address }),
  RVS_HMAC: macOf('RVS_HMAC'),
  VIA_RVS: record({ type: type('VIA_RVS'), addresses: fc.array(address, { maxLength: 3 }) }),
  RELAY_HMAC: macOf('RELAY_HMAC'),
  unknown: record({
    type: type('unknown'),
    parameterType: u16.filter((number) => !known.has(number)),
    contents: some,
  }),
};

/** Few enough to fit into a packet, in any order. */
export const parameterList: fc.Arbitrary<HipParameter[]> = fc.array(fc.oneof(...Object.values(parameters)), {
  maxLength: 6,
});
