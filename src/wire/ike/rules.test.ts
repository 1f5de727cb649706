// Single rules of the format: reserved bits, last flags, critical bits, limits, versions, sealing, names.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { WireError, type WireErrorCode } from '../error.ts';
import {
  decodeIkeHeader,
  decodeIkeMessage,
  decodePayloads,
  encodeIkeMessage,
  encodePayloads,
  encodeSealedMessage,
  exchangeTypeName,
  type IkeHeader,
  ikeLimits,
  ikeMessageSummary,
  ikeSpiBytes,
  ikeSpiFromBytes,
  keyExchangeData,
  NotifyType,
  notify,
  notifyTypeName,
  type Payload,
  PayloadType,
  payloadTypeName,
  sealedPayload,
  unknownCriticalPayload,
} from './index.ts';
import { fromHex, toHex } from './testing/hex.ts';

const header: IkeHeader = {
  initiatorSpi: ikeSpiFromBytes(fromHex('0102030405060708')),
  responderSpi: ikeSpiFromBytes(fromHex('f1f2f3f4f5f6f7f8')),
  majorVersion: 2,
  minorVersion: 0,
  exchangeType: 37,
  initiator: true,
  response: false,
  higherVersion: false,
  messageId: 0xffff_fffe,
};

function refuses(code: WireErrorCode, field: string, offset: number, act: () => unknown): void {
  assert.throws(act, (error) => {
    assert.ok(error instanceof WireError, String(error));
    assert.deepEqual([error.code, error.field, error.offset], [code, field, offset]);
    return true;
  });
}

const { SA, N, D, TSi, CP, SKF, EAP, Nonce } = PayloadType;

describe('the header', () => {
  // RFC 7296 2.5, 3.1
  test('a higher major version is data in the header and an error in the message', () => {
    const octets = encodeIkeMessage({
      header: { ...header, majorVersion: 3, minorVersion: 1 },
      payloads: [],
    });
    const read = decodeIkeHeader(octets);
    assert.deepEqual([read.majorVersion, read.minorVersion, read.messageId], [3, 1, 0xffff_fffe]);
    refuses('version', 'IKE.version', 17, () => decodeIkeMessage(octets));
  });

  // RFC 7296 3.1
  test('reserved flags are ignored', () => {
    const octets = encodeIkeMessage({ header, payloads: [] });
    octets[19] = 0xc7 | 0x08;
    assert.deepEqual(decodeIkeMessage(octets).header, header);
  });

  test('a length that is not the datagram is refused', () => {
    const octets = encodeIkeMessage({ header, payloads: [notify(NotifyType.COOKIE)] });
    refuses('length', 'IKE.length', 24, () => decodeIkeMessage(octets.subarray(0, octets.length - 1)));
    refuses('length', 'IKE.length', 24, () => decodeIkeMessage(Uint8Array.of(...octets, 0)));
  });

  test('an SPI is sixteen digits of hexadecimal in both directions', () => {
    assert.equal(toHex(ikeSpiBytes(header.responderSpi)), 'f1f2f3f4f5f6f7f8');
    assert.throws(() => ikeSpiFromBytes(new Uint8Array(7)), WireError);
    assert.throws(() => ikeSpiBytes('F1F2F3F4F5F6F7F8' as IkeHeader['initiatorSpi']), WireError);
  });
});

