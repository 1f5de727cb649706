// Private key files: PKCS#1, PKCS#8, SEC1, encrypted PKCS#8 and the older encrypted PEM of OpenSSL.
import { createPrivateKey, type KeyObject, type PrivateKeyInput } from 'node:crypto';
import { DerReader } from '../asn1/der-reader.ts';
import { CryptoError } from '../error.ts';
import type { PrivateKey } from '../ports.ts';
import { privateKeyFromKeyObject } from '../signatures/private-key.ts';
import { isPem, type PemBlock, pemBlocks } from './pem.ts';

const DER_TYPE: ReadonlyMap<string, 'pkcs1' | 'pkcs8' | 'sec1'> = new Map([
  ['PRIVATE KEY', 'pkcs8'],
  ['ENCRYPTED PRIVATE KEY', 'pkcs8'],
  ['RSA PRIVATE KEY', 'pkcs1'],
  ['EC PRIVATE KEY', 'sec1'],
]);

/** Of PKCS#8: RSA, ECDSA, Ed25519, Ed448. */
const KNOWN_ALGORITHMS: ReadonlySet<string> = new Set([
  '1.2.840.113549.1.1.1',
  '1.2.840.10045.2.1',
  '1.3.101.112',
  '1.3.101.113',
]);

/**
 * The first private key of a file, PEM or DER.
 * @throws CryptoError `passphrase-needed`, `passphrase-wrong`, `unsupported` (an algorithm or file format no suite
 *   can use), `bad-key` (not a private key), `bad-pem`
 */
export function privateKeyFromPem(file: string | Uint8Array, passphrase?: string): PrivateKey {
  if (typeof file !== 'string' && !isPem(file)) return privateKeyFromKeyObject(keyFromDer(file, passphrase));
  const blocks = pemBlocks(typeof file === 'string' ? file : new TextDecoder().decode(file));
  const block = blocks.find(({ label }) => label.endsWith('PRIVATE KEY'));
  if (block === undefined) {
    const found = blocks.map(({ label }) => label).join(', ') || 'no PEM block';
    throw new CryptoError('bad-key', `not a private key: the file holds ${found}`);
  }
  const type = DER_TYPE.get(block.label);
  if (type === undefined)
    throw new CryptoError('unsupported', `line ${block.line}: ${block.label} is not supported`);
  const inArmor = block.headers?.get('Proc-Type')?.includes('ENCRYPTED') ?? false;
  if (inArmor) {
    return privateKeyFromKeyObject(
      decrypt(passphrase, (given) => ({ key: armor(block), format: 'pem', passphrase: given })),
    );
  }
  if (block.label === 'ENCRYPTED PRIVATE KEY') {
    return privateKeyFromKeyObject(decrypt(passphrase, (given) => derInput(block.der, type, given)));
  }
  if (type === 'pkcs8') assertKnownAlgorithm(block.der);
  return privateKeyFromKeyObject(open(derInput(block.der, type)));
}

function keyFromDer(der: Uint8Array, passphrase: string | undefined): KeyObject {
  for (const type of ['pkcs8', 'pkcs1', 'sec1'] as const) {
    try {
      return createPrivateKey(derInput(der, type));
    } catch (error) {
      if (opensslCode(error) === 'ERR_MISSING_PASSPHRASE') {
        return decrypt(passphrase, (given) => derInput(der, type, given));
      }
    }
  }
  assertKnownAlgorithm(der);
  throw new CryptoError('bad-key', 'not a private key');
}

function derInput(der: Uint8Array, type: 'pkcs1' | 'pkcs8' | 'sec1', passphrase?: string): PrivateKeyInput {
  // The types of node:crypto ask for a Buffer where any Uint8Array does.
  const key = der as PrivateKeyInput['key'];
  return passphrase === undefined ? { key, format: 'der', type } : { key, format: 'der', type, passphrase };
}

function decrypt(passphrase: string | undefined, input: (given: string) => PrivateKeyInput): KeyObject {
  if (passphrase === undefined) throw new CryptoError('passphrase-needed', 'the private key is encrypted');
  try {
    return createPrivateKey(input(passphrase));
  } catch (error) {
    // Not ERR_OSSL_UNSUPPORTED: so OpenSSL calls what it decrypted to garbage.
    if (/EVP_UNSUPPORTED|UNSUPPORTED_ENCRYPTION|UNSUPPORTED_CIPHER/.test(opensslCode(error))) {
      throw new CryptoError('unsupported', 'the private key is encrypted with an unsupported cipher');
    }
    // A wrong passphrase shows as bad padding or, once in a while, as garbage behind good padding.
    throw new CryptoError('passphrase-wrong', 'the passphrase does not open the private key');
  }
}

function open(input: PrivateKeyInput): KeyObject {
  try {
    return createPrivateKey(input);
  } catch {
    throw new CryptoError('bad-key', 'not a private key');
  }
}

/** OpenSSL has one error for octets that are no key and for algorithms it lacks; the identifier tells them apart. */
function assertKnownAlgorithm(der: Uint8Array): void {
  let algorithm: string;
  try {
    const fields = new DerReader(der).sequence('PrivateKeyInfo');
    fields.smallInteger('version');
    algorithm = fields.sequence('algorithm').objectIdentifier('algorithm');
  } catch {
    return;
  }
  if (!KNOWN_ALGORITHMS.has(algorithm)) {
    throw new CryptoError('unsupported', `private key of the unsupported algorithm ${algorithm}`);
  }
}

function opensslCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** The block as OpenSSL wants it back: only it knows how the headers say it is encrypted. */
function armor(block: PemBlock): string {
  let binary = '';
  for (const octet of block.der) binary += String.fromCharCode(octet);
  const headers = [...(block.headers ?? [])].map(([name, value]) => `${name}: ${value}\n`).join('');
  const body = btoa(binary).replace(/.{64}/g, '$&\n').trimEnd();
  return `-----BEGIN ${block.label}-----\n${headers}\n${body}\n-----END ${block.label}-----\n`;
}
