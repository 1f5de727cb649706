// A real peer's messages, field by field, against what tshark 4.0.17 reads in the same capture.
import assert from 'node:assert/strict';
import { createDecipheriv } from 'node:crypto';
import { describe, test } from 'node:test';
import {
  decodeIkeHeader,
  decodeIkeMessage,
  decodePayloads,
  encodeIkeMessage,
  encodePayloads,
  ikeMessageSummary,
  type Payload,
  sealedPayload,
  type WireProposal,
} from './index.ts';
import * as charon from './testing/charon-messages.ts';
import { fromHex, toHex } from './testing/hex.ts';

const transformTypes = ['', 'ENCR', 'PRF', 'INTEG', 'KE', 'ESN'];

function transformsLine(proposal: WireProposal): string {
  return proposal.transforms
    .map(({ type, id, attributes }) => {
      const lengths = attributes.map((attribute) => {
        assert.equal(attribute.type, 14);
        return `/${attribute.value}`;
      });
      return `${transformTypes[type]} ${id}${lengths.join('')}`;
    })
    .join(', ');
}

function only<T extends Payload['type']>(payloads: readonly Payload[], type: T): Payload & { type: T } {
  const found = payloads.filter((payload) => payload.type === type);
  assert.equal(found.length, 1, `one ${type}`);
  return found[0] as Payload & { type: T };
}

function notifies(payloads: readonly Payload[]): [number, string][] {
  return payloads.flatMap((payload) =>
    payload.type === 'N' ? [[payload.notifyType, toHex(payload.data)] as [number, string]] : [],
  );
}

describe('IKE_SA_INIT of charon', () => {
  test('the header of the request', () => {
    assert.deepEqual(decodeIkeHeader(charon.ikeSaInitRequest), {
      initiatorSpi: '2f0e58501d37c7c3',
      responderSpi: '0000000000000000',
      majorVersion: 2,
      minorVersion: 0,
      exchangeType: 34,
      initiator: true,
      response: false,
      higherVersion: false,
      messageId: 0,
      nextPayload: 33,
      length: 1128,
    });
  });

  // RFC 7296 3.3
  test('the proposals of the request', () => {
    const { proposals } = only(decodeIkeMessage(charon.ikeSaInitRequest).payloads, 'SA');
    assert.deepEqual(
      proposals.map(({ number, protocolId, spi }) => [number, protocolId, spi.length]),
      [
        [1, 1, 0],
        [2, 1, 0],
        [3, 1, 0],
        [4, 1, 0],
      ],
    );
    assert.deepEqual(proposals.map(transformsLine), [
      'ENCR 20/128, PRF 5, KE 31',
      'ENCR 12/128, INTEG 12, PRF 5, KE 31',
      [
        'ENCR 12/128, ENCR 12/192, ENCR 12/256, ENCR 13/128, ENCR 13/192, ENCR 13/256, ENCR 23/128, ENCR 23/192, ENCR 23/256',
        'ENCR 24/128, ENCR 24/192, ENCR 24/256, ENCR 3',
        'INTEG 12, INTEG 13, INTEG 14, INTEG 5, INTEG 8, INTEG 2',
        'PRF 5, PRF 6, PRF 7, PRF 4, PRF 8, PRF 2',
        'KE 31, KE 32, KE 19, KE 20, KE 21, KE 28, KE 29, KE 30, KE 15',
        'KE 16, KE 17, KE 18, KE 14',
      ].join(', '),
      [
        'ENCR 16/128, ENCR 16/192, ENCR 16/256, ENCR 20/128, ENCR 20/192, ENCR 20/256, ENCR 28, ENCR 27/128, ENCR 27/192',
        'ENCR 27/256, ENCR 14/128, ENCR 14/192, ENCR 14/256, ENCR 15/128, ENCR 15/192, ENCR 15/256, ENCR 18/128, ENCR 18/192',
        'ENCR 18/256, ENCR 19/128, ENCR 19/192, ENCR 19/256, ENCR 25/128, ENCR 25/192, ENCR 25/256, ENCR 26/128, ENCR 26/192',
        'ENCR 26/256',
        'PRF 5, PRF 6, PRF 7, PRF 4, PRF 8, PRF 2',
        'KE 31, KE 32, KE 19, KE 20, KE 21, KE 28, KE 29, KE 30, KE 15',
        'KE 16, KE 17, KE 18, KE 14',
      ].join(', '),
    ]);
  });

  // RFC 7296 3.4, 3.9, 3.10
  test('key exchange, nonce and notifies of the request', () => {
    const { payloads } = decodeIkeMessage(charon.ikeSaInitRequest);
    const ke = only(payloads, 'KE');
    assert.equal(ke.group, 31);
    assert.equal(toHex(ke.data), 'fba02aa7304bf82ab0c876fa367dc20560d2d5a6031cac8e4996238bf17e5332');
    assert.equal(
      toHex(only(payloads, 'Nonce').data),
      '077aa21842af3ed56b6bd893544e2961ecef0bb4a99f6e99c1d555770b4f4eb1',
    );
    assert.deepEqual(notifies(payloads), [
      [16388, '1e8bc1f9798fba3b7afd5cac59136a10441f8d2a'],
      [16389, '4a52dcd7b37ecf7fbaa4be299a1ed999a8c1ab31'],
      [16430, ''],
      [16431, '0002000300040005'],
      [16406, ''],
    ]);
  });

  test('every field of the response', () => {
    const { header, payloads } = decodeIkeMessage(charon.ikeSaInitResponse);
    assert.deepEqual(header, {
      initiatorSpi: '2f0e58501d37c7c3',
      responderSpi: 'a5c7dddadf21f653',
      majorVersion: 2,
      minorVersion: 0,
      exchangeType: 34,
      initiator: false,
      response: true,
      higherVersion: false,
      messageId: 0,
    });
    const about = { type: 'N', protocolId: 0, spi: new Uint8Array(0) };
    assert.deepEqual(payloads, [
      {
        type: 'SA',
        proposals: [
          {
            number: 1,
            protocolId: 1,
            spi: new Uint8Array(0),
            transforms: [
              { type: 1, id: 20, attributes: [{ type: 14, value: 128 }] },
              { type: 2, id: 5, attributes: [] },
              { type: 4, id: 31, attributes: [] },
            ],
          },
        ],
      },
      {
        type: 'KE',
        group: 31,
        data: fromHex('398dc29f5394dbee206e938e8328c607e354ecac87a178bc6e0df3dd2750264f'),
      },
      { type: 'Nonce', data: fromHex('f5139467acd8b92fae219e85819611e521041e2fc6b1319a52b5ecd9d98b355e') },
      { ...about, notifyType: 16388, data: fromHex('18760337fe76b1acde13d82cc5da45b9efd1e29d') },
      { ...about, notifyType: 16389, data: fromHex('d2a5f156f8c91ca02180541d2c554b689fb49c3e') },
      { ...about, notifyType: 16430, data: new Uint8Array(0) },
      { ...about, notifyType: 16431, data: fromHex('0002000300040005') },
      { ...about, notifyType: 16418, data: new Uint8Array(0) },
      { ...about, notifyType: 16404, data: new Uint8Array(0) },
    ]);
  });
});

