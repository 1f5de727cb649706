// Arbitrary IKE messages for property tests: everything the codec can write, unknown numbers included.
import fc from 'fast-check';
import type {
  IkeHeader,
  IkeSpi,
  Payload,
  TransformAttribute,
  UnknownPayload,
  WireProposal,
  WireTrafficSelector,
  WireTransform,
} from '../payloads.ts';
import { PayloadType } from '../payloads.ts';

const u8: fc.Arbitrary<number> = fc.nat(0xff);
const u15: fc.Arbitrary<number> = fc.nat(0x7fff);
const u16: fc.Arbitrary<number> = fc.nat(0xffff);

function octets(minLength: number, maxLength: number = minLength): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength, maxLength });
}

/** Plain objects, as the codec makes them. */
function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>;
}

const some: fc.Arbitrary<Uint8Array> = octets(0, 48);

export const ikeSpi: fc.Arbitrary<IkeSpi> = octets(8).map(
  (spi) => [...spi].map((octet) => octet.toString(16).padStart(2, '0')).join('') as IkeSpi,
);

export const ikeHeader: fc.Arbitrary<IkeHeader> = record({
  initiatorSpi: ikeSpi,
  responderSpi: ikeSpi,
  majorVersion: fc.constant(2),
  minorVersion: fc.nat(15),
  exchangeType: u8,
  initiator: fc.boolean(),
  response: fc.boolean(),
  higherVersion: fc.boolean(),
  messageId: fc.nat(0xffff_ffff),
});

const attribute: fc.Arbitrary<TransformAttribute> = record({
  type: u15,
  value: fc.oneof(u16, octets(0, 8)),
});

const transform: fc.Arbitrary<WireTransform> = record({
  type: u8,
  id: u16,
  attributes: fc.array(attribute, { maxLength: 3 }),
});

const proposal: fc.Arbitrary<WireProposal> = fc
  .oneof(
    fc.tuple(fc.constant(1), fc.oneof(octets(0), octets(8))),
    fc.tuple(fc.constantFrom(2, 3), octets(4)),
    fc.tuple(fc.integer({ min: 4, max: 255 }), octets(0, 16)),
  )
  .chain(([protocolId, spi]) =>
    record({
      number: u8,
      protocolId: fc.constant(protocolId),
      spi: fc.constant(spi),
      transforms: fc.array(transform, { maxLength: 6 }),
    }),
  );

function addressRange(tsType: 7 | 8, length: 4 | 16): fc.Arbitrary<WireTrafficSelector> {
  return record({
    tsType: fc.constant(tsType),
    protocol: u8,
    startPort: u16,
    endPort: u16,
    startAddress: octets(length),
    endAddress: octets(length),
  });
}

const unknownSelector: fc.Arbitrary<WireTrafficSelector> = fc.record(
  {
    tsType: u8.filter((type) => type !== 7 && type !== 8),
    protocol: fc.integer({ min: 1, max: 255 }),
    body: some,
  },
  { requiredKeys: ['tsType', 'body'], noNullPrototype: true },
);

const selector: fc.Arbitrary<WireTrafficSelector> = fc.oneof(
  addressRange(7, 4),
  addressRange(8, 16),
  unknownSelector,
);

function constant<const T extends string>(type: T): fc.Arbitrary<T> {
  return fc.constant(type);
}

const knownTypes: ReadonlySet<number> = new Set(Object.values(PayloadType));

const unknownPayload: fc.Arbitrary<UnknownPayload> = record({
  type: constant('unknown'),
  payloadType: u8.filter((type) => !knownTypes.has(type)),
  body: some,
});

/** One arbitrary for every payload that may stand anywhere in a message, by its name. */
export const openPayloads: Readonly<Record<Exclude<Payload['type'], 'SK' | 'SKF'>, fc.Arbitrary<Payload>>> = {
  SA: record({ type: constant('SA'), proposals: fc.array(proposal, { minLength: 1, maxLength: 4 }) }),
  KE: record({ type: constant('KE'), group: u16, data: some }),
  IDi: record({ type: constant('IDi'), idType: u8, data: some }),
  IDr: record({ type: constant('IDr'), idType: u8, data: some }),
  CERT: record({ type: constant('CERT'), encoding: u8, data: some }),
  CERTREQ: record({ type: constant('CERTREQ'), encoding: u8, authorities: some }),
  AUTH: record({ type: constant('AUTH'), method: u8, data: some }),
  Nonce: record({ type: constant('Nonce'), data: octets(16, 256) }),
  N: record({
    type: constant('N'),
    protocolId: u8,
    spi: octets(0, 16),
    notifyType: u16,
    data: some,
  }),
  D: fc.nat(16).chain((spiSize) =>
    record({
      type: constant('D'),
      protocolId: u8,
      spiSize: fc.constant(spiSize),
      spis: fc.array(octets(spiSize), { maxLength: 8 }),
    }),
  ),
  V: record({ type: constant('V'), data: some }),
  TSi: record({ type: constant('TSi'), selectors: fc.array(selector, { maxLength: 4 }) }),
  TSr: record({ type: constant('TSr'), selectors: fc.array(selector, { maxLength: 4 }) }),
  CP: record({
    type: constant('CP'),
    cfgType: u8,
    attributes: fc.array(record({ type: u15, value: octets(0, 20) }), { maxLength: 6 }),
  }),
  EAP: fc.tuple(u8, u8, some).map(([code, identifier, data]) => ({
    type: 'EAP' as const,
    message: Uint8Array.of(code, identifier, 0, 4 + data.length, ...data),
  })),
  unknown: unknownPayload,
};

/** SK and SKF, which may only end a message. */
export const encryptedPayloads: Readonly<Record<'SK' | 'SKF', fc.Arbitrary<Payload>>> = {
  SK: record({ type: constant('SK'), firstPayload: u8, body: some }),
  SKF: fc
    .tuple(fc.integer({ min: 1, max: 0xffff }), fc.integer({ min: 1, max: 0xffff }))
    .chain(([one, other]) =>
      record({
        type: constant('SKF'),
        firstPayload: u8,
        fragmentNumber: fc.constant(Math.min(one, other)),
        totalFragments: fc.constant(Math.max(one, other)),
        body: some,
      }),
    ),
};

function critical(payload: fc.Arbitrary<Payload>): fc.Arbitrary<Payload> {
  return fc
    .tuple(payload, fc.boolean())
    .map(([plain, bit]) => (bit ? { ...plain, critical: true as const } : plain));
}

export const openPayload: fc.Arbitrary<Payload> = critical(fc.oneof(...Object.values(openPayloads)));

/** What may stand inside SK. */
export const innerPayloads: fc.Arbitrary<Payload[]> = fc.array(openPayload, { maxLength: 8 });

/** A whole message; half of them end in SK or SKF. */
export const ikeMessage: fc.Arbitrary<{ readonly header: IkeHeader; readonly payloads: readonly Payload[] }> =
  record({
    header: ikeHeader,
    payloads: fc
      .tuple(
        innerPayloads,
        fc.option(critical(fc.oneof(...Object.values(encryptedPayloads))), { nil: undefined }),
      )
      .map(([open, last]) => (last === undefined ? open : [...open, last])),
  });
