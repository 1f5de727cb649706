// Known answers of the combined-mode ciphers, where they exist as whole ESP packets or IKE messages.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Encr } from '#sa';
import { ascending, digits, hex } from '../testing/octets.ts';
import { cipherProfile } from './cipher-profile.ts';
import { CombinedModeCipher } from './combined-mode-cipher.ts';
import { packetCipher } from './packet-cipher.ts';

interface KnownAnswer {
  readonly source: string;
  readonly id: number;
  readonly key: Uint8Array;
  readonly aad: Uint8Array;
  readonly iv: Uint8Array;
  readonly plaintext: Uint8Array;
  readonly ciphertext: string;
  readonly icv: string;
}

/** Test case 3 and its longer-keyed relatives of McGrew and Viega, "The Galois/Counter Mode of Operation", B. */
const gcmKey = 'feffe9928665731c6d6a8f9467308308';
const gcmSalt = 'cafebabe';
const gcmIv = hex('facedbaddecaf888');
const gcmPlaintext = hex(
  'd9313225f88406e5a55909c5aff5269a 86a7a9531534f7da2e4c303d8a318a72 ' +
    '1c3c0c95956809532fcf0e2449a6b525 b16aedf5aa0de657ba637b391aafd255',
);
const gcmCiphertext =
  '42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e' +
  '21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091473f5985';
const gcmAad = hex('feedfacedeadbeeffeedfacedeadbeef abaddad2');

/** RFC 7634, appendices A and B. */
const chachaKey = hex('808182838485868788898a8b8c8d8e8f 909192939495969798999a9b9c9d9e9f a0a1a2a3');