describe('the chain of payloads', () => {
  test('a payload shorter than its header is refused: it would never end', () => {
    for (const length of [0, 1, 2, 3]) {
      refuses('length', 'payload.length', 2, () =>
        decodePayloads(N, Uint8Array.of(N, 0, 0, length, 0, 0, 0, 0)),
      );
    }
  });

  test('octets after the last payload are refused', () => {
    refuses('trailing', 'payload', 4, () => decodePayloads(99, fromHex('00000004 00')));
    refuses('trailing', 'payload', 0, () => decodePayloads(0, fromHex('00')));
  });

  test('a next payload that is not there is refused', () => {
    refuses('truncated', 'payload.next payload', 4, () => decodePayloads(99, fromHex('29000004')));
  });

  test('offsets count from the start of the datagram', () => {
    const octets = encodeIkeMessage({ header, payloads: [notify(NotifyType.COOKIE), notify(1)] });
    octets[28 + 8 + 5] = 9; // SPI size of the second notify
    refuses('truncated', 'N.SPI', 28 + 16, () => decodeIkeMessage(octets));
  });

  // RFC 7296 3.2
  test('reserved bits of the generic header are ignored and sent as zero', () => {
    const payloads = decodePayloads(99, fromHex('007f0004'));
    assert.deepEqual(payloads, [{ type: 'unknown', payloadType: 99, body: new Uint8Array(0) }]);
    assert.equal(toHex(encodePayloads(payloads).octets), '00000004');
  });

  test('an unknown critical payload is found, a critical known one and an unknown other are not', () => {
    const payloads = decodePayloads(99, fromHex('29000004 00800008 00004006'));
    assert.equal(unknownCriticalPayload(payloads), undefined);
    const insisted = decodePayloads(99, fromHex('c8000004 00800005aa'));
    assert.deepEqual(unknownCriticalPayload(insisted), {
      type: 'unknown',
      payloadType: 200,
      critical: true,
      body: Uint8Array.of(0xaa),
    });
    assert.equal(toHex(encodePayloads(insisted).octets), 'c800000400800005aa');
  });

  test('a known type cannot be written as unknown, nor anything after SK, nor SK inside SK', () => {
    const sk: Payload = { type: 'SK', firstPayload: 0, body: new Uint8Array(20) };
    const posing: Payload = { type: 'unknown', payloadType: SA, body: new Uint8Array(0) };
    assert.throws(() => encodePayloads([posing]), WireError);
    assert.throws(() => encodeIkeMessage({ header, payloads: [sk, notify(1)] }), WireError);
    assert.throws(() => encodePayloads([sk]), WireError);
    refuses('value', 'SK', 4, () => decodePayloads(PayloadType.SK, fromHex('00000005aa')));
  });

  test('more payloads than the limit are refused in both directions', () => {
    const octets = new Uint8Array(257 * 4);
    for (let at = 0; at < octets.length; at += 4) octets.set([at + 4 < octets.length ? 99 : 0, 0, 0, 4], at);
    refuses('limit', 'payload', 256 * 4, () => decodePayloads(99, octets));
    assert.throws(() => encodePayloads(Array.from({ length: 257 }, () => notify(1))), WireError);
  });
});

describe('the SA payload', () => {
  const proposal = '00000010 01030401 aabbccdd';
  const transform = '00000008 01000014';

  // RFC 7296 3.3, 3.3.2
  test('one proposal, one transform', () => {
    const payloads = decodePayloads(SA, fromHex(`00000018 ${proposal.replace('10', '14')} ${transform}`));
    assert.deepEqual(payloads, [
      {
        type: 'SA',
        proposals: [
          {
            number: 1,
            protocolId: 3,
            spi: fromHex('aabbccdd'),
            transforms: [{ type: 1, id: 20, attributes: [] }],
          },
        ],
      },
    ]);
  });

  // RFC 7296 3.3.1, 3.3.2
  test('last flags that contradict what follows are refused', () => {
    const more = `02${proposal.slice(2).replace('10', '14')}`;
    refuses('truncated', 'SA.proposal.last', 24, () =>
      decodePayloads(SA, fromHex(`00000018 ${more} ${transform}`)),
    );
    const odd = `01${proposal.slice(2).replace('10', '14')}`;
    refuses('value', 'SA.proposal.last', 4, () =>
      decodePayloads(SA, fromHex(`00000018 ${odd} ${transform}`)),
    );
    const goesOn = `03${transform.slice(2)}`;
    refuses('value', 'SA.transform.last', 16, () =>
      decodePayloads(SA, fromHex(`00000018 ${proposal.replace('10', '14')} ${goesOn}`)),
    );
  });

  test('transforms beyond or short of the count are refused', () => {
    const two = proposal.replace('0401', '0402').replace('10', '14');
    refuses('value', 'SA.transform.last', 16, () =>
      decodePayloads(SA, fromHex(`00000018 ${two} ${transform}`)),
    );
    const none = proposal.replace('0401', '0400').replace('10', '14');
    refuses('trailing', 'SA.proposal', 16, () =>
      decodePayloads(SA, fromHex(`00000018 ${none} ${transform}`)),
    );
  });

  // RFC 7296 3.10
  test('an SPI of a size its protocol does not have is refused', () => {
    refuses('value', 'SA.proposal.SPI size', 10, () =>
      decodePayloads(SA, fromHex('00000012 0000000e 01030200 aabb 00000000')),
    );
  });

  test('lengths below their minimum are refused', () => {
    refuses('length', 'SA.proposal.length', 6, () =>
      decodePayloads(SA, fromHex('0000000c 00000007 01010000')),
    );
    refuses('length', 'SA.transform.length', 14, () =>
      decodePayloads(SA, fromHex('00000014 00000010 01010001 00000007 01000014')),
    );
  });

  test('no proposal is no SA payload', () => {
    refuses('truncated', 'SA.proposal.last', 4, () => decodePayloads(SA, fromHex('00000004')));
    assert.throws(() => encodePayloads([{ type: 'SA', proposals: [] }]), WireError);
  });
});

