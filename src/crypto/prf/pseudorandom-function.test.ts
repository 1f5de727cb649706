// Known answers of all PRFs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prf } from '#sa';
import { CryptoError } from '../error.ts';
import { ascending, ascii, digits, hex } from '../testing/octets.ts';
import { pseudorandomFunction } from './pseudorandom-function.ts';

interface KnownAnswer {
  readonly source: string;
  readonly id: number;
  readonly key: Uint8Array;
  readonly data: Uint8Array;
  readonly output: string;
}

const repeated = (octet: number, count: number): Uint8Array => new Uint8Array(count).fill(octet);
const cmacKey = hex('2b7e151628aed2a6abf7158809cf4f3c');
const cmacMessage = hex(
  '6bc1bee22e409f96e93d7e117393172a ae2d8a571e03ac9c9eb76fac45af8e51 ' +
    '30c81c46a35ce411e5fbc1191a0a52ef f69f2445df4f9b17ad2b417be66c3710',
);

const knownAnswers: readonly KnownAnswer[] = [
  {
    source: 'RFC 2202 3, case 1',
    id: Prf.HMAC_SHA1,
    key: repeated(0x0b, 20),
    data: ascii('Hi There'),
    output: 'b617318655057264e28bc0b6fb378c8ef146be00',
  },
  {
    source: 'RFC 2202 3, case 2',
    id: Prf.HMAC_SHA1,
    key: ascii('Jefe'),
    data: ascii('what do ya want for nothing?'),
    output: 'effcdf6ae5eb2fa2d27416d5f184df9c259a7c79',
  },
  {
    source: 'RFC 2202 3, case 6 (key longer than a block)',
    id: Prf.HMAC_SHA1,
    key: repeated(0xaa, 80),
    data: ascii('Test Using Larger Than Block-Size Key - Hash Key First'),
    output: 'aa4ae5e15272d00e95705637ce8a3b55ed402112',
  },
  {
    source: 'RFC 4868 2.7.1, PRF-1 (RFC 4231 4.2)',
    id: Prf.HMAC_SHA2_256,
    key: repeated(0x0b, 20),
    data: ascii('Hi There'),
    output: 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
  },
  {
    source: 'RFC 4868 2.7.1, PRF-5 (RFC 4231 4.7)',
    id: Prf.HMAC_SHA2_256,
    key: repeated(0xaa, 131),
    data: ascii('Test Using Larger Than Block-Size Key - Hash Key First'),
    output: '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
  },
  {
    source: 'RFC 4868 2.7.1, PRF-1 (RFC 4231 4.2)',
    id: Prf.HMAC_SHA2_384,
    key: repeated(0x0b, 20),
    data: ascii('Hi There'),
    output:
      'afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6',
  },
  {
    source: 'RFC 4868 2.7.1, PRF-3 (RFC 4231 4.4)',
    id: Prf.HMAC_SHA2_384,
    key: repeated(0xaa, 20),
    data: repeated(0xdd, 50),
    output:
      '88062608d3e6ad8a0aa2ace014c8a86f0aa635d947ac9febe83ef4e55966144b2a5ab39dc13814b94e3ab6e101a34f27',
  },
  {
    source: 'RFC 4868 2.7.1, PRF-1 (RFC 4231 4.2)',
    id: Prf.HMAC_SHA2_512,
    key: repeated(0x0b, 20),
    data: ascii('Hi There'),
    output:
      '87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde' +
      'daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854',
  },
  {
    source: 'RFC 4868 2.7.1, PRF-2 (RFC 4231 4.3)',
    id: Prf.HMAC_SHA2_512,
    key: ascii('Jefe'),
    data: ascii('what do ya want for nothing?'),
    output:
      '164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554' +
      '9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737',
  },
  {
    source: 'RFC 3566 4.6, case 1 (empty message)',
    id: Prf.AES128_XCBC,
    key: ascending(0, 16),
    data: new Uint8Array(0),
    output: '75f0251d528ac01c4573dfd584d79f29',
  },
  {
    source: 'RFC 3566 4.6, case 2 (short block)',
    id: Prf.AES128_XCBC,
    key: ascending(0, 16),
    data: ascending(0, 3),
    output: '5b376580ae2f19afe7219ceef172756f',
  },
  {
    source: 'RFC 3566 4.6, case 3 (one full block)',
    id: Prf.AES128_XCBC,
    key: ascending(0, 16),
    data: ascending(0, 16),
    output: 'd2a246fa349b68a79998a4394ff7a263',
  },
  {
    source: 'RFC 3566 4.6, case 4',
    id: Prf.AES128_XCBC,
    key: ascending(0, 16),
    data: ascending(0, 20),
    output: '47f51b4564966215b8985c63055ed308',
  },
  {
    source: 'RFC 3566 4.6, case 5',
    id: Prf.AES128_XCBC,
    key: ascending(0, 16),
    data: ascending(0, 32),
    output: 'f54f0ec8d2b9f3d36807734bd5283fd4',
  },
  {
    source: 'RFC 4434 3 (short key)',
    id: Prf.AES128_XCBC,
    key: ascending(0, 10),
    data: ascending(0, 20),
    output: '0fa087af7d866e7653434e602fdde835',
  },
  {
    source: 'RFC 4434 3 (long key)',
    id: Prf.AES128_XCBC,
    key: hex('000102030405060708090a0b0c0d0e0f edcb'),
    data: ascending(0, 20),
    output: '8cd3c93ae598a9803006ffb67c40e9e4',
  },
  {
    source: 'RFC 4493 4, example 1 (empty message)',
    id: Prf.AES128_CMAC,
    key: cmacKey,
    data: new Uint8Array(0),
    output: 'bb1d6929e95937287fa37d129b756746',
  },
  {
    source: 'RFC 4493 4, example 2 (one full block)',
    id: Prf.AES128_CMAC,
    key: cmacKey,
    data: cmacMessage.subarray(0, 16),
    output: '070a16b46b4d4144f79bdd9dd04a287c',
  },
  {
    source: 'RFC 4493 4, example 3 (short block)',
    id: Prf.AES128_CMAC,
    key: cmacKey,
    data: cmacMessage.subarray(0, 40),
    output: 'dfa66747de9ae63030ca32611497c827',
  },
  {
    source: 'RFC 4493 4, example 4',
    id: Prf.AES128_CMAC,
    key: cmacKey,
    data: cmacMessage,
    output: '51f0bebf7e3b9d92fc49741779363cfe',
  },
  {
    source: 'RFC 4615 4 (long key)',
    id: Prf.AES128_CMAC,
    key: hex('000102030405060708090a0b0c0d0e0f edcb'),
    data: ascending(0, 20),
    output: '84a348a4a45d235babfffc0d2b4da09a',
  },
  {
    source: 'RFC 4615 4',
    id: Prf.AES128_CMAC,
    key: ascending(0, 16),
    data: ascending(0, 20),
    output: '980ae87b5f4c9c5214f5b6a8455e4c2d',
  },
  {
    source: 'RFC 4615 4 (short key)',
    id: Prf.AES128_CMAC,
    key: ascending(0, 10),
    data: ascending(0, 20),
    output: '290d9e112edb09ee141fcf64c0b72f3d',
  },
];

