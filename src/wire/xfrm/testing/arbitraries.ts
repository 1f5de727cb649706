// Arbitrary XFRM messages for property tests.
import fc from 'fast-check';
import { plainRecord } from '../../testing/plain-record.ts';
import type { XfrmAlgorithm, XfrmAuthentication } from '../algorithm.ts';
import type { XfrmAttributes } from '../attributes.ts';
import type { XfrmLifetimeLimits, XfrmLifetimeUsed } from '../lifetime.ts';
import type { XfrmMessage } from '../messages.ts';
import { XfrmFamily } from '../numbers.ts';
import type { XfrmPolicy, XfrmPolicyId, XfrmTemplate } from '../policy.ts';
import type { XfrmReplay, XfrmReplayEsn } from '../replay.ts';
import type { XfrmSelector } from '../selector.ts';
import type { XfrmState, XfrmStateId } from '../state.ts';

const u8 = fc.nat(0xff);
const u16 = fc.nat(0xffff);
const u32 = fc.nat(0xffff_ffff);
const u64 = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });
const families = fc.constantFrom(XfrmFamily.UNSPECIFIED, XfrmFamily.IPV4, XfrmFamily.IPV6);
const octets = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length });
const addressOf = (family: number): fc.Arbitrary<Uint8Array> => octets(family === XfrmFamily.IPV4 ? 4 : 16);

const selectors: fc.Arbitrary<XfrmSelector> = families.chain((family) => {
  const prefix = fc.nat(family === XfrmFamily.IPV4 ? 32 : 128);
  return plainRecord<XfrmSelector>({
    family: fc.constant(family),
    source: addressOf(family),
    destination: addressOf(family),
    sourcePrefixLength: prefix,
    destinationPrefixLength: prefix,
    sourcePort: u16,
    sourcePortMask: u16,
    destinationPort: u16,
    destinationPortMask: u16,
    protocol: u8,
    interfaceIndex: u32,
    user: u32,
  });
});

const limits: fc.Arbitrary<XfrmLifetimeLimits> = plainRecord<XfrmLifetimeLimits>({
  softBytes: u64,
  hardBytes: u64,
  softPackets: u64,
  hardPackets: u64,
  softAddSeconds: u64,
  hardAddSeconds: u64,
  softUseSeconds: u64,
  hardUseSeconds: u64,
});

const used: fc.Arbitrary<XfrmLifetimeUsed> = plainRecord<XfrmLifetimeUsed>({
  bytes: u64,
  packets: u64,
  addedAtSeconds: u64,
  usedAtSeconds: u64,
});

const states: fc.Arbitrary<XfrmState> = families.chain((family) =>
  plainRecord<XfrmState>({
    selector: selectors,
    family: fc.constant(family),
    source: addressOf(family),
    destination: addressOf(family),
    spi: u32,
    protocol: u8,
    limits,
    used,
    replayWindowFailures: u32,
    replays: u32,
    integrityFailures: u32,
    sequence: u32,
    requestId: u32,
    mode: u8,
    replayWindow: u8,
    flags: u8,
  }),
);

const stateIds: fc.Arbitrary<XfrmStateId> = families.chain((family) =>
  plainRecord<XfrmStateId>({
    family: fc.constant(family),
    destination: addressOf(family),
    spi: u32,
    protocol: u8,
  }),
);

const policies: fc.Arbitrary<XfrmPolicy> = plainRecord<XfrmPolicy>({
  selector: selectors,
  limits,
  used,
  priority: u32,
  index: u32,
  direction: u8,
  action: u8,
  flags: u8,
  share: u8,
});

const policyIds: fc.Arbitrary<XfrmPolicyId> = plainRecord<XfrmPolicyId>({
  selector: selectors,
  index: u32,
  direction: u8,
});

const templates: fc.Arbitrary<XfrmTemplate> = families.chain((family) =>
  plainRecord<XfrmTemplate>({
    family: fc.constant(family),
    source: addressOf(family),
    destination: addressOf(family),
    spi: u32,
    protocol: u8,
    requestId: u32,
    mode: u8,
    share: u8,
    optional: fc.boolean(),
    authenticationAlgorithms: u32,
    encryptionAlgorithms: u32,
    compressionAlgorithms: u32,
  }),
);

const names = fc.constantFrom('cbc(aes)', 'hmac(sha256)', 'rfc4106(gcm(aes))', '', 'ü');
const keys = fc.uint8Array({ maxLength: 40, size: 'max' });
const algorithms = plainRecord<XfrmAlgorithm>({ name: names, key: keys });
const authentications = plainRecord<XfrmAuthentication>({ name: names, key: keys, icvLengthBits: u32 });