describe('other payloads', () => {
  // RFC 7296 3.4
  test('the key exchange data of a message are where they can be filled in', () => {
    const ke: Payload = { type: 'KE', group: 31, data: new Uint8Array(32) };
    const nonce: Payload = { type: 'Nonce', data: new Uint8Array(16).fill(0x11) };
    const octets = encodeIkeMessage({ header, payloads: [nonce, ke, notify(NotifyType.COOKIE)] });
    const data = new Uint8Array(32).fill(0x77);
    keyExchangeData(octets).set(data);
    const filled = encodeIkeMessage({
      header,
      payloads: [nonce, { ...ke, data }, notify(NotifyType.COOKIE)],
    });
    assert.equal(toHex(octets), toHex(filled));
    const without = encodeIkeMessage({ header, payloads: [nonce] });
    refuses('value', 'KE', without.length, () => keyExchangeData(without));
  });

  // RFC 7296 2.10, 3.9
  test('a nonce has 16 to 256 octets', () => {
    refuses('length', 'Nonce', 4, () => decodePayloads(Nonce, fromHex(`00000013 ${'00'.repeat(15)}`)));
    refuses('length', 'Nonce', 4, () => decodePayloads(Nonce, fromHex(`00000105 ${'00'.repeat(257)}`)));
    assert.throws(() => encodePayloads([{ type: 'Nonce', data: new Uint8Array(15) }]), WireError);
  });

  // RFC 7296 3.11
  test('a Delete whose count is not its SPIs is refused, also with SPIs of no octets', () => {
    refuses('truncated', 'D.SPI', 12, () => decodePayloads(D, fromHex('0000000c 03040002 aabbccdd')));
    refuses('trailing', 'D.SPI', 12, () => decodePayloads(D, fromHex('00000010 03040001 aabbccdd aabbccdd')));
    refuses('limit', 'D.SPI count', 8, () => decodePayloads(D, fromHex('00000008 0100ffff')));
    assert.deepEqual(decodePayloads(D, fromHex('00000008 01000000')), [
      { type: 'D', protocolId: 1, spiSize: 0, spis: [] },
    ]);
  });

  // RFC 7296 3.13.1
  test('an address range of the wrong length is refused; an unknown selector is kept with its second octet', () => {
    refuses('length', 'TSi.selector length', 10, () =>
      decodePayloads(TSi, fromHex('00000018 01000000 07000011 0000ffff 0a000000 0a0000ff')),
    );
    const octets = fromHex('0000000f 01000000 0a050007 aabbcc');
    const payloads = decodePayloads(TSi, octets);
    assert.deepEqual(payloads, [
      { type: 'TSi', selectors: [{ tsType: 10, protocol: 5, body: fromHex('aabbcc') }] },
    ]);
    assert.equal(toHex(encodePayloads(payloads).octets), toHex(octets));
  });

  // RFC 7296 3.15.1
  test('the reserved bit of a configuration attribute is ignored', () => {
    const [payload] = decodePayloads(CP, fromHex('0000000c 01ffffff 80030000'));
    assert.deepEqual(payload, {
      type: 'CP',
      cfgType: 1,
      attributes: [{ type: 3, value: new Uint8Array(0) }],
    });
  });

  // RFC 7296 3.16
  test('an EAP message has to fill its payload', () => {
    refuses('length', 'EAP.length', 4, () => decodePayloads(EAP, fromHex('00000009 01020004 01')));
    refuses('length', 'EAP.length', 4, () => decodePayloads(EAP, fromHex('00000006 0102')));
  });

  // RFC 7383 2.5
  test('a fragment number outside 1 to total is refused', () => {
    for (const numbers of ['00000001', '00020001', '00000000']) {
      const octets = encodeIkeMessage({
        header,
        payloads: [
          { type: 'SKF', firstPayload: 35, fragmentNumber: 1, totalFragments: 1, body: new Uint8Array(20) },
        ],
      });
      octets.set(fromHex(numbers), 32);
      refuses('value', 'SKF.fragment number', 32, () => decodeIkeMessage(octets));
    }
    assert.equal(SKF, 53);
  });
});

