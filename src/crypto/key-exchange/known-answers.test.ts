// Known answers of all key exchange methods.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { Ke } from '#sa';
import type { KeyPair } from '../ports.ts';
import { digits, hex } from '../testing/octets.ts';
import { keyExchangeMethod } from './key-exchange-method.ts';

/** The key pair with this private value. */
function pairOf(group: number, privateValue: Uint8Array): KeyPair {
  return keyExchangeMethod(group).derive((count) => {
    assert.equal(count, privateValue.length);
    return privateValue.slice();
  });
}

const knownAnswers = [
  {
    source: 'RFC 5903 8.1',
    group: Ke.ECP_256,
    privateI: 'C88F01F5 10D9AC3F 70A292DA A2316DE5 44E9AAB8 AFE84049 C62A9C57 862D1433',
    privateR: 'C6EF9C5D 78AE012A 011164AC B397CE20 88685D8F 06BF9BE0 B283AB46 476BEE53',
    publicI:
      'DAD0B653 94221CF9 B051E1FE CA5787D0 98DFE637 FC90B9EF 945D0C37 72581180 ' +
      '5271A046 1CDB8252 D61F1C45 6FA3E59A B1F45B33 ACCF5F58 389E0577 B8990BB3',
    publicR:
      'D12DFB52 89C8D4F8 1208B702 70398C34 2296970A 0BCCB74C 736FC755 4494BF63 ' +
      '56FBF3CA 366CC23E 8157854C 13C58D6A AC23F046 ADA30F83 53E74F33 039872AB',
    shared: 'D6840F6B 42F6EDAF D13116E0 E1256520 2FEF8E9E CE7DCE03 812464D0 4B9442DE',
  },
  {
    source: 'RFC 5903 8.2',
    group: Ke.ECP_384,
    privateI:
      '099F3C70 34D4A2C6 99884D73 A375A67F 7624EF7C 6B3C0F16 0647B674 14DCE655 E35B5380 41E649EE 3FAEF896 783AB194',
    privateR:
      '41CB0779 B4BDB85D 47846725 FBEC3C94 30FAB46C C8DC5060 855CC9BD A0AA2942 E0308312 916B8ED2 960E4BD5 5A7448FC',
    publicI:
      '667842D7 D180AC2C DE6F74F3 7551F557 55C7645C 20EF73E3 1634FE72 B4C55EE6 DE3AC808 ACB4BDB4 C88732AE E95F41AA ' +
      '9482ED1F C0EEB9CA FC498462 5CCFC23F 65032149 E0E144AD A0241815 35A0F38E EB9FCFF3 C2C947DA E69B4C63 4573A81C',
    publicR:
      'E558DBEF 53EECDE3 D3FCCFC1 AEA08A89 A987475D 12FD950D 83CFA417 32BC509D 0D1AC43A 0336DEF9 6FDA41D0 774A3571 ' +
      'DCFBEC7A ACF31964 72169E83 8430367F 66EEBE3C 6E70C416 DD5F0C68 759DD1FF F83FA401 42209DFF 5EAAD96D B9E6386C',
    shared:
      '11187331 C279962D 93D60424 3FD592CB 9D0A926F 422E4718 7521287E 7156C5C4 D6031355 69B9E9D0 9CF5D4A2 70F59746',
  },
  {
    source: 'RFC 5903 8.3',
    group: Ke.ECP_521,
    privateI:
      '0037 ADE9319A 89F4DABD B3EF411A ACCCA512 3C61ACAB 57B5393D CE476081 72A095AA ' +
      '85A30FE1 C2952C67 71D937BA 9777F595 7B2639BA B072462F 68C27A57 382D4A52',
    privateR:
      '0145 BA99A847 AF43793F DD0E872E 7CDFA16B E30FDC78 0F97BCCC 3F078380 201E9C67 ' +
      '7D600B34 3757A3BD BF2A3163 E4C2F869 CCA7458A A4A4EFFC 311F5CB1 51685EB9',
    publicI:
      '0015417E 84DBF28C 0AD3C278 713349DC 7DF153C8 97A1891B D98BAB43 57C9ECBE E1E3BF42 E00B8E38 0AEAE57C ' +
      '2D107564 94188594 2AF5A7F4 601723C4 195D176C ED3E ' +
      '017CAE20 B6641D2E EB695786 D8C94614 6239D099 E18E1D5A 514C739D 7CB4A10A D8A78801 5AC405D7 799DC75E ' +
      '7B7D5B6C F2261A6A 7F150743 8BF01BEB 6CA3926F 9582',
    publicR:
      '00D0B397 5AC4B799 F5BEA16D 5E13E9AF 971D5E9B 984C9F39 728B5E57 39735A21 9B97C356 436ADC6E 95BB0352 ' +
      'F6BE64A6 C2912D4E F2D0433C ED2B6171 640012D9 460F ' +
      '015C6822 6383956E 3BD066E7 97B623C2 7CE0EAC2 F551A10C 2C724D98 52077B87 220B6536 C5C408A1 D2AEBB8E ' +
      '86D678AE 49CB5709 1F473229 6579AB44 FCD17F0F C56A',
    shared:
      '01144C7D 79AE6956 BC8EDB8E 7C787C45 21CB086F A64407F9 7894E5E6 B2D79B04 D1427E73 CA4BAA24 0A347868 ' +
      '59810C06 B3C715A3 A8CC3151 F2BEE417 996D19F3 DDEA',
  },
  {
    source: 'RFC 6932 A.2 and RFC 7027 A.1',
    group: Ke.BRAINPOOL_256,
    privateI: '81db1ee100150ff2 ea338d708271be38 300cb54241d79950 f77b063039804f1d',
    privateR: '55e40bc41e37e3e2 ad25c3c6654511ff a8474a91a0032087 593852d3e7d76bd3',
    publicI:
      '44106e913f92bc02 a1705d9953a8414d b95e1aaa49e81d9e 85f929a8e3100be5 ' +
      '8ab4846f11caccb7 3ce49cbdd120f5a9 00a69fd32c272223 f789ef10eb089bdc',
    publicR:
      '8d2d688c6cf93e11 60ad04cc4429117d c2c41825e1e9fca0 addd34e6f1b39f7b ' +
      '990c57520812be51 2641e47034832106 bc7d3e8dd0e4c7f1 136d7006547cec6a',
    shared: '89afc39d41d3b327 814b80940b042590 f96556ec91e6ae79 39bce31f3a18bf2b',
  },
  {
    source: 'RFC 6932 A.3 and RFC 7027 A.2',
    group: Ke.BRAINPOOL_384,
    privateI:
      '1e20f5e048a5886f 1f157c74e91bde2b 98c8b52d58e5003d 57053fc4b0bd65d6 f15eb5d1ee1610df 870795143627d042',
    privateR:
      '032640bc6003c592 60f7250c3db58ce6 47f98e1260acce4a cda3dd869f74e01f 8ba5e0324309db6a 9831497abac96670',
    publicI:
      '68b665dd91c19580 0650cdd363c625f4 e742e8134667b767 b1b476793588f885 ab698c852d4a6e77 a252d6380fcaf068 ' +
      '55bc91a39c9ec01d ee36017b7d673a93 1236d2f1f5c83942 d049e3fa20607493 e0d038ff2fd30c2a b67d15c85f7faa59',
    publicR:
      '4d44326f269a597a 5b58bba565da5556 ed7fd9a8a9eb76c2 5f46db69d19dc8ce 6ad18e404b15738b 2086df37e71d1eb4 ' +
      '62d692136de56cbe 93bf5fa3188ef58b c8a3a0ec6c1e151a 21038a42e9185329 b5b275903d192f8d 4e1f32fe9cc78c48',
    shared:
      '0bd9d3a7ea0b3d51 9d09d8e48d0785fb 744a6b355e6304bc 51c229fbbce239bb adf6403715c35d4f b2a5444f575d4f42',
  },
  {
    source: 'RFC 6932 A.4 and RFC 7027 A.3',
    group: Ke.BRAINPOOL_512,
    privateI:
      '16302ff0dbbb5a8d 733dab7141c1b45a cbc8715939677f6a 56850a38bd87bd59 ' +
      'b09e80279609ff33 3eb9d4c061231fb2 6f92eeb04982a5f1 d1764cad57665422',
    privateR:
      '230e18e1bcc88a36 2fa54e4ea3902009 292f7f8033624fd4 71b5d8ace49d12cf ' +
      'abbc19963dab8e2f 1eba00bffb29e4d7 2d13f2224562f405 cb80503666b25429',
    publicI:
      '0a420517e406aac0 acdce90fcd714877 18d3b953efd7fbec 5f7f27e28c614999 ' +
      '9397e91e029e0645 7db2d3e640668b39 2c2a7e737a7f0bf0 4436d11640fd09fd ' +
      '72e6882e8db28aad 36237cd25d580db2 3783961c8dc52dfa 2ec138ad472a0fce ' +
      'f3887cf62b623b2a 87de5c588301ea3e 5fc269b373b60724 f5e82a6ad147fde7',
    publicR:
      '9d45f66de5d67e2e 6db6e93a59ce0bb4 8106097ff78a081d e781cdb31fce8ccb ' +
      'aaea8dd4320c4119 f1e9cd437a2eab37 31fa9668ab268d87 1deda55a5473199f ' +
      '2fdc313095bcdd5f b3a91636f07a959c 8e86b5636a1e930e 8396049cb481961d ' +
      '365cc11453a06c71 9835475b12cb52fc 3c383bce35e27ef1 94512b71876285fa',
    shared:
      'a7927098655f1f99 76fa50a9d566865d c530331846381c87 256baf3226244b76 ' +
      'd36403c024d7bbf0 aa0803eaff405d3d 24f11a9b5c0bef67 9fe1454b21c4cd1f',
  },
  {
    source: 'RFC 7748 6.1',
    group: Ke.CURVE25519,
    privateI: '77076d0a7318a57d 3c16c17251b26645 df4c2f87ebc0992a b177fba51db92c2a',
    privateR: '5dab087e624a8a4b 79e17f8b83800ee6 6f3bb1292618b6fd 1c2f8b27ff88e0eb',
    publicI: '8520f0098930a754 748b7ddcb43ef75a 0dbf3a0d26381af4 eba4a98eaa9b4e6a',
    publicR: 'de9edb7d7b7dc1b4 d35b61c2ece43537 3f8343c85b78674d adfc7e146f882b4f',
    shared: '4a5d9d5ba4ce2de1 728e3bf480350f25 e07e21c947d19e33 76f09b3c1e161742',
  },
  {
    source: 'RFC 8031, appendix A',
    group: Ke.CURVE25519,
    privateI: '751fb4308655b476 b6789b7325f9ea8c ddd16a58533ff6d9 e60009464a5f9d94',
    privateR: '0a54645253290d60 ddadd0e030bacd9e 5501efdc220755a1 e978f1b839a05688',
    publicI: '48d5ddd4061257ba 166fa3f9bbdb74f1 a4e81c089384fa77 f790709f0dfbc766',
    publicR: '0be7c1f5aad87d7e 448662673298a443 478b859745179eaf 564c79c0ef6eee25',
    shared: 'c74950607a12327f 3204d94b6825bfb0 68b7f8319a9e3708 ed3d43ce8130c950',
  },
  {
    source: 'RFC 7748 6.2',
    group: Ke.CURVE448,
    privateI:
      '9a8f4925d1519f57 75cf46b04b5800d4 ee9ee8bae8bc5565 d498c28dd9c9baf5 74a9419744897391 006382a6f127ab1d 9ac2d8c0a598726b',
    privateR:
      '1c306a7ac2a0e2e0 990b294470cba339 e6453772b075811d 8fad0d1d6927c120 bb5ee8972b0d3e21 374c9c921b09d1b0 366f10b65173992d',
    publicI:
      '9b08f7cc31b7e3e6 7d22d5aea121074a 273bd2b83de09c63 faa73d2c22c5d9bb c836647241d953d4 0c5b12da88120d53 177f80e532c41fa0',
    publicR:
      '3eb7a829b0cd20f5 bcfc0b599b6feccf 6da4627107bdb0d4 f345b43027d8b972 fc3e34fb4232a13c a706dcb57aec3dae 07bdc1c67bf33609',
    shared:
      '07fff4181ac6cc95 ec1c16a94a0f74d1 2da232ce40a77552 281d282bb60c0b56 fd2464c335543936 521c24403085d59a 449a5037514a879d',
  },
];

