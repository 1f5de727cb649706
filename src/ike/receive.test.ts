// Authentic but unreadable or unexpected requests, from a peer that knows the keys (RFC 7296 2.21.3, 2.5).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { packetCipher } from '#crypto';
import { decodeIkeMessage, ExchangeType, NotifyType, type Payload } from '#wire';
import { findNotify } from './notify.ts';
import { MessageSealer, openMessage } from './protection/sealed-message.ts';
import { type Datagram, Pair } from './testing/pair.ts';

interface Insider {
  readonly pair: Pair;
  /** Sends payloads as moon would, under moon's keys. */
  send(payloads: readonly Payload[], exchangeType?: number): void;
  /** The payloads of sun's next answer. */
  answer(): readonly Payload[];
}

function insider(): Insider {
  const pair = new Pair();
  pair.moon.initiate(pair.sun.endpoint, { keyLog: true });
  pair.settle();
  const keys = pair.moon.keyLog.find((entry) => entry.kind === 'ike');
  assert.ok(keys);
  const cipher = (key: Uint8Array): ReturnType<typeof packetCipher> =>
    packetCipher({ encryption: { ...keys.suite.encr, key } });
  const sealer = new MessageSealer(cipher(keys.skEi), pair.moon.randomness, 1_000_000n);
  const opener = cipher(keys.skEr);
  const datagram = (octets: Uint8Array): Datagram => ({
    to: pair.sun,
    source: pair.moon.endpoint,
    destination: pair.sun.endpoint,
    octets,
  });
  return {
    pair,
    send(payloads, exchangeType = ExchangeType.INFORMATIONAL) {
      const header = {
        initiatorSpi: keys.initiatorSpi,
        responderSpi: keys.responderSpi,
        majorVersion: 2,
        minorVersion: 0,
        exchangeType,
        initiator: true,
        response: false,
        higherVersion: false,
        messageId: 2,
      };
      pair.deliver(pair.sun, datagram(sealer.seal(header, payloads)));
    },
    answer() {
      const opening = openMessage(decodeIkeMessage(pair.take(pair.moon).octets), opener);
      assert.equal(opening.kind, 'opened');
      return opening.payloads;
    },
  };
}

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

test('a Delete of SPIs that nobody knows is answered without a Delete payload', () => {
  const { pair, send, answer } = insider();
  send([{ type: 'D', protocolId: 3, spiSize: 4, spis: [Uint8Array.of(9, 9, 9, 9)] }]);
  assert.deepEqual(answer(), []);
  assert.equal(pair.sun.installed.size, 2);
});