const migrations = fc.tuple(families, families).chain(([oldFamily, newFamily]) =>
  plainRecord({
    oldFamily: fc.constant(oldFamily),
    oldDestination: addressOf(oldFamily),
    oldSource: addressOf(oldFamily),
    newFamily: fc.constant(newFamily),
    newDestination: addressOf(newFamily),
    newSource: addressOf(newFamily),
    protocol: u8,
    mode: u8,
    requestId: u32,
  }),
);

const addressFilters = families.chain((family) =>
  plainRecord({
    family: fc.constant(family),
    source: addressOf(family),
    destination: addressOf(family),
    sourcePrefixLength: u8,
    destinationPrefixLength: u8,
  }),
);

const attributes: fc.Arbitrary<XfrmAttributes> = fc.record(
  {
    authentication: algorithms,
    authenticationTruncated: authentications,
    encryption: algorithms,
    compression: algorithms,
    aead: authentications,
    encapsulation: plainRecord({
      type: u16,
      sourcePort: u16,
      destinationPort: u16,
      originalAddress: octets(16),
    }),
    templates: fc.array(templates, { maxLength: 3 }),
    state: states,
    policy: policies,
    used,
    replay: plainRecord<XfrmReplay>({ outboundSequence: u32, sequence: u32, bitmap: u32 }),
    replayEsn: plainRecord<XfrmReplayEsn>({
      outboundSequence: u32,
      outboundSequenceHigh: u32,
      sequence: u32,
      sequenceHigh: u32,
      replayWindow: u32,
      bitmap: fc.array(u32, { maxLength: 8 }),
    }),
    replayThreshold: u32,
    timerThreshold: u32,
    sourceAddress: octets(16),
    careOfAddress: octets(16),
    lastUsedSeconds: u64,
    policyType: u8,
    migrations: fc.array(migrations, { minLength: 1, maxLength: 3 }),
    mark: plainRecord({ value: u32, mask: u32 }),
    tfcPadding: u32,
    extraFlags: u32,
    protocol: u8,
    addressFilter: addressFilters,
    offload: plainRecord({ interfaceIndex: u32, flags: u8 }),
    outputMark: u32,
    outputMarkMask: u32,
    interfaceId: u32,
    mappingThresholdSeconds: u32,
    others: fc.array(plainRecord({ type: fc.integer({ min: 40, max: 60 }), payload: keys }), {
      minLength: 1,
      maxLength: 2,
    }),
  },
  { requiredKeys: [], noNullPrototype: true },
) as fc.Arbitrary<XfrmAttributes>;

const acquires = plainRecord({
  destination: octets(16),
  spi: u32,
  protocol: u8,
  source: octets(16),
  selector: selectors,
  policy: policies,
  authenticationAlgorithms: u32,
  encryptionAlgorithms: u32,
  compressionAlgorithms: u32,
  sequence: u32,
});

const events = stateIds.chain((id) =>
  plainRecord({ id: fc.constant(id), source: addressOf(id.family), flags: u32, requestId: u32 }),
);

const mappings = stateIds.chain((id) =>
  plainRecord({
    id: fc.constant(id),
    requestId: u32,
    oldSource: addressOf(id.family),
    newSource: addressOf(id.family),
    oldSourcePort: u16,
    newSourcePort: u16,
  }),
);

const of = (
  kinds: readonly XfrmMessage['kind'][],
  body: Readonly<Record<string, fc.Arbitrary<unknown>>>,
): fc.Arbitrary<XfrmMessage> =>
  plainRecord({ kind: fc.constantFrom(...kinds), ...body, attributes }) as fc.Arbitrary<XfrmMessage>;

export const xfrmMessages: fc.Arbitrary<XfrmMessage> = fc.oneof(
  of(['new-sa', 'update-sa'], { state: states }),
  of(['delete-sa', 'get-sa'], { id: stateIds }),
  of(['dump-sas', 'dump-policies', 'flush-policies'], {}),
  of(['allocate-spi'], { state: states, min: u32, max: u32 }),
  of(['new-policy', 'update-policy'], { policy: policies }),
  of(['delete-policy', 'get-policy', 'migrate'], { id: policyIds }),
  of(['acquire'], { acquire: acquires }),
  of(['expire'], { state: states, hard: fc.boolean() }),
  of(['policy-expire'], { policy: policies, hard: fc.boolean() }),
  of(['flush-sas'], { protocol: u8 }),
  of(['new-event', 'get-event'], { event: events }),
  of(['mapping'], { mapping: mappings }),
);
