// Key files in every spelling that is about, and what is said of lines that are none.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Encr, Integ } from '#sa';
import { parseKeyFile } from './key-file.ts';
import { KeyRing } from './key-ring.ts';

const ikeFields =
  '0123456789ABCDEF,fedcba9876543210,00112233,44556677,"AES-CBC-128 [RFC3602]",aa,bb,"HMAC_SHA2_256_128 [RFC4868]"';
const espFields =
  '"IPv4","192.0.2.1","192.0.2.2","0xc0ffee01","AES-CBC [RFC3602]","0x000102030405060708090a0b0c0d0e0f","HMAC-SHA-256-128 [RFC4868]","0xaabb"';

test('a key log, a table of tshark as it is, and its options give the same', () => {
  for (const [ike, esp] of [
    [`ikev2_decryption_table ${ikeFields}`, `esp_sa ${espFields}`],
    [ikeFields, espFields],
    [`uat:ikev2_decryption_table:${ikeFields}`, `uat:esp_sa:${espFields}`],
    [ikeFields, `${espFields},"32-bit"`],
  ] as const) {
    const file = parseKeyFile(`# a comment\n\n${ike}\r\n${esp}\n`);
    assert.deepEqual(file.problems, []);
    assert.equal(file.ike[0]?.initiatorSpi, '0123456789abcdef');
    assert.deepEqual(file.ike[0]?.algorithms, {
      encryption: { id: Encr.AES_CBC, keyLengthBits: 128 },
      integrity: Integ.HMAC_SHA2_256_128,
    });
    assert.deepEqual(file.ike[0]?.skEr, Uint8Array.of(0x44, 0x55, 0x66, 0x77));
    assert.equal(file.esp[0]?.spi, 0xc0ffee01);
    assert.deepEqual(file.esp[0]?.algorithms.encryption, { id: Encr.AES_CBC, keyLengthBits: 128 });
    assert.deepEqual(file.esp[0]?.integrityKey, Uint8Array.of(0xaa, 0xbb));
  }
});

test('keys that are empty, wildcards, and ciphers of their own integrity', () => {
  const file = parseKeyFile(
    [
      'ikev2_decryption_table 0123456789abcdef,fedcba9876543210,00,11,"AES-GCM-256 with 16 octet ICV [RFC5282]",,,"NONE [RFC4306]"',
      `esp_sa "IPv6","*","2001:db8::1","0x00000100","ChaCha20 with Poly1305 [RFC7634]","0x${'00'.repeat(36)}","NULL",""`,
      'esp_sa "IPv4","*","*","0x100","NULL","","HMAC-SHA-1-96 [RFC2404]","0x00"',
    ].join('\n'),
  );
  assert.deepEqual(file.problems, []);
  assert.deepEqual(file.ike[0]?.algorithms, { encryption: { id: Encr.AES_GCM_16, keyLengthBits: 256 } });
  assert.equal(file.esp[0]?.source, undefined);
  assert.deepEqual(file.esp[1]?.algorithms, { integrity: Integ.HMAC_SHA1_96 });
});

test('what is no key is left out, with its line', () => {
  const file = parseKeyFile(
    [
      'nonsense',
      ikeFields.replace('AES-CBC-128', 'ROT13'),
      espFields.replace('0xc0ffee01', 'spi'),
      ikeFields.replace('0011', 'zz'),
    ].join('\n'),
  );
  assert.deepEqual(
    file.problems.map(({ line, problem }) => [line, problem]),
    [
      [1, '1 fields, where keys of an IKE SA have 8'],
      [2, 'no encryption algorithm ROT13 [RFC3602]'],
      [3, 'spi is no SPI'],
      [4, 'a key that is not hexadecimal'],
    ],
  );
});

test('any text gives a file, and any file a ring of keys that opens or does not', () => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom(ikeFields, espFields),
    fc.string().map((text) => espFields.replace('AES', text)),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 5 }), (lines) => {
      const file = parseKeyFile(lines.join('\n'));
      const ring = new KeyRing(file);
      ring.ike('0123456789abcdef', 'fedcba9876543210');
      ring.esp(0xc0ffee01, '192.0.2.2' as never);
    }),
  );
});

test('a key that does not fit its algorithm opens nothing', () => {
  const ring = new KeyRing(parseKeyFile(`${ikeFields}\n${espFields}`));
  assert.equal(ring.ike('0123456789abcdef', 'fedcba9876543210'), undefined);
  assert.equal(ring.esp(0xc0ffee01, '192.0.2.2' as never), undefined);
});
