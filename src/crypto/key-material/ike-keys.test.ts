// Keys of IKE SAs against an independent derivation in Python (hmac, and the cryptography package's AES and CMAC).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Encr, type IkeSuite, Integ, Ke, Prf } from '#sa';
import type { IkeSpi } from '#wire';
import { CryptoError } from '../error.ts';
import { ascending, digits } from '../testing/octets.ts';
import { deriveIkeKeys, deriveResumedIkeKeys, type IkeKeyInput, type IkeKeys } from './ike-keys.ts';

const exchange = {
  nonceInitiator: ascending(0x10, 32),
  nonceResponder: ascending(0x40, 24),
  initiatorSpi: '0123456789abcdef' as IkeSpi,
  responderSpi: 'fedcba9876543210' as IkeSpi,
};
const sharedSecret = ascending(0x80, 32);
const formerSkD = ascending(0xc0, 32);

const inDigits = (keys: IkeKeys): Record<string, string> =>
  Object.fromEntries(Object.entries(keys).map(([name, octets]) => [name, digits(octets)]));

const answers: readonly {
  name: string;
  suite: IkeSuite;
  rekeyed?: NonNullable<IkeKeyInput['rekeyed']>;
  keys: Record<string, string>;
}[] = [
  {
    name: 'AES-256-CBC, HMAC-SHA-256',
    suite: {
      encr: { id: Encr.AES_CBC, keyLengthBits: 256 },
      prf: Prf.HMAC_SHA2_256,
      integ: Integ.HMAC_SHA2_256_128,
      ke: Ke.ECP_256,
    },
    keys: {
      skD: '1fa15faf8ccaa9aeb4f02690e3eb3242c17d3c2373c986a6a3181047b9c96627',
      skAi: 'c5146bab818f403d2fdf505f247b74682e6e11880e0dcef01c3f6bc8ef56780e',
      skAr: 'adf1b8ecb2a2475739f204cc4e96bee5351e039a41dd30d10aa09ad668966e06',
      skEi: '453f37b3795db466c68318c96b97841cfcf131128ee6ec9ddca4d22e336573f4',
      skEr: 'e37c0b9353682655ccdd94392efc45d6c0bba6174be9802a1313c3a9e6ea312d',
      skPi: 'b39d347b170b5d2064f765c2a7a2f11b3576e237407231ab0f6e41f8be97f664',
      skPr: 'a3a3973fb1c2164dd392b7b0d4401ea08e936991c538dcf0f3347dad5c4bd934',
    },
  },
  {
    name: 'AES-XCBC as PRF, keyed with 64 bits of each nonce (RFC 7296 2.14)',
    suite: {
      encr: { id: Encr.AES_CBC, keyLengthBits: 128 },
      prf: Prf.AES128_XCBC,
      integ: Integ.AES_XCBC_96,
      ke: Ke.MODP_2048,
    },
    keys: {
      skD: 'cf68d0efd5c03ea1b74935150e8cebba',
      skAi: '735f0a0e49748fbfda5d4afc54e820ce',
      skAr: '169359bfeed09e19fe75b5d603047fe1',
      skEi: '5a0a8d8e6b5bc44fe57a106ecf641d91',
      skEr: 'f3a520ed4bb68dc78ba1ce557b263324',
      skPi: 'f99c167f187dea6f1dd641db4eb82227',
      skPr: '66f2203db3662fdafb737de76c5c1f3f',
    },
  },
  {
    name: 'AES-CMAC as PRF, AES-128-GCM with its salt and without SK_a',
    suite: { encr: { id: Encr.AES_GCM_16, keyLengthBits: 128 }, prf: Prf.AES128_CMAC, ke: Ke.CURVE25519 },
    keys: {
      skD: '6e01425a5caf4970e175f438756887f9',
      skAi: '',
      skAr: '',
      skEi: 'e663d5ad5e8546c9d993c25c3ded38b7751cec08',
      skEr: 'a21e152b235f498ad6a8d5e90cdbb9e2fc26ec9f',
      skPi: '27981c988b7c89317a81ab80f9a6c23b',
      skPr: 'c6548a21718e2ea39a07a23d210e4473',
    },
  },
  {
    name: 'rekeyed from an SA with PRF HMAC-SHA-256 to one with HMAC-SHA-512',
    suite: { encr: { id: Encr.AES_GCM_16, keyLengthBits: 256 }, prf: Prf.HMAC_SHA2_512, ke: Ke.CURVE25519 },
    rekeyed: { skD: formerSkD, prf: Prf.HMAC_SHA2_256 },
    keys: {
      skD:
        'da0d0d13faeb49ad1eb5782630224ff98d5d7b91e6c570976fae739df285963b' +
        'b72fe47cb32fa4062c74efa652e0b90da9004f1dac3f54c6f580587259640604',
      skAi: '',
      skAr: '',
      skEi: '79fa343c1ab528051f66deff209639a2310fb64ed0bb8edfc02de92cc4e913a42ba45fa2',
      skEr: 'a45dc9792fc4c60b8b9d064b0844d34188d44eb1f28da370f6e02d96e2662627a16eda0b',
      skPi:
        '25389d3121ae6bc4640a4e0a0cbedb38d3fb13ce3810199491732631f1ad2b0e' +
        '713c3771eef6e0aaac47e1221f2f9d43049aa943617098de1e82fdbf930c362b',
      skPr:
        '6819a359ec3f1d856c707a01de94db6c40b0391dba5462f5c12d9f3853ce7748' +
        '6f6146a98747657756a8244b17b9f7f4618a04c1c5dbcd7a636fc61d5932ae93',
    },
  },
];

