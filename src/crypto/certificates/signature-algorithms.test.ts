// Algorithm identifiers of signatures: what is verified, and what is refused before verifying.
import assert from 'node:assert/strict';
import { constants, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { test } from 'node:test';
import { contextConstructed, DerReader, Tag } from '../asn1/der-reader.ts';
import { derElement, derObjectIdentifier } from '../asn1/der-writer.ts';
import { publicKeyFromSpki } from '../signatures/public-key.ts';
import { signatureProblem } from './signature-algorithms.ts';
import { readAlgorithmIdentifier } from './signed-object.ts';

const NULL = Uint8Array.of(Tag.NULL, 0);
const SHA256 = '2.16.840.1.101.3.4.2.1';
const SHA384 = '2.16.840.1.101.3.4.2.2';
const PSS = '1.2.840.113549.1.1.10';
const MGF1 = '1.2.840.113549.1.1.8';
const toBeSigned = new TextEncoder().encode('to be signed');

const sequence = (...parts: readonly Uint8Array[]) => derElement(Tag.SEQUENCE, ...parts);
const identifier = (algorithm: string, ...parameters: readonly Uint8Array[]) =>
  sequence(derObjectIdentifier(algorithm), ...parameters);

const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed25519 = generateKeyPairSync('ed25519');

function problem(algorithm: Uint8Array, signature: Uint8Array, publicKey: KeyObject): string | undefined {
  const signatureAlgorithm = readAlgorithmIdentifier(new DerReader(algorithm), 'algorithm');
  const key = publicKeyFromSpki(publicKey.export({ type: 'spki', format: 'der' }));
  return signatureProblem({ toBeSigned, signatureAlgorithm, signature }, key);
}

test('RSA takes NULL parameters or none, the others none', () => {
  const byRsa = sign('sha256', toBeSigned, rsa.privateKey);
  assert.equal(problem(identifier('1.2.840.113549.1.1.11', NULL), byRsa, rsa.publicKey), undefined);
  assert.equal(problem(identifier('1.2.840.113549.1.1.11'), byRsa, rsa.publicKey), undefined);
  assert.match(
    problem(identifier('1.2.840.113549.1.1.11', sequence()), byRsa, rsa.publicKey)!,
    /^uses unexpected parameters/,
  );
  const byEc = sign('sha512', toBeSigned, ec.privateKey);
  assert.equal(problem(identifier('1.2.840.10045.4.3.4'), byEc, ec.publicKey), undefined);
  assert.match(
    problem(identifier('1.2.840.10045.4.3.4', NULL), byEc, ec.publicKey)!,
    /^uses unexpected parameters/,
  );
  const byEd = sign(null, toBeSigned, ed25519.privateKey);
  assert.equal(problem(identifier('1.3.101.112'), byEd, ed25519.publicKey), undefined);
  assert.match(
    problem(identifier('1.3.101.112', NULL), byEd, ed25519.publicKey)!,
    /^uses unexpected parameters/,
  );
});

test('a key of another kind, another hash and another signature are refused', () => {
  const byRsa = sign('sha256', toBeSigned, rsa.privateKey);
  assert.equal(
    problem(identifier('1.2.840.10045.4.3.2'), byRsa, rsa.publicKey),
    "is of another kind than the issuer's key",
  );
  assert.equal(problem(identifier('1.2.840.113549.1.1.12', NULL), byRsa, rsa.publicKey), 'does not verify');
  assert.equal(
    problem(identifier('1.2.840.113549.1.1.11', NULL), byRsa.subarray(1), rsa.publicKey),
    'does not verify',
  );
  assert.equal(problem(identifier('1.2.840.10045.4.3.2'), new Uint8Array(), ec.publicKey), 'does not verify');
  assert.equal(problem(identifier('1.3.101.112'), new Uint8Array(64), ed25519.publicKey), 'does not verify');
});

test('MD5 and SHA-1 are refused even where they would verify', () => {
  const bySha1 = sign('sha1', toBeSigned, rsa.privateKey);
  assert.equal(
    problem(identifier('1.2.840.113549.1.1.5', NULL), bySha1, rsa.publicKey),
    'uses SHA-1, which is no longer accepted',
  );
  assert.equal(
    problem(identifier('1.2.840.113549.1.1.4', NULL), sign('md5', toBeSigned, rsa.privateKey), rsa.publicKey),
    'uses MD5, which is no longer accepted',
  );
  assert.equal(
    problem(identifier('1.2.840.10045.4.1'), sign('sha1', toBeSigned, ec.privateKey), ec.publicKey),
    'uses SHA-1, which is no longer accepted',
  );
});

test('an unknown algorithm is named', () => {
  assert.equal(
    problem(identifier('1.2.3.4'), new Uint8Array(64), rsa.publicKey),
    'uses the unsupported algorithm 1.2.3.4',
  );
});

test('RSASSA-PSS takes its hashes and salt length from the parameters', () => {
  const pss = (hash: string, mask: string, salt: number) =>
    identifier(
      PSS,
      sequence(
        derElement(contextConstructed(0), identifier(hash, NULL)),
        derElement(contextConstructed(1), identifier(MGF1, identifier(mask, NULL))),
        derElement(contextConstructed(2), derElement(Tag.INTEGER, Uint8Array.of(salt))),
      ),
    );
  const signature = (hash: string, saltLength: number) =>
    sign(hash, toBeSigned, { key: rsa.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });
  assert.equal(problem(pss(SHA256, SHA256, 32), signature('sha256', 32), rsa.publicKey), undefined);
  assert.equal(problem(pss(SHA384, SHA384, 20), signature('sha384', 20), rsa.publicKey), undefined);
  assert.equal(problem(pss(SHA256, SHA256, 20), signature('sha256', 32), rsa.publicKey), 'does not verify');
  assert.equal(problem(pss(SHA384, SHA384, 32), signature('sha256', 32), rsa.publicKey), 'does not verify');
  const refused = 'uses RSASSA-PSS with hashes that are not accepted';
  assert.equal(problem(pss(SHA256, SHA384, 32), signature('sha256', 32), rsa.publicKey), refused);
  assert.equal(
    problem(pss('1.3.14.3.2.26', '1.3.14.3.2.26', 20), signature('sha1', 20), rsa.publicKey),
    refused,
  );
  assert.equal(
    problem(identifier(PSS, sequence()), signature('sha1', 20), rsa.publicKey),
    refused,
    'the defaults',
  );
  assert.equal(problem(identifier(PSS), signature('sha1', 20), rsa.publicKey), refused);
  assert.match(
    problem(identifier(PSS, NULL), signature('sha1', 20), rsa.publicKey)!,
    /^uses RSASSA-PSS parameters/,
  );
});
