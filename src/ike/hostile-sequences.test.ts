// Whatever a peer that knows the keys asks and answers, in whatever order, beside whatever we do: nothing breaks, nothing is left.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Ke, type Spi, spiBytes } from '#sa';
import {
  ExchangeType,
  encodeMessageIdSync,
  encodePayloads,
  encodeTicketWithLifetime,
  NotifyType,
  type Payload,
  ProtocolId,
  WireError,
  type WireTransform,
} from '#wire';
import type { IkeSaCommand } from './interface.ts';
import { selectorsToWire } from './negotiation/traffic-selectors.ts';
import { notify } from './payloads/notify.ts';
import { child, connection, espProposal, ikeProposal, networks } from './testing/connections.ts';
import { type Insider, insider } from './testing/insider.ts';
import { Pair } from './testing/pair.ts';
import { issuer, resumption } from './testing/resumption.ts';

/** Made when it is said: what fits depends on the SAs that there are. */
type Speech = (pair: Pair, response: boolean) => readonly Payload[];

const gcm: WireTransform = { type: 1, id: 20, attributes: [{ type: 14, value: 128 }] };
const prf: WireTransform = { type: 2, id: 5, attributes: [] };
const curve: WireTransform = { type: 4, id: Ke.CURVE25519, attributes: [] };
const noEsn: WireTransform = { type: 5, id: 0, attributes: [] };

const suites = [
  { protocolId: ProtocolId.ESP, transforms: [gcm, noEsn] },
  { protocolId: ProtocolId.ESP, transforms: [gcm, curve, noEsn] },
  { protocolId: ProtocolId.IKE, transforms: [gcm, prf, curve] },
] as const;

/** An SPI that sun has for a Child SA of its own or of moon's, or one that it has not. */
function someSpi({ sun }: Pair, choice: number): Uint8Array {
  const known = sun.sas.flatMap(({ children }) =>
    children.flatMap(({ inboundSpi, outboundSpi }) => [outboundSpi, inboundSpi]),
  );
  return spiBytes(known[choice % (known.length + 1)] ?? (0x1111_1111 as Spi));
}

const creation: fc.Arbitrary<Speech> = fc
  .record({
    suite: fc.constantFrom(...suites),
    spi: fc.constantFrom(1, 2, 3).map((low) => spiBytes((0x2222_0000 + low) as Spi)),
    rekeyed: fc.option(fc.nat(5)),
    keyExchange: fc.boolean(),
    nonce: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    crossed: fc.constantFrom(false, false, false, false, true),
  })
  .map(({ suite, spi, rekeyed, keyExchange, nonce, crossed }) => (pair, response) => {
    const { protocolId, transforms } = suite;
    const ike = protocolId === ProtocolId.IKE;
    const proposal = { number: 1, protocolId, spi: ike ? Uint8Array.of(...spi, ...spi) : spi, transforms };
    const [tsi, tsr] = response === crossed ? [networks.moon, networks.sun] : [networks.sun, networks.moon];
    const rekey: Payload[] =
      rekeyed === null
        ? []
        : [{ ...notify(NotifyType.REKEY_SA), protocolId: ProtocolId.ESP, spi: someSpi(pair, rekeyed) }];
    const ke: Payload[] = [{ type: 'KE', group: Ke.CURVE25519, data: new Uint8Array(32).fill(9) }];
    const selectors: Payload[] = [
      { type: 'TSi', selectors: selectorsToWire([tsi]) },
      { type: 'TSr', selectors: selectorsToWire([tsr]) },
    ];
    return [
      ...rekey,
      { type: 'SA', proposals: [proposal] },
      { type: 'Nonce', data: nonce },
      ...(keyExchange || ike ? ke : []),
      ...(ike ? [] : selectors),
    ];
  });

const notifyData = fc.oneof(
  fc.uint8Array({ maxLength: 8 }),
  fc.constant(Uint8Array.of(0, Ke.ECP_256)),
  fc
    .uint8Array({ minLength: 20, maxLength: 20 })
    .map((ticket) => encodeTicketWithLifetime({ lifetimeSeconds: 60, ticket })),
);

const remark: fc.Arbitrary<Speech> = fc.oneof(
  fc
    .record({
      notifyType: fc.constantFrom(...Object.values(NotifyType)),
      about: fc.option(fc.nat(5)),
      data: notifyData,
    })
    .map(
      ({ notifyType, about, data }): Speech =>
        (pair) => [
          about === null
            ? notify(notifyType, data)
            : { ...notify(notifyType, data), protocolId: ProtocolId.ESP, spi: someSpi(pair, about) },
        ],
    ),
  fc.nat(5).map(
    (choice): Speech =>
      (pair) => [{ type: 'D', protocolId: ProtocolId.ESP, spiSize: 4, spis: [someSpi(pair, choice)] }],
  ),
);