const knownAnswers: readonly KnownAnswer[] = [
  {
    source: 'draft-mcgrew-gcm-test-01 4, first GCM case: an ESP packet with extended sequence numbers',
    id: Encr.AES_GCM_16,
    key: hex('4c80cdefbb5d10da906ac73c3613a634 2e443b68'),
    aad: hex('00004321 8765432100000000'),
    iv: hex('4956ed7e3b244cfe'),
    plaintext: hex(
      '45000048699a000080114db7c0a80102 c0a801010a9bf15638d3010000010000 ' +
        '00000000045f736970045f7564700373 69700963796265726369747902646b00 0021000101020201',
    ),
    ciphertext:
      'fecf537e729d5b07dc30df528dd22b768d1b98736696a6fd348509fa13ceac34' +
      'cfa2436f14a3f3cf65925bf1f4a13c5d15b21e1884f5ff6247aeabb786b93bce61bc17d768fd9732',
    icv: '459018148f6cbe722fd04796562dfdb4',
  },
  {
    source: 'GCM specification, test case 3, tag truncated',
    id: Encr.AES_GCM_8,
    key: hex(gcmKey + gcmSalt),
    aad: new Uint8Array(0),
    iv: gcmIv,
    plaintext: gcmPlaintext,
    ciphertext: gcmCiphertext,
    icv: '4d5c2af327cd64a6',
  },
  {
    source: 'GCM specification, test case 3, tag truncated',
    id: Encr.AES_GCM_12,
    key: hex(gcmKey + gcmSalt),
    aad: new Uint8Array(0),
    iv: gcmIv,
    plaintext: gcmPlaintext,
    ciphertext: gcmCiphertext,
    icv: '4d5c2af327cd64a62cf35abd',
  },
  {
    source: 'GCM specification, test case 4',
    id: Encr.AES_GCM_16,
    key: hex(gcmKey + gcmSalt),
    aad: gcmAad,
    iv: gcmIv,
    plaintext: gcmPlaintext.subarray(0, 60),
    ciphertext: gcmCiphertext.slice(0, 120),
    icv: '5bc94fbc3221a5db94fae95ae7121a47',
  },
  {
    source: 'GCM specification, test case 9',
    id: Encr.AES_GCM_16,
    key: hex(`${gcmKey} feffe9928665731c ${gcmSalt}`),
    aad: new Uint8Array(0),
    iv: gcmIv,
    plaintext: gcmPlaintext,
    ciphertext:
      '3980ca0b3c00e841eb06fac4872a2757859e1ceaa6efd984628593b40ca1e19c' +
      '7d773d00c144c525ac619d18c84a3f4718e2448b2fe324d9ccda2710acade256',
    icv: '9924a7c8587336bfb118024db8674a14',
  },
  {
    source: 'GCM specification, test case 16',
    id: Encr.AES_GCM_16,
    key: hex(gcmKey + gcmKey + gcmSalt),
    aad: gcmAad,
    iv: gcmIv,
    plaintext: gcmPlaintext.subarray(0, 60),
    ciphertext:
      '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa' +
      '8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662',
    icv: '76fc6ece0f4e1768cddf8853bb2d551b',
  },
  {
    source: 'NIST CAVS, as in the rfc4309 vectors of Linux (crypto/testmgr.h)',
    id: Encr.AES_CCM_16,
    key: hex('83ac5466c2ebe5052e01d1fc5d82662e 96ac59'),
    aad: new Uint8Array(0),
    iv: hex('3007a1e2a2c75524'),
    plaintext: hex('19c881f6e986ff930b7867e5bbb7fc6e 8377b3a60c8c9f9c352eade062f991a1'),
    ciphertext: 'ab6fe1691d1999a892a0c46f7ee28bb170bb8ca64c6e978a572bbe5d98a6b132',
    icv: 'da24ead9a13998fda4bed9f21a6d22a8',
  },
  {
    source: 'NIST CAVS, as in the rfc4309 vectors of Linux: nothing to encrypt',
    id: Encr.AES_CCM_16,
    key: hex('f46bc27562feb4e1a3f0ffdd4e4b1275 531473668d88f680 a02035'),
    aad: hex('5b9e1367025eefc16cf9d71e528f7a47 e9d4cf20146ef02dd89e2b56102356e7'),
    iv: hex('26f2218d5020dae2'),
    plaintext: new Uint8Array(0),
    ciphertext: '',
    icv: '36ea7a7008dc6abcad0c7a63f661fd9b',
  },
  {
    source: 'NIST CAVS, as in the rfc4309 vectors of Linux',
    id: Encr.AES_CCM_8,
    key: hex('e08d997160d7971abd0199d58adf713a d3df244b5e3d4b4e307ab9d8530a5e2b 1e2991'),
    aad: hex('19b61f57c4f3f08b782b9402290f4227 6b75cb9834087e79e43e490d848b2287'),
    iv: hex('ad8ec1530acf2dbe'),
    plaintext: hex('e1d9d813eb3a753f9dbd5f66bedcbb66 bf1799624a39271f1ddc24ae192f984c'),
    ciphertext: '19b86133452b43966f51d020307d9bc6263df8c96516a89ff0621734f21e8d75',
    icv: '4e13ccc0c32a542d',
  },
  {
    source: 'NIST CAVS, as in the rfc4309 vectors of Linux',
    id: Encr.AES_CCM_12,
    key: hex('7cc8183b8d99e07c4541b8bd5ca7c232 8ab80259a4fea92c09759a9b3c9b2739 f9d94e'),
    aad: hex('57f56b8b575c3d3b1302010c834c9635 8ed639cf7d149b94b03936e68f57e013'),
    iv: hex('63b53d9d43f61e50'),
    plaintext: hex('3b6c2936b6ef07a68372074fcffa6689 5fcab1bad58f2c2730db750993d465e4'),
    ciphertext: 'b0885a33aae5c71d8523c7c62ff41e3dcc63442507784f9e96b888ebbc481f06',
    icv: '39af39acd84a80397b728af7',
  },
  {
    source: 'draft-mcgrew-gcm-test-01 4, GMAC case: the IV is authenticated',
    id: Encr.NULL_AUTH_AES_GMAC,
    key: hex('4c80cdefbb5d10da906ac73c3613a634 22433c64'),
    aad: hex('00004321 00000007'),
    iv: new Uint8Array(8),
    plaintext: hex(
      '45000030da3a00008001df3bc0a80005 c0a800010800c6cd0200070061626364 ' +
        '65666768696a6b6c6d6e6f7071727374 01020201',
    ),
    ciphertext:
      '45000030da3a00008001df3bc0a80005c0a800010800c6cd0200070061626364' +
      '65666768696a6b6c6d6e6f707172737401020201',
    icv: 'f2a9a836e155106aa8dcd618e4099aaa',
  },
  {
    source: 'RFC 7634, appendix A: an ESP packet',
    id: Encr.CHACHA20_POLY1305,
    key: chachaKey,
    aad: hex('01020304 00000005'),
    iv: ascending(0x10, 8),
    plaintext: hex(
      '45000054a6f200004001e778c6336405 c000020508005b7a3a080000553bec10 ' +
        '0007362708090a0b0c0d0e0f10111213 1415161718191a1b1c1d1e1f20212223 ' +
        '2425262728292a2b2c2d2e2f30313233 3435363701020204',
    ),
    ciphertext:
      '24039428b97f417e3c13753a4f05087b67c352e6a7fab1b982d466ef407ae5c6' +
      '14ee8099d52844eb61aa95dfab4c02f72aa71e7c4c4f64c9befe2facc638e8f3' +
      'cbec163fac469b502773f6fb94e664da9165b82829f641e0',
    icv: '76aaa8266b7fb0f7b11b369907e1ad43',
  },
  {
    source: 'RFC 7634, appendix B: an IKE message',
    id: Encr.CHACHA20_POLY1305,
    key: chachaKey,
    aad: hex('c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d7 2e202500000000090000004529000029'),
    iv: ascending(0x10, 8),
    plaintext: hex('0000000c000040010000000a00'),
    ciphertext: '610394701f8d017f7c12924889',
    icv: '6b71bfe25236efd7cdc67066906315b2',
  },
];