for (const { source, group, privateI, privateR, publicI, publicR, shared } of knownAnswers) {
  test(`group ${group} gives the values of ${source}`, () => {
    const initiator = pairOf(group, hex(privateI));
    const responder = pairOf(group, hex(privateR));
    assert.equal(initiator.group, group);
    assert.equal(digits(initiator.publicValue), digits(hex(publicI)));
    assert.equal(digits(responder.publicValue), digits(hex(publicR)));
    assert.equal(digits(initiator.agree(hex(publicR))), digits(hex(shared)));
    assert.equal(digits(responder.agree(hex(publicI))), digits(hex(shared)));
  });
}

/**
 * SHA-256 of public values and shared secret, computed by Python's pow with primes computed from pi by the formulas of
 * RFC 3526. The private exponents are written out below.
 */
const modularAnswers = [
  {
    group: Ke.MODP_2048,
    bytes: 256,
    exponentBytes: 32,
    publicI: 'f080f3ba53af3707b159b2a9083277ad52a6587c704c7efa11a6be3dd7c5b9f1',
    publicR: 'a83bb29e01258fe4edf9c4c1139212ea5dc747ff269369d6cc219c99936a8b5c',
    shared: '86a78938c51cb0f9605d480cd38587a54fc25afd12f9ebd69c2f37d83c13f6a4',
  },
  {
    group: Ke.MODP_3072,
    bytes: 384,
    exponentBytes: 36,
    publicI: '0a12daf6f4b802dcc56aca1beace63f0203be3e218b941ccccb7fdb8b089b70e',
    publicR: '6a340c42b822998dabf4be4c7af8678c13a7e4b553ddf1474723a9cc7048239b',
    shared: 'a522efa25dd5da841cf3b4cd567b7f3262f2f0c909ae77a9b79670cc78bd3ca5',
  },
  {
    group: Ke.MODP_4096,
    bytes: 512,
    exponentBytes: 40,
    publicI: 'a5fbed34b99694af1c433705c0bd966e311fd8c67c43699bd95524ba9e12195f',
    publicR: '9d00ea9a14632624efaedb42e88e09e3253903ca12f21813b40db2198ccfb4b2',
    shared: 'bce8b368b7b4298dcb5e2c75c3a51bf4e74f8cfb64c9a1a77aa1ef61f5047b86',
  },
  {
    group: Ke.MODP_6144,
    bytes: 768,
    exponentBytes: 44,
    publicI: '6ba4053a6cad4045d5c8b47e322a5f0024075f1c9f3ea8eb3402d1fa8c438e88',
    publicR: 'd2ed71f08dc9cd849301ea8613faada809cb63948c05c15b75dcf7f429953c76',
    shared: '5fb5d271a3d7731a09bb1ec691873464a6b63be8e187dc2017eaea0f83f7a485',
  },
  {
    group: Ke.MODP_8192,
    bytes: 1024,
    exponentBytes: 50,
    publicI: '6d4be50af18e00448376ab0490986f67e921105a0c5fe91fd6bebc1ec998d8ef',
    publicR: '4f8e7ad40b05f74907a1b0d80137f4644dbbf576b8b9e08bda2e4a5ba187bfe4',
    shared: 'b4ee1fca108e504fd0088fe04c9d13c4f83a322181a9109c0778940ab67aafd6',
  },
];

