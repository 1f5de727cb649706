// The unprotected messages as octets: every field that RFC 7296 1.5, 2.5, 2.21.4 and RFC 6290 4 lay down.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandomness } from '#crypto';
import { address } from '#sa';
import {
  decodeIcmpv4,
  decodeIcmpv6,
  decodeIkeMessage,
  type IkeMessage,
  type NotifyPayload,
  NotifyType,
  zeroIkeSpi,
} from '#wire';
import { ikeHeader, initiatorSpi, responderSpi } from '../testing/facts.ts';
import { invalidSpiNotify, meaninglessSpis, unprotectedInvalidSpi } from './one-way-notify.ts';
import { parameterProblem } from './parameter-problem.ts';
import { cookieDemand, invalidIkeSpi, invalidMajorVersion } from './refusal.ts';

const tokens = [1, 2, 3, 4].map((fill) => new Uint8Array(16).fill(fill));

function notifies(message: IkeMessage): readonly NotifyPayload[] {
  return message.payloads.map((payload) => {
    assert.equal(payload.type, 'N');
    return payload as NotifyPayload;
  });
}

test('INVALID_SPI is a one-way message: I set, R clear, Message ID 0, the SPI as data', () => {
  const message = decodeIkeMessage(unprotectedInvalidSpi(0xc0ffee00, meaninglessSpis(undefined), []));
  assert.deepEqual(message.header, {
    initiatorSpi: zeroIkeSpi,
    responderSpi: zeroIkeSpi,
    majorVersion: 2,
    minorVersion: 0,
    exchangeType: 37,
    initiator: true,
    response: false,
    higherVersion: false,
    messageId: 0,
  });
  const [only] = notifies(message);
  assert.equal(message.payloads.length, 1);
  assert.deepEqual(only, {
    type: 'N',
    protocolId: 0,
    spi: new Uint8Array(0),
    notifyType: NotifyType.INVALID_SPI,
    data: Uint8Array.of(0xc0, 0xff, 0xee, 0x00),
  });
  assert.deepEqual(invalidSpiNotify(0xc0ffee00), only);
});

test('the SPIs that mean nothing are zero, or random', () => {
  const random = meaninglessSpis(seededRandomness(Uint8Array.of(1)));
  assert.notEqual(random.initiatorSpi, zeroIkeSpi);
  assert.notEqual(random.initiatorSpi, random.responderSpi);
});

test('tokens follow INVALID_SPI, and the header names their IKE SA', () => {
  const octets = unprotectedInvalidSpi(0xc0ffee00, { initiatorSpi, responderSpi }, tokens);
  const message = decodeIkeMessage(octets);
  assert.deepEqual([message.header.initiatorSpi, message.header.responderSpi], [initiatorSpi, responderSpi]);
  const [first, ...rest] = notifies(message);
  assert.equal(first?.notifyType, NotifyType.INVALID_SPI);
  assert.deepEqual(
    rest.map(({ protocolId, spi, notifyType, data }) => [protocolId, spi.length, notifyType, data]),
    tokens.map((token) => [1, 0, 16419, token]),
  );
});

for (const initiator of [true, false]) {
  for (const exchangeType of [36, 37, 240]) {
    test(`INVALID_IKE_SPI copies SPIs, Message ID and exchange type ${exchangeType} (I = ${initiator})`, () => {
      const request = ikeHeader({ initiator, exchangeType, messageId: 0xfffffffe });
      const message = decodeIkeMessage(invalidIkeSpi(request, tokens.slice(0, 2)));
      assert.deepEqual(message.header, {
        initiatorSpi,
        responderSpi,
        majorVersion: 2,
        minorVersion: 0,
        exchangeType,
        initiator: !initiator,
        response: true,
        higherVersion: false,
        messageId: 0xfffffffe,
      });
      const all = notifies(message);
      assert.deepEqual(
        all.map(({ notifyType }) => notifyType),
        [NotifyType.INVALID_IKE_SPI, 16419, 16419],
      );
      assert.equal(all[0]?.data.length, 0);
    });
  }
}

test('INVALID_MAJOR_VERSION says our version in its header and nothing else', () => {
  const message = decodeIkeMessage(invalidMajorVersion(ikeHeader({ majorVersion: 3, minorVersion: 1 })));
  const { majorVersion, minorVersion, response, messageId } = message.header;
  assert.deepEqual([majorVersion, minorVersion, response, messageId], [2, 0, true, 41]);
  assert.deepEqual(
    notifies(message).map(({ notifyType, data }) => [notifyType, data.length]),
    [[NotifyType.INVALID_MAJOR_VERSION, 0]],
  );
});

test('a COOKIE comes from a responder without an SPI', () => {
  const request = ikeHeader({ responderSpi: zeroIkeSpi, exchangeType: 34, messageId: 0 });
  const message = decodeIkeMessage(cookieDemand(request, Uint8Array.of(5, 6)));
  assert.equal(message.header.responderSpi, zeroIkeSpi);
  assert.equal(message.header.response, true);
  assert.deepEqual(notifies(message)[0]?.data, Uint8Array.of(5, 6));
});

test('a Parameter Problem points at the SPI and quotes no more than there is credit for', () => {
  const packet = new Uint8Array(100).map((_, i) => i);
  const ends = { from: address('192.0.2.1'), to: address('198.51.100.2') };
  const octets = parameterProblem(packet, 20, ends, 72);
  assert.equal(octets?.length, 72);
  const message = decodeIcmpv4(octets!);
  assert.equal(message.kind, 'parameter-problem');
  assert.deepEqual('pointer' in message && [message.pointer, message.quoted], [20, packet.subarray(0, 64)]);
  assert.equal(parameterProblem(packet, 20, ends, 31), undefined);

  const six = { from: address('2001:db8::1'), to: address('2001:db8::2') };
  const octets6 = parameterProblem(packet, 40, six, 2_000);
  const pair = {
    source: new Uint8Array([0x20, 1, 0xd, 0xb8, ...new Array<number>(11).fill(0), 1]),
    destination: new Uint8Array([0x20, 1, 0xd, 0xb8, ...new Array<number>(11).fill(0), 2]),
  };
  const message6 = decodeIcmpv6(octets6!, pair);
  assert.deepEqual('pointer' in message6 && message6.pointer, 40);
});
