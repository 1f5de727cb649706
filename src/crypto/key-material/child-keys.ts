// KEYMAT: the keys of an ESP or AH SA pair (RFC 7296 2.17).
import type { ChildSuite } from '#sa';
import { encryptionKeyBytes } from '../encryption/cipher-profile.ts';
import type { PacketKeys } from '../encryption/packet-cipher.ts';
import { integrityKeyBytes } from '../integrity/integrity-algorithm.ts';
import { prfPlus } from '../prf/prf-plus.ts';
import { pseudorandomFunction } from '../prf/pseudorandom-function.ts';
import { concatenate } from './octets.ts';
import { wipe } from './secrets.ts';

export interface ChildKeyInput {
  /** PRF and SK_d of the IKE SA that the pair is negotiated in. */
  readonly prf: number;
  readonly skD: Uint8Array;
  readonly nonceInitiator: Uint8Array;
  readonly nonceResponder: Uint8Array;
  /** g^ir (new), if CREATE_CHILD_SA made a key exchange. */
  readonly sharedSecret?: Uint8Array;
  readonly suite: ChildSuite;
}

/** Initiator and responder of the exchange that made the pair, which need not be those of the IKE SA. */
export interface ChildKeys {
  /** For the SA that carries traffic from the initiator to the responder. */
  readonly initiator: PacketKeys;
  /** For the SA that carries traffic from the responder to the initiator. */
  readonly responder: PacketKeys;
}

/** @throws CryptoError `unsupported` */
export function deriveChildKeys(input: ChildKeyInput): ChildKeys {
  const { suite } = input;
  const encryptionBytes = suite.encr === undefined ? 0 : encryptionKeyBytes(suite.encr);
  const integrityBytes = suite.integ === undefined ? 0 : integrityKeyBytes(suite.integ);
  const seed = concatenate(
    input.sharedSecret ?? new Uint8Array(0),
    input.nonceInitiator,
    input.nonceResponder,
  );
  const prf = pseudorandomFunction(input.prf);
  const keymat = prfPlus(prf, input.skD, seed, 2 * (encryptionBytes + integrityBytes));
  let at = 0;
  const take = (count: number): Uint8Array => {
    at += count;
    return keymat.slice(at - count, at);
  };
  // In this order: initiator to responder first, and within an SA encryption before integrity.
  const direction = (): PacketKeys => {
    const packetKeys: { -readonly [Name in keyof PacketKeys]: PacketKeys[Name] } = {};
    if (suite.encr !== undefined) {
      const { id, keyLengthBits } = suite.encr;
      packetKeys.encryption = { id, keyLengthBits, key: take(encryptionBytes) };
    }
    if (suite.integ !== undefined && integrityBytes > 0) {
      packetKeys.integrity = { id: suite.integ, key: take(integrityBytes) };
    }
    return packetKeys;
  };
  const keys = { initiator: direction(), responder: direction() };
  wipe(keymat, seed);
  return keys;
}
