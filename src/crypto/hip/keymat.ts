// KEYMAT: the keys of a HIP association and of its ESP SAs, drawn in the order of the HITs (RFC 7401 6.5, RFC 7402 7).
import { type ChildSuite, isGreaterHit } from '#sa';
import { type Hit, hitBytes } from '#wire';
import { encryptionKeyBytes } from '../encryption/cipher-profile.ts';
import type { PacketKeys } from '../encryption/packet-cipher.ts';
import { CryptoError } from '../error.ts';
import { integrityKeyBytes } from '../integrity/integrity-algorithm.ts';
import { concatenate } from '../key-material/octets.ts';
import { wipe } from '../key-material/secrets.ts';
import { hmac } from '../prf/hmac.ts';
import { hipCipherKeyBytes } from './encrypted-parameters.ts';
import { type HitSuiteProfile, rhashOf } from './hit-suite.ts';

export interface HipKeymatInput {
  readonly initiator: Hit;
  /** Its HIT Suite says which hash is RHASH. */
  readonly responder: Hit;
  /** Kij as the key pair's `agree` gives it: of MODP groups with leading zeros, of curves X. */
  readonly sharedSecret: Uint8Array;
  /** #I and #J of the base exchange, both as long as RHASH. A rekeying uses the same. */
  readonly random: Uint8Array;
  readonly solution: Uint8Array;
}

/** The keys by which one host protects what it sends. */
export interface HipKeys {
  /** For ENCRYPTED; empty with NULL-ENCRYPT. */
  readonly encryption: Uint8Array;
  /** For HIP_MAC. */
  readonly integrity: Uint8Array;
}

/** Keys of both directions, and where in KEYMAT the next ones begin. */
export interface Drawn<Keys> {
  readonly initiator: Keys;
  readonly responder: Keys;
  readonly nextIndex: number;
}

/** The keying material of an association. It is endless up to `lengthMax` and made as it is drawn. */
export class HipKeymat {
  readonly #suite: HitSuiteProfile;
  readonly #initiatorIsGreater: boolean;
  /** HKDF's pseudorandom key (RFC 5869 2.2). */
  readonly #key: Uint8Array;
  readonly #info: Uint8Array;
  #alive = true;

  /** @throws CryptoError `unsupported` for a Responder of an unknown HIT Suite, `bad-length` for #I and #J not of RHASH */
  constructor(input: HipKeymatInput) {
    const { initiator, responder, random, solution } = input;
    this.#suite = rhashOf(responder);
    const { hash, hashBytes } = this.#suite;
    if (random.length !== hashBytes || solution.length !== hashBytes) {
      throw new CryptoError('bad-length', `#I and #J of ${random.length} and ${solution.length} octets`);
    }
    this.#initiatorIsGreater = isGreaterHit(initiator, responder);
    const [lesser, greater] = this.#initiatorIsGreater ? [responder, initiator] : [initiator, responder];
    this.#info = concatenate(hitBytes(lesser), hitBytes(greater));
    this.#key = hmac(hash, concatenate(random, solution), [input.sharedSecret]);
  }

  /** HKDF ends after 255 hashes, and the KEYMAT Index of ESP_INFO has 16 bits (RFC 7402 5.1.1). */
  get lengthMax(): number {
    return Math.min(255 * this.#suite.hashBytes, 0xffff);
  }

  /**
   * `count` octets from `index` on (RFC 5869 2.3).
   * @throws CryptoError `bad-length` beyond the end: the next keys need a new Diffie-Hellman exchange
   */
  read(index: number, count: number): Uint8Array {
    // A wiped key would give octets that everybody can compute.
    if (!this.#alive) throw new Error('this KEYMAT was destroyed');
    if (!Number.isInteger(index) || index < 0 || index + count > this.lengthMax) {
      throw new CryptoError('bad-length', `KEYMAT ends at ${this.lengthMax}, before ${index} + ${count}`);
    }
    const { hash, hashBytes } = this.#suite;
    const result = new Uint8Array(count);
    let block: Uint8Array = new Uint8Array(0);
    for (let i = 1; (i - 1) * hashBytes < index + count; i++) {
      const next = hmac(hash, this.#key, [block, this.#info, Uint8Array.of(i)]);
      wipe(block);
      block = next;
      const from = Math.max(0, index - (i - 1) * hashBytes);
      const at = (i - 1) * hashBytes + from - index;
      if (from < hashBytes) result.set(block.subarray(from, Math.min(hashBytes, from + count - at)), at);
    }
    wipe(block);
    return result;
  }

  /** HOST_g's keys first, then HOST_l's. */
  #inOrder<Keys>(index: number, draw: (take: (count: number) => Uint8Array) => Keys): Drawn<Keys> {
    let at = index;
    const take = (count: number): Uint8Array => {
      at += count;
      return this.read(at - count, count);
    };
    const greater = draw(take);
    const lesser = draw(take);
    const [initiator, responder] = this.#initiatorIsGreater ? [greater, lesser] : [lesser, greater];
    return { initiator, responder, nextIndex: at };
  }

  /**
   * The four keys of the association, from the beginning of KEYMAT: only in a base exchange (RFC 7402 7).
   * @throws CryptoError `unsupported` for an unknown cipher
   */
  drawHipKeys(cipher: number): Drawn<HipKeys> {
    const encryptionBytes = hipCipherKeyBytes(cipher);
    return this.#inOrder(0, (take) => ({
      encryption: take(encryptionBytes),
      integrity: take(this.#suite.hashBytes),
    }));
  }

  /**
   * The keys of a pair of ESP SAs, each direction under the name of its sender.
   * @param index the KEYMAT Index agreed on: `nextIndex` of the keys drawn before, or beyond
   * @throws CryptoError `unsupported`, or `bad-length` beyond the end of KEYMAT
   */
  drawEspKeys(suite: Pick<ChildSuite, 'encr' | 'integ'>, index: number): Drawn<PacketKeys> {
    const { encr, integ } = suite;
    const encryptionBytes = encr === undefined ? 0 : encryptionKeyBytes(encr);
    const integrityBytes = integ === undefined ? 0 : integrityKeyBytes(integ);
    return this.#inOrder(index, (take) => ({
      ...(encr !== undefined && { encryption: { ...encr, key: take(encryptionBytes) } }),
      ...(integ !== undefined &&
        integrityBytes > 0 && { integrity: { id: integ, key: take(integrityBytes) } }),
    }));
  }

  /** Wipes the secret. Drawing afterwards throws. */
  destroy(): void {
    this.#alive = false;
    wipe(this.#key);
  }
}
