// The key pair object that all key exchange methods share: checks lengths, forgets the private value when told.
import { CryptoError } from '../error.ts';
import type { KeyPair } from '../ports.ts';

export class EphemeralKeyPair implements KeyPair {
  readonly group: number;
  readonly publicValue: Uint8Array;
  #agree: ((peer: Uint8Array) => Uint8Array) | undefined;

  /** @param agree holds the private value in its closure; gets peer values of the right length only */
  constructor(group: number, publicValue: Uint8Array, agree: (peer: Uint8Array) => Uint8Array) {
    this.group = group;
    this.publicValue = publicValue;
    this.#agree = agree;
  }

  agree(peerPublicValue: Uint8Array): Uint8Array {
    if (this.#agree === undefined) throw new Error('this key pair was destroyed');
    // RFC 7296 3.4: a value of another length than the group's is never padded or cut.
    if (peerPublicValue.length !== this.publicValue.length) {
      throw badPublicValue(this.group, `${peerPublicValue.length} octets`);
    }
    return this.#agree(peerPublicValue);
  }

  /** OpenSSL wipes the private value when the last reference to its key object is collected; this was the last. */
  destroy(): void {
    this.#agree = undefined;
  }
}

export function badPublicValue(group: number, reason: string): CryptoError {
  return new CryptoError('bad-public-value', `public value for group ${group}: ${reason}`);
}