describe('limits', () => {
  const attributes = (count: number): Payload => ({
    type: 'SA',
    proposals: [
      {
        number: 1,
        protocolId: 1,
        spi: new Uint8Array(0),
        transforms: [
          { type: 1, id: 12, attributes: Array.from({ length: count }, () => ({ type: 14, value: 128 })) },
        ],
      },
    ],
  });
  const configuration = (count: number): Payload => ({
    type: 'CP',
    cfgType: 1,
    attributes: Array.from({ length: count }, () => ({ type: 1, value: new Uint8Array(0) })),
  });

  test('what stands at a limit can be written and read, one more cannot be written', () => {
    for (const [make, most] of [
      [attributes, ikeLimits.transformAttributes],
      [configuration, ikeLimits.configurationAttributes],
    ] as const) {
      const { firstPayload, octets } = encodePayloads([make(most)]);
      assert.deepEqual(decodePayloads(firstPayload, octets), [make(most)]);
      assert.throws(() => encodePayloads([make(most + 1)]), WireError);
    }
  });

  test('one element beyond a limit is refused where it starts', () => {
    const beyond = '800e0080'.repeat(17);
    refuses('limit', 'SA.attribute', 4 + 8 + 8 + 64, () =>
      decodePayloads(SA, fromHex(`00000058 00000054 01010001 0000004c 0100000c ${beyond}`)),
    );
    const length = (8 + 513 * 4).toString(16).padStart(4, '0');
    refuses('limit', 'CP.attribute', 8 + 512 * 4, () =>
      decodePayloads(CP, fromHex(`0000${length} 01000000 ${'00010000'.repeat(513)}`)),
    );
  });

  test('an identity that is longer than any name is refused', () => {
    const { IDi } = PayloadType;
    const identity = (bytes: number): Uint8Array => {
      const length = (8 + bytes).toString(16).padStart(4, '0');
      return fromHex(`0000${length} 02000000 ${'61'.repeat(bytes)}`);
    };
    assert.equal(decodePayloads(IDi, identity(ikeLimits.identityBytes)).length, 1);
    refuses('limit', 'IDi.data', 8, () => decodePayloads(IDi, identity(ikeLimits.identityBytes + 1)));
  });

  test('more transforms in all proposals together than any peer has are refused', () => {
    const proposals = (count: number): Payload => ({
      type: 'SA',
      proposals: Array.from({ length: count }, (_, i) => ({
        number: i + 1,
        protocolId: 1,
        spi: new Uint8Array(0),
        transforms: Array.from({ length: 128 }, () => ({ type: 1, id: 12, attributes: [] })),
      })),
    });
    const most = ikeLimits.transformsInAll / 128;
    const { firstPayload, octets } = encodePayloads([proposals(most)]);
    assert.deepEqual(decodePayloads(firstPayload, octets), [proposals(most)]);
    assert.throws(() => encodePayloads([proposals(most + 1)]), WireError);
    const rest = octets.subarray(4);
    const one = rest.slice(0, 8 + 128 * 8);
    const beyond = Uint8Array.from([0, 0, 0, 0, ...one, ...rest]);
    new DataView(beyond.buffer).setUint16(2, beyond.length);
    refuses('limit', 'SA.proposal.transform count', 4 + most * one.length + 7, () =>
      decodePayloads(firstPayload, beyond),
    );
  });

  test('more proposals than their number can count are refused', () => {
    const length = (4 + 256 * 8).toString(16).padStart(4, '0');
    refuses('limit', 'SA.proposal', 4 + 255 * 8, () =>
      decodePayloads(SA, fromHex(`0000${length} ${'0200000801010000'.repeat(256)}`)),
    );
  });
});