for (const { source, id, key, data, output } of knownAnswers) {
  test(`PRF ${id} answers as ${source} says, in one part or several, and leaves key and data alone`, () => {
    const prf = pseudorandomFunction(id);
    const keyBefore = digits(key);
    const dataBefore = digits(data);
    assert.equal(digits(prf.compute(key, data)), output);
    const middle = data.length >> 1;
    assert.equal(digits(prf.compute(key, data.subarray(0, middle), data.subarray(middle))), output);
    assert.equal(prf.outputBytes, output.length / 2);
    assert.equal(digits(key), keyBefore);
    assert.equal(digits(data), dataBefore);
  });
}

test('a PRF is keyed with as many octets as its output has', () => {
  for (const [id, keyBytes] of [
    [Prf.HMAC_SHA1, 20],
    [Prf.AES128_XCBC, 16],
    [Prf.HMAC_SHA2_256, 32],
    [Prf.HMAC_SHA2_384, 48],
    [Prf.HMAC_SHA2_512, 64],
    [Prf.AES128_CMAC, 16],
  ] as const) {
    assert.equal(pseudorandomFunction(id).keyBytes, keyBytes);
  }
});

test('PRF_HMAC_MD5 and unknown transform IDs are unsupported', () => {
  for (const id of [0, 1, 3, 9, 65535]) {
    assert.throws(
      () => pseudorandomFunction(id),
      (error) => error instanceof CryptoError && error.code === 'unsupported',
    );
  }
});
