// Private key files of every kind that OpenSSL and strongSwan write, and what is said about the rest.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Tag } from '../asn1/der-reader.ts';
import { derElement, derObjectIdentifier } from '../asn1/der-writer.ts';
import { KEY_FILES, moon } from '../certificates/testing/fixtures.ts';
import { CryptoError, type CryptoErrorCode } from '../error.ts';
import { pemBlocks } from './pem.ts';
import { privateKeyFromPem } from './private-key-file.ts';

type File = keyof typeof KEY_FILES;

const derOf = (file: File): Uint8Array =>
  pemBlocks(KEY_FILES[file]).find(({ label }) => label.endsWith('KEY'))!.der;

function refusal(file: string | Uint8Array, passphrase?: string): CryptoErrorCode | 'read' {
  try {
    privateKeyFromPem(file, passphrase);
    return 'read';
  } catch (error) {
    assert.ok(error instanceof CryptoError, String(error));
    return error.code;
  }
}

const PLAIN = {
  'rsa-pkcs1': 'rsa',
  'rsa-pkcs8': 'rsa',
  'ec-sec1': 'ecdsa',
  'ec-pkcs8': 'ecdsa',
  'ed25519-pkcs8': 'ed25519',
  'ed448-pkcs8': 'ed448',
} as const;
const ENCRYPTED = {
  'rsa-pkcs1-encrypted': 'rsa',
  'rsa-pkcs8-encrypted': 'rsa',
  'ec-sec1-encrypted': 'ecdsa',
} as const;

for (const [file, kind] of Object.entries(PLAIN) as [File, string][]) {
  test(`${file} is read as text, octets of text, and DER`, () => {
    const fromText = privateKeyFromPem(KEY_FILES[file]);
    assert.equal(fromText.publicKey.kind, kind);
    const fromOctets = privateKeyFromPem(new TextEncoder().encode(KEY_FILES[file]));
    assert.deepEqual(fromOctets.publicKey.spki, fromText.publicKey.spki);
    assert.deepEqual(privateKeyFromPem(derOf(file)).publicKey.spki, fromText.publicKey.spki);
  });
}

for (const [file, kind] of Object.entries(ENCRYPTED) as [File, string][]) {
  test(`${file} opens with its passphrase and with nothing else`, () => {
    assert.equal(privateKeyFromPem(KEY_FILES[file], 'passphrase').publicKey.kind, kind);
    assert.equal(refusal(KEY_FILES[file]), 'passphrase-needed');
    assert.equal(refusal(KEY_FILES[file], 'wrong'), 'passphrase-wrong');
    assert.equal(refusal(KEY_FILES[file], ''), 'passphrase-wrong');
  });
}

test('a wrong passphrase that happens to leave good padding is still a wrong passphrase', () => {
  // Found by trial for these very files: one in 256 passphrases decrypts to garbage that OpenSSL then calls unsupported.
  assert.equal(refusal(KEY_FILES['rsa-pkcs1-encrypted'], 'x6'), 'passphrase-wrong');
  assert.equal(refusal(KEY_FILES['ec-sec1-encrypted'], 'x197'), 'passphrase-wrong');
  assert.equal(refusal(KEY_FILES['rsa-pkcs8-encrypted'], 'x156'), 'passphrase-wrong');
});

test('a cipher that OpenSSL lacks is unsupported, with any passphrase', () => {
  for (const cipher of ['DES-CBC,0011223344556677', 'NO-SUCH-CIPHER,0011223344556677']) {
    const file = KEY_FILES['rsa-pkcs1-encrypted'].replace(/DEK-Info: .*/, `DEK-Info: ${cipher}`);
    assert.equal(refusal(file, 'passphrase'), 'unsupported', cipher);
  }
});

test('a key of an algorithm that OpenSSL lacks is unsupported and named', () => {
  const mlDsa = derElement(
    Tag.SEQUENCE,
    derElement(Tag.INTEGER, Uint8Array.of(0)),
    derElement(Tag.SEQUENCE, derObjectIdentifier('2.16.840.1.101.3.4.3.18')),
    derElement(Tag.OCTET_STRING, new Uint8Array(32)),
  );
  assert.throws(
    () => privateKeyFromPem(mlDsa),
    (error) =>
      error instanceof CryptoError &&
      error.code === 'unsupported' &&
      error.message === 'private key of the unsupported algorithm 2.16.840.1.101.3.4.3.18',
  );
  const pem = `-----BEGIN PRIVATE KEY-----\n${btoa(String.fromCharCode(...mlDsa))}\n-----END PRIVATE KEY-----\n`;
  assert.equal(refusal(pem), 'unsupported');
});

test('encrypted PKCS#8 opens as DER too', () => {
  const der = derOf('rsa-pkcs8-encrypted');
  assert.equal(privateKeyFromPem(der, 'passphrase').publicKey.kind, 'rsa');
  assert.equal(refusal(der), 'passphrase-needed');
  assert.equal(refusal(der, 'wrong'), 'passphrase-wrong');
});

test('an encrypted file holds the same key as the plain one', () => {
  const plain = privateKeyFromPem(KEY_FILES['rsa-pkcs1']).publicKey.spki;
  assert.deepEqual(privateKeyFromPem(KEY_FILES['rsa-pkcs1-encrypted'], 'passphrase').publicKey.spki, plain);
  assert.deepEqual(privateKeyFromPem(KEY_FILES['rsa-pkcs8-encrypted'], 'passphrase').publicKey.spki, plain);
});

test('a passphrase that is not needed does no harm', () => {
  assert.equal(privateKeyFromPem(KEY_FILES['rsa-pkcs8'], 'passphrase').publicKey.kind, 'rsa');
});

test('what is no private key is told from what is not supported', () => {
  assert.equal(refusal(KEY_FILES['ec-public']), 'bad-key');
  assert.equal(refusal(moon), 'bad-key');
  assert.equal(refusal(''), 'bad-key');
  assert.equal(refusal(Uint8Array.of(1, 2, 3)), 'bad-key');
  assert.equal(refusal(pemBlocks(moon)[0]!.der), 'bad-key');
  assert.equal(refusal('-----BEGIN PRIVATE KEY-----\nAAEC\n-----END PRIVATE KEY-----\n'), 'bad-key');
  assert.equal(refusal(KEY_FILES['x25519-pkcs8']), 'unsupported');
  assert.equal(
    refusal('-----BEGIN OPENSSH PRIVATE KEY-----\nAAEC\n-----END OPENSSH PRIVATE KEY-----\n'),
    'unsupported',
  );
  assert.equal(refusal(KEY_FILES['ec-pkcs8-des'], 'passphrase'), 'unsupported');
  assert.equal(refusal('-----BEGIN PRIVATE KEY-----\nAAEC\n'), 'bad-pem');
});

test('the certificate in front of a key is skipped', () => {
  assert.equal(privateKeyFromPem(`${moon}${KEY_FILES['ed25519-pkcs8']}`).publicKey.kind, 'ed25519');
});