const nothing: Speech = () => [];

const commands: readonly IkeSaCommand['kind'][] = [
  'initiate-child',
  'rekey-child',
  'delete-child',
  'rekey-ike',
  'check-liveness',
  'rekey-everything',
  'synchronize-message-ids',
];

type Step = (one: Insider) => void;

const said = fc.oneof({ weight: 4, arbitrary: creation }, { weight: 3, arbitrary: remark });

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: said.map(
      (speech): Step =>
        ({ pair, send }) => {
          const payloads = speech(pair, false);
          const creates = payloads.some(({ type }) => type === 'SA');
          if (encodable(payloads)) send(payloads, creates ? ExchangeType.CREATE_CHILD_SA : undefined);
        },
    ),
  },
  {
    weight: 5,
    arbitrary: fc.oneof(said, fc.constant(nothing)).map(
      (speech): Step =>
        ({ pair, respond }) => {
          const payloads = speech(pair, true);
          if (encodable(payloads)) respond(payloads);
        },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.nat(40).map(
      (ahead): Step =>
        ({ send }) => {
          const sync = { nonce: Uint8Array.of(1, 2, 3, 4), nextSent: ahead, nextReceived: 0 };
          const data = encodeMessageIdSync(sync);
          send([notify(NotifyType.IKEV2_MESSAGE_ID_SYNC, data)], ExchangeType.INFORMATIONAL, 0);
        },
    ),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom(...commands).map(
      (kind): Step =>
        ({ pair: { sun } }) => {
          if (sun.sa.phase !== 'ended') sun.command(commandOf(kind, sun.sa.children[0]?.childId ?? 1));
        },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(1, 700, 40_000).map(
      (ms): Step =>
        ({ pair }) =>
          pair.wait(ms),
    ),
  },
);

function commandOf(kind: IkeSaCommand['kind'], childId: number): IkeSaCommand {
  switch (kind) {
    case 'initiate-child':
      return { kind, child: child('sun', { proposals: [espProposal(Ke.CURVE25519)] }) };
    case 'rekey-child':
    case 'delete-child':
      return { kind, childId };
    case 'synchronize-message-ids':
      return { kind, skip: 3 };
    case 'rekey-ike':
    case 'rekey-everything':
      return { kind };
    default:
      return { kind: 'check-liveness', reason: 'test' };
  }
}

function encodable(payloads: readonly Payload[]): boolean {
  try {
    encodePayloads(payloads);
    return true;
  } catch (error) {
    assert.ok(error instanceof WireError);
    return false;
  }
}

function attacked(windowSize: number): Insider {
  const change = { windowSize, messageIdSync: true, dpdDelayMs: 3_000, rekeyTimeMs: 20_000, resumption };
  const proposals = [ikeProposal(Ke.CURVE25519, Ke.ECP_256)];
  const pair = new Pair({
    moon: { connections: [connection('moon', { ...change, proposals })] },
    sun: { connections: [connection('sun', { ...change, proposals })], checkpoints: true },
  });
  pair.sun.tickets = issuer(pair);
  const one = insider(true, pair);
  // It says only what it is told to say.
  pair.moon.sas.length = 0;
  return one;
}

test('a peer may say anything in any order', () => {
  const met = new Set<string>();
  fc.assert(
    fc.property(fc.constantFrom(1, 4), fc.array(step, { maxLength: 25 }), (windowSize, steps) => {
      const one = attacked(windowSize);
      const { pair } = one;
      const { sun } = pair;
      for (const act of steps) {
        act(one);
        pair.collect();
        pair.wire.splice(0, Math.max(0, pair.wire.length - 20));
        sun.checkpoint();
      }
      pair.wait(3_600_000);
      for (const { kind } of sun.events) met.add(kind);
      assert.deepEqual(new Set(sun.sas.map(({ phase }) => phase)), new Set(['ended']));
      assert.deepEqual([sun.installed.size, sun.policies.size, sun.reservedSpis.size], [0, 0, 0]);
      assert.equal(sun.deadline(), undefined);
    }),
    { numRuns: 500 },
  );
  for (const kind of ['child-rekeyed', 'ike-rekeyed', 'message-ids-synchronized', 'child-failed']) {
    assert.ok(met.has(kind), kind);
  }
});
