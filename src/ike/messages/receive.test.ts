// Authentic but unreadable or unexpected requests, from a peer that knows the keys (RFC 7296 2.21.3, 2.5).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { ExchangeType, encodePayloads, NotifyType, type Payload, WireError } from '#wire';
import { findNotify } from '../payloads/notify.ts';
import { child } from '../testing/connections.ts';
import { insider } from '../testing/insider.ts';

const unknown: Payload = { type: 'unknown', payloadType: 200, body: Uint8Array.of(1) };

test('an unknown payload that is not critical is passed over', () => {
  const { pair, send, answer } = insider();
  send([unknown]);
  assert.deepEqual(answer(), []);
  assert.equal(pair.sun.sa.phase, 'established');
});

test('an unknown critical payload is refused by name, and the IKE SA stays', () => {
  const { pair, send, answer } = insider();
  send([{ ...unknown, critical: true }]);
  const refusal = findNotify(answer(), NotifyType.UNSUPPORTED_CRITICAL_PAYLOAD);
  assert.deepEqual(refusal?.data, Uint8Array.of(200));
  assert.equal(pair.sun.sa.phase, 'established');
});

test('a request without its mandatory payloads is INVALID_SYNTAX, which ends the IKE SA', () => {
  const { pair, send, answer } = insider();
  send([{ type: 'Nonce', data: new Uint8Array(32) }], ExchangeType.CREATE_CHILD_SA);
  assert.ok(findNotify(answer(), NotifyType.INVALID_SYNTAX));
  assert.equal(pair.sun.eventsOf('ike-ended')[0]?.failure.code, 'invalid-syntax');
  assert.equal(pair.sun.installed.size, 0);
});

test('a public value that fails the checks of its group is INVALID_SYNTAX too', () => {
  const { pair, send, answer } = insider();
  send(
    [
      {
        type: 'SA',
        proposals: [
          {
            number: 1,
            protocolId: 1,
            spi: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
            transforms: [
              { type: 1, id: 20, attributes: [{ type: 14, value: 128 }] },
              { type: 2, id: 5, attributes: [] },
              { type: 4, id: 31, attributes: [] },
            ],
          },
        ],
      },
      { type: 'Nonce', data: new Uint8Array(32) },
      // The point of order one: agreement gives all zeros (RFC 7748 6.1).
      { type: 'KE', group: 31, data: new Uint8Array(32) },
    ],
    ExchangeType.CREATE_CHILD_SA,
  );
  assert.ok(findNotify(answer(), NotifyType.INVALID_SYNTAX));
  assert.equal(pair.sun.sa.phase, 'ended');
});

test('AUTHENTICATION_FAILED right behind IKE_AUTH ends the IKE SA without a Delete', () => {
  const { pair, send, answer } = insider();
  send([{ type: 'N', protocolId: 0, spi: new Uint8Array(0), notifyType: 24, data: new Uint8Array(0) }]);
  assert.deepEqual(answer(), []);
  assert.equal(pair.sun.eventsOf('ike-ended')[0]?.failure.code, 'peer-authentication-failed');
});

// RFC 7296 1.4.1
test('a Delete of SPIs that nobody knows is answered without a Delete payload', () => {
  const { pair, send, answer } = insider();
  send([{ type: 'D', protocolId: 3, spiSize: 4, spis: [Uint8Array.of(9, 9, 9, 9)] }]);
  assert.deepEqual(answer(), []);
  assert.equal(pair.sun.installed.size, 2);
});

// RFC 7296 2.16
test('an initiator that leaves AUTH out, as for EAP, is refused', () => {
  const { pair, send, answer } = insider(false);
  send([{ type: 'IDi', idType: 2, data: Uint8Array.of(97) }], ExchangeType.IKE_AUTH);
  assert.ok(findNotify(answer(), NotifyType.AUTHENTICATION_FAILED));
  assert.equal(pair.sun.eventsOf('ike-failed')[0]?.failure.code, 'authentication-failed');
});

test('before IKE_AUTH nothing else is answered, whoever knows the keys', () => {
  const { pair, send } = insider(false);
  send([]);
  send([{ type: 'Nonce', data: new Uint8Array(32) }], ExchangeType.CREATE_CHILD_SA);
  assert.equal(pair.wire.length, 0);
  assert.equal(pair.sun.sa.phase, 'connecting');
});

test('an exchange type that nobody negotiated is INVALID_SYNTAX', () => {
  const { pair, send, answer } = insider();
  send([], ExchangeType.IKE_INTERMEDIATE);
  assert.ok(findNotify(answer(), NotifyType.INVALID_SYNTAX));
  assert.equal(pair.sun.sa.phase, 'ended');
});