describe('IKE_AUTH of charon', () => {
  test('the sealed payload is everything after the associated data', () => {
    const message = decodeIkeMessage(charon.ikeAuthRequest);
    const sealed = sealedPayload(message);
    assert.ok(sealed);
    assert.equal(sealed.payload.type, 'SK');
    assert.equal(sealed.payload.firstPayload, 35);
    assert.equal(sealed.aad.length, 32);
    // IV, ciphertext with a pad length octet, ICV.
    assert.equal(sealed.payload.body.length, 8 + charon.ikeAuthRequestInside.octets.length + 1 + 16);
  });

  // RFC 7296 3.5, 3.13, 3.15
  test('identities, addresses and selectors inside', () => {
    const { firstPayload, octets } = charon.ikeAuthResponseInside;
    const payloads = decodePayloads(firstPayload, octets);
    const id = only(payloads, 'IDr');
    assert.equal(id.idType, 2);
    assert.equal(String.fromCharCode(...id.data), 'right.example');
    assert.equal(only(payloads, 'AUTH').method, 2);
    assert.deepEqual(only(payloads, 'CP'), {
      type: 'CP',
      cfgType: 2,
      attributes: [
        { type: 1, value: Uint8Array.of(10, 3, 0, 1) },
        { type: 8, value: fromHex('fd000003000000000000000000000001 40') },
        { type: 3, value: Uint8Array.of(10, 3, 0, 53) },
      ],
    });
    const { proposals } = only(payloads, 'SA');
    assert.deepEqual(proposals.map(transformsLine), ['ENCR 20/128, ESN 0']);
    assert.equal(toHex(proposals[0]?.spi ?? new Uint8Array(0)), '6ec11468');
    assert.deepEqual(only(payloads, 'TSr').selectors, [
      {
        tsType: 7,
        protocol: 6,
        startPort: 80,
        endPort: 80,
        startAddress: Uint8Array.of(10, 2, 0, 0),
        endAddress: Uint8Array.of(10, 2, 0, 255),
      },
      {
        tsType: 8,
        protocol: 0,
        startPort: 0,
        endPort: 65535,
        startAddress: fromHex('fd000002000000000000000000000000'),
        endAddress: fromHex('fd00000200000000ffffffffffffffff'),
      },
    ]);
  });
});