describe('sealed messages', () => {
  test('are laid out with final lengths before the body exists', () => {
    const { octets, aad, body } = encodeSealedMessage({ header, firstPayload: 41, bodyBytes: 30 });
    assert.deepEqual([octets.length, aad.length, body.length], [62, 32, 30]);
    body.fill(0x5a);
    const message = decodeIkeMessage(octets);
    assert.deepEqual(message.payloads, [
      { type: 'SK', firstPayload: 41, body: new Uint8Array(30).fill(0x5a) },
    ]);
    assert.equal(toHex(sealedPayload(message)?.aad ?? new Uint8Array(0)), toHex(aad));
  });

  test('the fragment numbers belong to the associated data, and only the first fragment names the payload inside', () => {
    for (const [fragmentNumber, inside] of [
      [1, 35],
      [2, 0],
    ] as const) {
      const fragment = { fragmentNumber, totalFragments: 2 };
      const { octets, aad } = encodeSealedMessage({ header, firstPayload: 35, bodyBytes: 25, fragment });
      assert.equal(aad.length, 36);
      const message = decodeIkeMessage(octets);
      assert.deepEqual(message.payloads, [
        { type: 'SKF', firstPayload: inside, ...fragment, body: new Uint8Array(25) },
      ]);
      assert.equal(sealedPayload(message)?.aad.length, 36);
    }
  });

  test('a body that no length field can hold is refused', () => {
    assert.throws(() => encodeSealedMessage({ header, firstPayload: 41, bodyBytes: 65_532 }), WireError);
  });

  test('a message without SK has no sealed payload', () => {
    const octets = encodeIkeMessage({ header, payloads: [notify(NotifyType.INVALID_IKE_SPI)] });
    assert.equal(sealedPayload(decodeIkeMessage(octets)), undefined);
  });
});

describe('names', () => {
  test('numbers without a name print with their kind', () => {
    assert.equal(notifyTypeName(14), 'NO_PROPOSAL_CHOSEN');
    assert.equal(notifyTypeName(40123), 'N(40123)');
    assert.equal(exchangeTypeName(34), 'IKE_SA_INIT');
    assert.equal(exchangeTypeName(99), 'EXCHANGE(99)');
    assert.equal(payloadTypeName(53), 'SKF');
    assert.equal(payloadTypeName(99), 'PAYLOAD(99)');
  });

  test('an empty response and unknown parts have a summary', () => {
    const response = { ...header, response: true, messageId: 3 };
    assert.equal(ikeMessageSummary({ header: response, payloads: [] }), 'INFORMATIONAL response 3 [ ]');
    const payloads: Payload[] = [
      notify(40123),
      { type: 'unknown', payloadType: 99, body: new Uint8Array(0) },
      { type: 'SKF', firstPayload: 0, fragmentNumber: 2, totalFragments: 3, body: new Uint8Array(0) },
    ];
    assert.equal(
      ikeMessageSummary({ header: response, payloads }),
      'INFORMATIONAL response 3 [ N(40123) PAYLOAD(99) SKF(2/3) ]',
    );
  });
});