for (const { name, suite, rekeyed, keys } of answers) {
  test(`IKE SA keys: ${name}`, () => {
    const input = { suite, ...exchange, sharedSecret, ...(rekeyed && { rekeyed }) };
    assert.deepEqual(inDigits(deriveIkeKeys(input)), keys);
    assert.deepEqual(sharedSecret, ascending(0x80, 32));
    assert.deepEqual(formerSkD, ascending(0xc0, 32));
  });
}

test('IKE SA keys: resumed from a ticket of an SA with PRF HMAC-SHA-256 (RFC 5723 5.1)', () => {
  const suite = {
    encr: { id: Encr['3DES'], keyLengthBits: 192 },
    prf: Prf.HMAC_SHA1,
    integ: Integ.HMAC_SHA1_96,
    ke: Ke.MODP_2048,
  };
  const keys = deriveResumedIkeKeys({
    suite,
    ...exchange,
    resumed: { skD: formerSkD, prf: Prf.HMAC_SHA2_256 },
  });
  assert.deepEqual(inDigits(keys), {
    skD: '2ae1cfd0c58b7ed790fcad950b04957db391a524',
    skAi: 'c9923504ecff3eaf54d03ae6b7cd7c50a6faf299',
    skAr: '044d6761639992c38b024306800ca29b09dfeb6e',
    skEi: 'ecb3bc3a7eba2763877123a6d0f46629593458349d53fd20',
    skEr: '80f74d64b92c93bbf448412ae596503e17cee9cec4409538',
    skPi: '936e4978463c8706e43c7c23428e4cdf6fa54564',
    skPr: '68dca8c77111665742123eade8e5428ff549e1e3',
  });
});

test('each key has memory of its own, so that wiping one leaves the others', () => {
  const { suite } = answers[0]!;
  const keys = Object.values(deriveIkeKeys({ suite, ...exchange, sharedSecret }));
  assert.equal(new Set(keys.map((octets) => octets.buffer)).size, keys.length);
});

test('a suite with an algorithm nobody knows is unsupported', () => {
  const { suite } = answers[0]!;
  for (const strange of [
    { ...suite, prf: 1 },
    { ...suite, integ: 1 },
    { ...suite, encr: { id: 2, keyLengthBits: 64 } },
  ]) {
    assert.throws(
      () => deriveIkeKeys({ suite: strange, ...exchange, sharedSecret }),
      (error) => error instanceof CryptoError && error.code === 'unsupported',
    );
  }
});