test('the fragments of charon open with our associated data, and their insides make one message', () => {
  const key = charon.ikeAuthFragmentsKey;
  const insides = charon.ikeAuthFragments.map((octets, index) => {
    const sealed = sealedPayload(decodeIkeMessage(octets));
    assert.ok(sealed?.payload.type === 'SKF');
    const { firstPayload, fragmentNumber, totalFragments, body } = sealed.payload;
    assert.deepEqual([firstPayload, fragmentNumber, totalFragments], [index === 0 ? 35 : 0, index + 1, 3]);
    const nonce = Uint8Array.of(...key.subarray(16), ...body.subarray(0, 8));
    const opener = createDecipheriv('aes-128-gcm', key.subarray(0, 16), nonce);
    opener.setAAD(sealed.aad);
    opener.setAuthTag(body.subarray(-16));
    const padded = [...opener.update(body.subarray(8, -16)), ...opener.final()];
    return padded.slice(0, padded.length - 1 - (padded.at(-1) ?? 0));
  });
  const payloads = decodePayloads(35, Uint8Array.from(insides.flat()));
  assert.deepEqual(
    payloads.map(({ type }) => type),
    ['IDi', 'N', 'IDr', 'AUTH', 'CP', 'SA', 'TSi', 'TSr', 'N', 'N', 'N', 'N', 'N'],
  );
});

test('every message of charon is written back octet by octet', () => {
  const { ikeSaInitRequest, ikeSaInitResponse, ikeAuthRequest, ikeAuthResponse } = charon;
  const whole = [ikeSaInitRequest, ikeSaInitResponse, ikeAuthRequest, ikeAuthResponse];
  for (const octets of [...whole, ...charon.ikeAuthFragments]) {
    assert.equal(toHex(encodeIkeMessage(decodeIkeMessage(octets))), toHex(octets));
  }
  for (const { firstPayload, octets } of [charon.ikeAuthRequestInside, charon.ikeAuthResponseInside]) {
    const again = encodePayloads(decodePayloads(firstPayload, octets));
    assert.equal(again.firstPayload, firstPayload);
    assert.equal(toHex(again.octets), toHex(octets));
  }
});

test("the summary is the line of charon's own log", () => {
  const inside = ({
    firstPayload,
    octets,
  }: {
    firstPayload: number;
    octets: Uint8Array;
  }): readonly Payload[] => decodePayloads(firstPayload, octets);
  const request = decodeIkeMessage(charon.ikeAuthRequest);
  const response = decodeIkeMessage(charon.ikeAuthResponse);
  assert.deepEqual(
    [
      decodeIkeMessage(charon.ikeSaInitRequest),
      decodeIkeMessage(charon.ikeSaInitResponse),
      { header: request.header, payloads: inside(charon.ikeAuthRequestInside) },
      { header: response.header, payloads: inside(charon.ikeAuthResponseInside) },
    ].map(ikeMessageSummary),
    [
      'IKE_SA_INIT request 0 [ SA KE No N(NATD_S_IP) N(NATD_D_IP) N(FRAG_SUP) N(HASH_ALG) N(REDIR_SUP) ]',
      'IKE_SA_INIT response 0 [ SA KE No N(NATD_S_IP) N(NATD_D_IP) N(FRAG_SUP) N(HASH_ALG) N(CHDLESS_SUP) N(MULT_AUTH) ]',
      'IKE_AUTH request 1 [ IDi N(INIT_CONTACT) IDr AUTH CPRQ(ADDR ADDR6) SA TSi TSr N(MOBIKE_SUP) N(NO_ADD_ADDR) N(MULT_AUTH) N(EAP_ONLY) N(MSG_ID_SYN_SUP) ]',
      'IKE_AUTH response 1 [ IDr AUTH CPRP(ADDR ADDR6 DNS) SA TSi TSr N(MOBIKE_SUP) N(NO_ADD_ADDR) ]',
    ],
  );
});
