// Properties of the whole codec: what is written is read back, and no octets do harm.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { WireError } from '../error.ts';
import { decodeIkeMessage, decodePayloads, encodeIkeMessage, encodePayloads, type Payload } from './index.ts';
import { encryptedPayloads, ikeMessage, innerPayloads, openPayloads } from './testing/arbitraries.ts';
import * as charon from './testing/charon-messages.ts';
import { toHex } from './testing/hex.ts';

const header = {
  initiatorSpi: '0102030405060708',
  responderSpi: '1112131415161718',
  majorVersion: 2,
  minorVersion: 0,
  exchangeType: 37,
  initiator: true,
  response: false,
  higherVersion: false,
  messageId: 7,
} as Parameters<typeof encodeIkeMessage>[0]['header'];

/** Runs a decoder on any octets: it may refuse them only by WireError, pointing inside the input. */
function decodesOrRefuses<T>(octets: Uint8Array, decode: (octets: Uint8Array) => T): T | undefined {
  try {
    return decode(octets);
  } catch (error) {
    assert.ok(error instanceof WireError, String(error));
    assert.ok(error.offset >= 0 && error.offset <= octets.length, `${error.message} of ${octets.length}`);
    assert.notEqual(error.field, '');
    return undefined;
  }
}

describe('a payload of every type', () => {
  const all: Readonly<Record<string, fc.Arbitrary<Payload>>> = { ...openPayloads, ...encryptedPayloads };
  for (const [name, arbitrary] of Object.entries(all)) {
    // RFC 7296 3.2, 3.6, 3.7, 3.8, 3.12
    test(`${name} is read back as it was written, critical or not`, () => {
      fc.assert(
        fc.property(arbitrary, fc.boolean(), (plain, critical) => {
          const payload: Payload = critical ? { ...plain, critical: true } : plain;
          const octets = encodeIkeMessage({ header, payloads: [payload] });
          const message = decodeIkeMessage(octets);
          assert.deepEqual(message.payloads, [payload]);
          assert.deepEqual(message.header, header);
          assert.equal(toHex(encodeIkeMessage(message)), toHex(octets));
        }),
      );
    });

    test(`${name} cut short anywhere is refused`, () => {
      fc.assert(
        fc.property(arbitrary, (payload) => {
          const octets = encodeIkeMessage({ header, payloads: [payload] });
          for (let length = 0; length < octets.length; length++) {
            const cut = octets.slice(0, length);
            assert.throws(() => decodeIkeMessage(cut), WireError);
            // The header made to agree with the cut: now the payload's own lengths must catch it.
            if (length <= 28) continue;
            new DataView(cut.buffer).setUint32(24, length);
            assert.throws(() => decodeIkeMessage(cut), WireError, `cut to ${length} of ${octets.length}`);
          }
        }),
        { numRuns: 20 },
      );
    });

    test(`${name} with any 16-bit field replaced is refused or read, and what is read can be written`, () => {
      fc.assert(
        fc.property(arbitrary, fc.constantFrom(0, 1, 3, 4, 7, 8, 0x7fff, 0xffff), (payload, lie) => {
          const octets = encodeIkeMessage({ header, payloads: [payload] });
          for (let at = 28; at + 2 <= octets.length; at++) {
            const lying = octets.slice();
            new DataView(lying.buffer).setUint16(at, lie);
            const message = decodesOrRefuses(lying, decodeIkeMessage);
            if (message)
              assert.deepEqual(decodeIkeMessage(encodeIkeMessage(message)).payloads, message.payloads);
          }
        }),
        { numRuns: 20 },
      );
    });
  }
});

describe('whole messages', () => {
  test('any message is read back as it was written', () => {
    fc.assert(
      fc.property(ikeMessage, (written) => {
        const octets = encodeIkeMessage(written);
        const { header, payloads, octets: kept } = decodeIkeMessage(octets);
        assert.deepEqual({ header, payloads }, written);
        assert.equal(kept, octets);
      }),
      { numRuns: 500 },
    );
  });

  test('any inside of SK is read back as it was written', () => {
    fc.assert(
      fc.property(innerPayloads, (payloads) => {
        const { firstPayload, octets } = encodePayloads(payloads);
        assert.deepEqual(decodePayloads(firstPayload, octets), payloads);
      }),
      { numRuns: 500 },
    );
  });

  test('mutated octets of any message are refused by WireError alone, or read and written again', () => {
    const mutation = fc.record({ at: fc.nat(), value: fc.nat(255) });
    fc.assert(
      fc.property(ikeMessage, fc.array(mutation, { minLength: 1, maxLength: 6 }), (written, mutations) => {
        const octets = encodeIkeMessage(written);
        for (const { at, value } of mutations) octets[at % octets.length] = value;
        const message = decodesOrRefuses(octets, decodeIkeMessage);
        if (message === undefined) return;
        const again = decodeIkeMessage(encodeIkeMessage(message));
        assert.deepEqual(again.payloads, message.payloads);
      }),
      { numRuns: 2000 },
    );
  });

  test('arbitrary octets are refused by WireError alone, as a message and as payloads of any type', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(255), (octets, type) => {
        decodesOrRefuses(octets, decodeIkeMessage);
        decodesOrRefuses(octets, (inside) => decodePayloads(type, inside));
      }),
      { numRuns: 2000 },
    );
  });

  test('every single octet of real messages replaced by a few values does no harm', () => {
    for (const original of [charon.ikeSaInitResponse, charon.ikeAuthResponse]) {
      for (let at = 0; at < original.length; at++) {
        for (const value of [0, 1, 0x7f, 0x80, 0xff]) {
          const octets = original.slice();
          octets[at] = value;
          decodesOrRefuses(octets, decodeIkeMessage);
        }
      }
    }
  });
});

describe('sizes at the edge', () => {
  test('no octets are no message, but an empty inside of SK', () => {
    assert.throws(() => decodeIkeMessage(new Uint8Array(0)), WireError);
    assert.deepEqual(decodePayloads(0, new Uint8Array(0)), []);
  });

  test('64 KiB of one octet are refused or read, whatever the octet', () => {
    for (const value of [0, 1, 4, 33, 41, 46, 255]) {
      const octets = new Uint8Array(65_536).fill(value);
      decodesOrRefuses(octets, decodeIkeMessage);
      for (const type of [0, 33, 42, 44, 47, 99])
        decodesOrRefuses(octets, (inside) => decodePayloads(type, inside));
    }
  });

  test('the largest payload survives and one octet more cannot be written', () => {
    const payloads: Payload[] = [{ type: 'V', data: new Uint8Array(65_531) }];
    const octets = encodeIkeMessage({ header, payloads });
    assert.equal(octets.length, 28 + 65_535);
    assert.deepEqual(decodeIkeMessage(octets).payloads, payloads);
    assert.throws(
      () => encodeIkeMessage({ header, payloads: [{ type: 'V', data: new Uint8Array(65_532) }] }),
      WireError,
    );
  });
});
