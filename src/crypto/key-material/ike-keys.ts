// The seven secrets of an IKE SA, from a key exchange (RFC 7296 2.14), a rekey (2.18) or a resumption (RFC 5723 5.1).
import type { IkeSuite } from '#sa';
import { Prf } from '#sa';
import { type IkeSpi, ikeSpiBytes } from '#wire';
import { encryptionKeyBytes } from '../encryption/cipher-profile.ts';
import { integrityKeyBytes } from '../integrity/integrity-algorithm.ts';
import { prfPlus } from '../prf/prf-plus.ts';
import { pseudorandomFunction } from '../prf/pseudorandom-function.ts';
import { concatenate } from './octets.ts';
import { wipe } from './secrets.ts';

/** RFC 7296 2.14. The encryption keys end with the salt where the cipher has one; `skAi`, `skAr` are empty with an AEAD. */
export interface IkeKeys {
  readonly skD: Uint8Array;
  readonly skAi: Uint8Array;
  readonly skAr: Uint8Array;
  readonly skEi: Uint8Array;
  readonly skEr: Uint8Array;
  readonly skPi: Uint8Array;
  readonly skPr: Uint8Array;
}

/** The IKE SA that a new one descends from: its SK_d and the PRF it negotiated. */
export interface FormerIkeSa {
  readonly skD: Uint8Array;
  readonly prf: number;
}

export interface IkeKeyInput {
  readonly suite: IkeSuite;
  readonly nonceInitiator: Uint8Array;
  readonly nonceResponder: Uint8Array;
  readonly initiatorSpi: IkeSpi;
  readonly responderSpi: IkeSpi;
  /** g^ir as the key pair's `agree` gives it. */
  readonly sharedSecret: Uint8Array;
  /** Present when the SA replaces an older one by CREATE_CHILD_SA. */
  readonly rekeyed?: FormerIkeSa;
}

/** @throws CryptoError `unsupported` */
export function deriveIkeKeys(input: IkeKeyInput): IkeKeys {
  return expand(input, input.rekeyed === undefined ? initialSeed(input) : rekeyedSeed(input, input.rekeyed));
}

/**
 * The keys of an SA resumed from a ticket: no key exchange, only fresh nonces.
 * @throws CryptoError `unsupported`
 */
export function deriveResumedIkeKeys(
  input: Omit<IkeKeyInput, 'sharedSecret' | 'rekeyed'> & { readonly resumed: FormerIkeSa },
): IkeKeys {
  const label = Uint8Array.from('Resumption', (character) => character.charCodeAt(0));
  const prf = pseudorandomFunction(input.resumed.prf);
  return expand(input, prf.compute(input.resumed.skD, label, input.nonceInitiator, input.nonceResponder));
}

function initialSeed(input: IkeKeyInput): Uint8Array {
  const prf = pseudorandomFunction(input.suite.prf);
  // RFC 7296 2.14: from the time when these two took keys of 16 octets only.
  const halves = prf.id === Prf.AES128_XCBC || prf.id === Prf.AES128_CMAC;
  const end = halves ? 8 : undefined;
  const key = concatenate(input.nonceInitiator.subarray(0, end), input.nonceResponder.subarray(0, end));
  return prf.compute(key, input.sharedSecret);
}

/** RFC 7296 2.18: the exchange belongs to the old SA, and so does the PRF of SKEYSEED; the rest uses the new one's. */
function rekeyedSeed(input: IkeKeyInput, former: FormerIkeSa): Uint8Array {
  const prf = pseudorandomFunction(former.prf);
  return prf.compute(former.skD, input.sharedSecret, input.nonceInitiator, input.nonceResponder);
}

function expand(input: Omit<IkeKeyInput, 'sharedSecret'>, skeyseed: Uint8Array): IkeKeys {
  const { suite } = input;
  const prf = pseudorandomFunction(suite.prf);
  const seed = concatenate(
    input.nonceInitiator,
    input.nonceResponder,
    ikeSpiBytes(input.initiatorSpi),
    ikeSpiBytes(input.responderSpi),
  );
  const integrityBytes = suite.integ === undefined ? 0 : integrityKeyBytes(suite.integ);
  const encryptionBytes = encryptionKeyBytes(suite.encr);
  const total = 3 * prf.keyBytes + 2 * integrityBytes + 2 * encryptionBytes;
  const keys = prfPlus(prf, skeyseed, seed, total);
  let at = 0;
  const take = (count: number): Uint8Array => {
    at += count;
    return keys.slice(at - count, at);
  };
  const result: IkeKeys = {
    skD: take(prf.keyBytes),
    skAi: take(integrityBytes),
    skAr: take(integrityBytes),
    skEi: take(encryptionBytes),
    skEr: take(encryptionBytes),
    skPi: take(prf.keyBytes),
    skPr: take(prf.keyBytes),
  };
  wipe(keys, skeyseed);
  return result;
}