test('a Child SA whose request the peer cannot read has failed, as the IKE SA has: somebody may wait for it', () => {
  const { pair, respond } = insider();
  pair.sun.command({ kind: 'initiate-child', child: child('sun') });
  respond([{ type: 'N', protocolId: 0, spi: new Uint8Array(0), notifyType: 7, data: new Uint8Array(0) }]);
  assert.equal(pair.sun.eventsOf('ike-ended')[0]?.failure.code, 'invalid-syntax');
  assert.equal(pair.sun.eventsOf('child-failed')[0]?.name, 'net');
});

const octets = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength });
const number = fc.integer({ min: 0, max: 255 });

const anyPayload: fc.Arbitrary<Payload> = fc.oneof(
  fc.record({
    type: fc.constant('N' as const),
    protocolId: fc.constantFrom(0, 1, 2, 3),
    spi: fc.constantFrom(new Uint8Array(0), Uint8Array.of(1, 2, 3, 4), new Uint8Array(8)),
    notifyType: fc.constantFrom(...Object.values(NotifyType)),
    data: octets(40),
  }),
  fc.record({
    type: fc.constant('SA' as const),
    proposals: fc.array(
      fc.record({
        number: fc.integer({ min: 1, max: 3 }),
        protocolId: fc.constantFrom(1, 2, 3),
        spi: fc.constantFrom(new Uint8Array(0), Uint8Array.of(1, 2, 3, 4), new Uint8Array(8).fill(7)),
        transforms: fc.array(
          fc.record({
            type: fc.integer({ min: 1, max: 5 }),
            id: fc.constantFrom(0, 1, 5, 12, 20, 31),
            attributes: fc.constantFrom([], [{ type: 14, value: 128 }]),
          }),
          { minLength: 1, maxLength: 4 },
        ),
      }),
      { minLength: 1, maxLength: 2 },
    ),
  }),
  fc.record({ type: fc.constant('KE' as const), group: fc.constantFrom(14, 31, 999), data: octets(40) }),
  fc.record({ type: fc.constant('Nonce' as const), data: fc.uint8Array({ minLength: 16, maxLength: 40 }) }),
  fc.record({ type: fc.constantFrom('IDi' as const, 'IDr' as const), idType: number, data: octets(20) }),
  fc.record({
    type: fc.constant('AUTH' as const),
    method: fc.constantFrom(0, 1, 2, 9, 14),
    data: octets(80),
  }),
  fc.record({ type: fc.constant('CERT' as const), encoding: fc.constantFrom(4, 7, 14), data: octets(60) }),
  fc.record({ type: fc.constant('CERTREQ' as const), encoding: fc.constant(4), authorities: octets(41) }),
  fc.record({
    type: fc.constant('D' as const),
    protocolId: fc.constantFrom(2, 3),
    spiSize: fc.constant(4),
    spis: fc.array(fc.uint8Array({ minLength: 4, maxLength: 4 }), { maxLength: 3 }),
  }),
  fc.record({
    type: fc.constantFrom('TSi' as const, 'TSr' as const),
    selectors: fc.array(
      fc.record({
        tsType: fc.constant(7 as const),
        protocol: number,
        startPort: fc.integer({ min: 0, max: 65535 }),
        endPort: fc.integer({ min: 0, max: 65535 }),
        startAddress: fc.uint8Array({ minLength: 4, maxLength: 4 }),
        endAddress: fc.uint8Array({ minLength: 4, maxLength: 4 }),
      }),
      { minLength: 1, maxLength: 3 },
    ),
  }),
  fc.record({
    type: fc.constant('CP' as const),
    cfgType: fc.constantFrom(1, 2, 3, 4),
    attributes: fc.array(fc.record({ type: fc.integer({ min: 0, max: 20 }), value: octets(20) }), {
      maxLength: 3,
    }),
  }),
);

function encodable(payloads: readonly Payload[]): boolean {
  try {
    encodePayloads(payloads);
    return true;
  } catch (error) {
    assert.ok(error instanceof WireError);
    return false;
  }
}

test('whatever payloads a peer that knows the keys sends, the SA answers once, or ends, and never breaks', () => {
  fc.assert(
    fc.property(
      fc.boolean(),
      fc.constantFrom(...Object.values(ExchangeType).filter((type) => type > ExchangeType.IKE_SA_INIT)),
      fc.array(anyPayload, { maxLength: 8 }),
      (authenticated, exchangeType, payloads) => {
        fc.pre(encodable(payloads));
        const { pair, send } = insider(authenticated);
        send(payloads, exchangeType);
        const answers = pair.wire.filter(({ to }) => to === pair.moon).length;
        assert.ok(answers <= 1);
        for (const inbound of pair.sun.sasOf('inbound')) {
          assert.ok(pair.sun.reservedSpis.has(inbound.spi), 'an SA without a reserved SPI');
        }
        assert.equal(pair.sun.reservedSpis.size, pair.sun.sasOf('inbound').length);
      },
    ),
    { numRuns: 500 },
  );
});
