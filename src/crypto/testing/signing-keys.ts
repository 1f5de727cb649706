// Keys of every kind that can sign, for the tests of signatures and randomness. Made anew for each run.
import { generateKeyPairSync, type KeyObject } from 'node:crypto';

export interface SigningKey {
  readonly name: string;
  readonly privateKey: KeyObject;
}

const curves = ['P-256', 'P-384', 'P-521', 'brainpoolP256r1', 'brainpoolP384r1', 'brainpoolP512r1'];

export const signingKeys: readonly SigningKey[] = [
  { name: 'RSA 2048', privateKey: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey },
  // 8n + 1 bits: the encoded message of PSS is an octet shorter than the modulus.
  { name: 'RSA 1025', privateKey: generateKeyPairSync('rsa', { modulusLength: 1025 }).privateKey },
  { name: 'RSA 1031', privateKey: generateKeyPairSync('rsa', { modulusLength: 1031 }).privateKey },
  ...curves.map((namedCurve) => ({
    name: namedCurve,
    privateKey: generateKeyPairSync('ec', { namedCurve }).privateKey,
  })),
  { name: 'Ed25519', privateKey: generateKeyPairSync('ed25519').privateKey },
  { name: 'Ed448', privateKey: generateKeyPairSync('ed448').privateKey },
];