/** Salt octets by cipher, independent of the table under test. */
const saltBytes = (id: number): number => (id >= Encr.AES_CCM_8 && id <= Encr.AES_CCM_16 ? 3 : 4);

for (const { source, id, key, aad, iv, plaintext, ciphertext, icv } of knownAnswers) {
  const keyLengthBits = 8 * (key.length - saltBytes(id));
  test(`cipher ${id} with ${keyLengthBits} bits seals and opens as ${source} says`, () => {
    const cipher = packetCipher({ encryption: { id, keyLengthBits, key } });
    const text = plaintext.slice();
    const tag = new Uint8Array(cipher.icvBytes);
    cipher.seal({ aad, iv, text, icv: tag });
    assert.equal(digits(text), ciphertext);
    assert.equal(digits(tag), icv);
    assert.equal(cipher.open({ aad, iv, text, icv: tag }), true);
    assert.equal(digits(text), digits(plaintext));
  });
}

test('a destroyed combined-mode cipher has wiped its key and salt, and refuses to go on', () => {
  const profile = cipherProfile(Encr.AES_GCM_16);
  assert.ok(profile);
  const keyMaterial = ascending(1, 36);
  const cipher = new CombinedModeCipher(profile, 256, keyMaterial);
  const fields = {
    aad: ascending(0, 8),
    iv: ascending(0, 8),
    text: ascending(0, 16),
    icv: new Uint8Array(16),
  };
  cipher.seal(fields);
  cipher.destroy();
  assert.deepEqual(keyMaterial, new Uint8Array(36));
  assert.throws(() => cipher.seal(fields), /destroyed/);
  assert.throws(() => cipher.open(fields), /destroyed/);
  cipher.destroy();
});
