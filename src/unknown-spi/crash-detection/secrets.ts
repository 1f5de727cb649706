// The secrets behind our tokens: up to four generations, stored before the first token leaves (RFC 6290 5.1).
import { digest, equalConstantTime, type Randomness, wipe } from '#crypto';
import type { IkeSpi } from '#wire';
import { makeToken, secretBytes } from './token.ts';

/** RFC 6290 5.1: the current one and up to three before it. */
export const generationsMax = 4;

const recordVersion = 1;
const checksumBytes = 8;

/** The key of the stored record. */
export const secretsRecordKey = 'qcd-secrets';

/** Secrets of the token maker, newest first. */
export class CrashDetectionSecrets {
  #secrets: Uint8Array[];

  private constructor(secrets: Uint8Array[]) {
    this.#secrets = secrets;
  }

  /** A first secret. */
  static fresh(randomness: Randomness): CrashDetectionSecrets {
    return new CrashDetectionSecrets([randomness.bytes(secretBytes)]);
  }

  /** What `record` wrote; `undefined` for anything else: half a secret is none. */
  static fromRecord(record: Uint8Array): CrashDetectionSecrets | undefined {
    const body = record.subarray(0, Math.max(0, record.length - checksumBytes));
    const count = body[1];
    if (body[0] !== recordVersion || count === undefined || count < 1 || count > generationsMax)
      return undefined;
    if (body.length !== 2 + count * secretBytes) return undefined;
    if (!equalConstantTime(record.subarray(body.length), checksum(body))) return undefined;
    return new CrashDetectionSecrets(
      Array.from({ length: count }, (_, i) => body.slice(2 + i * secretBytes, 2 + (i + 1) * secretBytes)),
    );
  }

  get generations(): number {
    return this.#secrets.length;
  }

  /** For storage that nobody else can read (RFC 6290 9.1). */
  record(): Uint8Array {
    const body = new Uint8Array(2 + this.#secrets.length * secretBytes);
    body.set([recordVersion, this.#secrets.length]);
    this.#secrets.forEach((secret, i) => {
      body.set(secret, 2 + i * secretBytes);
    });
    const record = new Uint8Array(body.length + checksumBytes);
    record.set(body);
    record.set(checksum(body), body.length);
    return record;
  }

  /** A new generation; the oldest beyond the fourth can no longer be proven with. Store the record before using it. */
  rotate(randomness: Randomness): void {
    this.#secrets.unshift(randomness.bytes(secretBytes));
    wipe(...this.#secrets.splice(generationsMax));
  }

  /** What goes to the peer under protection. */
  current(spis: { readonly initiatorSpi: IkeSpi; readonly responderSpi: IkeSpi }): Uint8Array {
    return makeToken(this.#secrets[0]!, spis);
  }

  /**
   * What proves to a peer that the IKE SA is forgotten: one token per generation, newest first. It must never be called for
   * an IKE SA that lives anywhere (RFC 6290 9.2): see `SpiFacts` and `IkeFacts`.
   */
  tokensFor(
    spis: { readonly initiatorSpi: IkeSpi; readonly responderSpi: IkeSpi },
    countMax: number,
  ): Uint8Array[] {
    return this.#secrets.slice(0, Math.max(0, countMax)).map((secret) => makeToken(secret, spis));
  }

  destroy(): void {
    wipe(...this.#secrets);
    this.#secrets = [];
  }
}

function checksum(body: Uint8Array): Uint8Array {
  return digest('sha256', body).subarray(0, checksumBytes);
}
