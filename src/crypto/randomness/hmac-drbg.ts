// HMAC_DRBG (NIST SP 800-90A 10.1.2), a generator whose output follows from its seed. RFC 6979 3.2 is the same machine.
import type { DigestName } from '../key-material/digest.ts';
import { concatenate } from '../key-material/octets.ts';
import { wipe } from '../key-material/secrets.ts';
import { hmac } from '../prf/hmac.ts';

export class HmacDrbg {
  readonly #hash: DigestName;
  #key: Uint8Array;
  #value: Uint8Array;

  constructor(hash: DigestName, outputBytes: number, seed: Uint8Array) {
    this.#hash = hash;
    this.#key = new Uint8Array(outputBytes);
    this.#value = new Uint8Array(outputBytes).fill(1);
    this.#update(Uint8Array.of(0), seed);
    this.#update(Uint8Array.of(1), seed);
  }

  #update(separator: Uint8Array, seed: Uint8Array): void {
    this.#key = hmac(this.#hash, this.#key, [this.#value, separator, seed]);
    this.#value = hmac(this.#hash, this.#key, [this.#value]);
  }

  /** The next octets; the state moves on so that it cannot give them away later. */
  generate(count: number): Uint8Array {
    const blocks: Uint8Array[] = [];
    for (let length = 0; length < count; length += this.#value.length) {
      this.#value = hmac(this.#hash, this.#key, [this.#value]);
      blocks.push(this.#value);
    }
    const whole = concatenate(...blocks);
    const result = whole.slice(0, count);
    wipe(whole);
    this.#update(Uint8Array.of(0), new Uint8Array(0));
    return result;
  }
}
