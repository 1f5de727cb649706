// EAP packets and what MSCHAPv2 puts into them: round trips, refusals, and octets of a real exchange.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { fromHex } from '../ike/testing/hex.ts';
import { assertRefusesEveryPrefix, assertTotal, decodes } from '../testing/total-decoding.ts';
import {
  decodeEapPacket,
  decodeMsChapRequest,
  decodeMsChapResponse,
  EapCode,
  EapType,
  eapTypeName,
  encodeEapPacket,
  encodeMsChapRequest,
  encodeMsChapResponse,
} from './index.ts';
import { eapPackets, msChapRequests, msChapResponses } from './testing/arbitraries.ts';

// RFC 3748 4
describe('an EAP packet', () => {
  test('round trips', () => {
    fc.assert(
      fc.property(eapPackets, (packet) => {
        const octets = encodeEapPacket(packet);
        assert.equal(octets[2]! * 256 + octets[3]!, octets.length);
        assert.deepEqual(decodeEapPacket(octets), packet);
      }),
    );
  });

  test('is refused if it is cut anywhere, or longer than it says', () => {
    const octets = encodeEapPacket({
      code: EapCode.RESPONSE,
      identifier: 7,
      type: EapType.IDENTITY,
      data: Uint8Array.of(0x61),
    });
    assert.deepEqual(octets, fromHex('020700060161'));
    assertRefusesEveryPrefix(decodeEapPacket, octets);
    assert.equal(decodes(decodeEapPacket, fromHex('02070006016100')), false);
    assertTotal(decodeEapPacket, eapPackets.map(encodeEapPacket));
  });

  test('has a code of four, a type if it is a request or a response, and nothing else if it is neither', () => {
    for (const octets of ['05010004', '00010004', '01010004', '02010004', '0301000500']) {
      assert.equal(decodes(decodeEapPacket, fromHex(octets)), false, octets);
    }
    assert.deepEqual(decodeEapPacket(fromHex('04090004')), { code: EapCode.FAILURE, identifier: 9 });
  });

  test('is called by its type', () => {
    assert.equal(eapTypeName(EapType.TLS), 'EAP-TLS');
    assert.equal(eapTypeName(99), 'EAP type 99');
  });
});

// draft-kamath-pppext-eap-mschapv2 2
describe('a packet of MSCHAPv2', () => {
  test('round trips', () => {
    fc.assert(
      fc.property(msChapRequests, msChapResponses, (request, response) => {
        assert.deepEqual(decodeMsChapRequest(encodeMsChapRequest(request)), request);
        assert.deepEqual(decodeMsChapResponse(encodeMsChapResponse(response)), response);
      }),
    );
    assertTotal(decodeMsChapRequest, msChapRequests.map(encodeMsChapRequest));
    assertTotal(decodeMsChapResponse, msChapResponses.map(encodeMsChapResponse));
  });

  test('is refused if it is cut before its name', () => {
    const challenge = {
      kind: 'challenge',
      identifier: 1,
      challenge: new Uint8Array(16),
      name: new Uint8Array(),
    };
    assertRefusesEveryPrefix(decodeMsChapRequest, encodeMsChapRequest(challenge as never));
    const response = {
      kind: 'response',
      identifier: 1,
      peerChallenge: new Uint8Array(16).fill(1),
      ntResponse: new Uint8Array(24).fill(2),
      name: new Uint8Array(),
    } as const;
    const octets = encodeMsChapResponse(response);
    assert.equal(octets.length, 4 + 1 + 49);
    assertRefusesEveryPrefix(decodeMsChapResponse, octets);
  });

  test('has values of the sizes that there are, and an opcode of its direction', () => {
    const octets = encodeMsChapRequest({
      kind: 'challenge',
      identifier: 1,
      challenge: new Uint8Array(16),
      name: new Uint8Array(3),
    });
    for (const size of [0, 15, 17]) {
      assert.equal(decodes(decodeMsChapRequest, octets.with(4, size)), false);
    }
    assert.equal(decodes(decodeMsChapRequest, octets.with(0, 2)), false);
    assert.equal(decodes(decodeMsChapResponse, octets), false);
    // Change-Password (RFC 2759 7) is not answered.
    assert.equal(decodes(decodeMsChapResponse, octets.with(0, 7)), false);
  });

  test('is read whatever its own length says: some peers count it wrongly', () => {
    const octets = encodeMsChapRequest({ kind: 'success', identifier: 3, message: Uint8Array.of(0x53) });
    assert.deepEqual(octets, fromHex('0303000553'));
    assert.equal(decodeMsChapRequest(octets.with(3, 9)).kind, 'success');
  });
});