const sha256 = (octets: Uint8Array): string => createHash('sha256').update(octets).digest('hex');

for (const { group, bytes, exponentBytes, publicI, publicR, shared } of modularAnswers) {
  test(`group ${group} gives the same values as Python with primes made from pi`, () => {
    const initiator = pairOf(
      group,
      Uint8Array.from({ length: exponentBytes }, (_, i) => 7 * i + 0x81),
    );
    const responder = pairOf(
      group,
      Uint8Array.from({ length: exponentBytes }, (_, i) => 11 * i + 0x93),
    );
    assert.equal(initiator.publicValue.length, bytes);
    assert.equal(sha256(initiator.publicValue), publicI);
    assert.equal(sha256(responder.publicValue), publicR);
    assert.equal(sha256(initiator.agree(responder.publicValue)), shared);
    assert.equal(sha256(responder.agree(initiator.publicValue)), shared);
  });
}

test('short numbers are padded with zeros to the length of the prime (RFC 7296 2.14)', () => {
  // The exponents 2^255 + 94 and 2^255 + 131 were searched for with Python: 2^a and g^ir begin with a zero octet.
  const exponent = (last: number): Uint8Array => {
    const octets = new Uint8Array(32);
    octets[0] = 0x80;
    octets[31] = last;
    return octets;
  };
  const shortPublic = pairOf(Ke.MODP_2048, exponent(94)).publicValue;
  assert.equal(shortPublic.length, 256);
  assert.equal(shortPublic[0], 0);
  const initiator = pairOf(
    Ke.MODP_2048,
    Uint8Array.from({ length: 32 }, (_, i) => 7 * i + 0x81),
  );
  const responder = pairOf(Ke.MODP_2048, exponent(131));
  const secret = responder.agree(initiator.publicValue);
  assert.equal(secret.length, 256);
  assert.equal(secret[0], 0);
  assert.deepEqual(initiator.agree(responder.publicValue), secret);
  assert.equal(responder.agree(shortPublic).length, 256);
});
