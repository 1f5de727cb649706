// Stateless cookies against floods of half-open IKE SAs (RFC 7296 2.6).
import { digest, equalConstantTime, type Randomness } from '#crypto';
import { addressBytes, type Endpoint } from '#sa';
import { type IkeSpi, ikeSpiBytes } from '#wire';

/** The parts of an IKE_SA_INIT request that a cookie binds. */
export interface CookieSubject {
  readonly initiatorSpi: IkeSpi;
  readonly source: Endpoint;
  /** Data of the Nonce payload. */
  readonly nonce: Uint8Array;
}

const secretBytes = 32;
/** A version octet and half of a SHA-256: forging one is beyond anybody who could also flood the other way. */
const cookieBytes = 17;

interface Generation {
  readonly version: number;
  readonly secret: Uint8Array;
  readonly since: number;
}

/** Makes and checks cookies, without memory of any request. Two generations of the secret are valid at any time. */
export class CookieIssuer {
  readonly #randomness: Randomness;
  readonly #lifetimeMs: number;
  #current: Generation | undefined;
  #previous: Generation | undefined;

  /** @param lifetimeMs how long a secret makes new cookies; its cookies are accepted up to twice as long */
  constructor(randomness: Randomness, lifetimeMs: number) {
    this.#randomness = randomness;
    this.#lifetimeMs = lifetimeMs;
  }

  /** The data of a COOKIE notify. `at`: monotonic milliseconds. */
  issue(at: number, subject: CookieSubject): Uint8Array {
    this.#expire(at);
    const generation = this.#current ?? this.#begin(at);
    return cookieOf(generation, subject);
  }

  /** Whether this issuer made the cookie for the same subject not too long ago. */
  check(at: number, cookie: Uint8Array, subject: CookieSubject): boolean {
    this.#expire(at);
    const generation = [this.#current, this.#previous].find((known) => known?.version === cookie[0]);
    return generation !== undefined && equalConstantTime(cookieOf(generation, subject), cookie);
  }

  #begin(at: number): Generation {
    const version = ((this.#previous?.version ?? -1) + 1) & 0xff;
    this.#current = { version, secret: this.#randomness.bytes(secretBytes), since: at };
    return this.#current;
  }

  #expire(at: number): void {
    if (this.#current !== undefined && at - this.#current.since >= this.#lifetimeMs) {
      this.#previous?.secret.fill(0);
      this.#previous = this.#current;
      this.#current = undefined;
    }
    if (this.#previous !== undefined && at - this.#previous.since >= 2 * this.#lifetimeMs) {
      this.#previous.secret.fill(0);
      this.#previous = undefined;
    }
  }
}

/** Version | hash(Ni | IPi | port | SPIi | secret), as RFC 7296 2.6 recommends, with the port beside the address. */
function cookieOf(generation: Generation, subject: CookieSubject): Uint8Array {
  const { address, port } = subject.source;
  const hash = digest(
    'sha256',
    // Lengths keep the parts apart: a nonce that ends like an address must not stand for another address.
    Uint8Array.of(subject.nonce.length >>> 8, subject.nonce.length),
    subject.nonce,
    addressBytes(address),
    Uint8Array.of(port >>> 8, port),
    ikeSpiBytes(subject.initiatorSpi),
    generation.secret,
  );
  const cookie = new Uint8Array(cookieBytes);
  cookie[0] = generation.version;
  cookie.set(hash.subarray(0, cookieBytes - 1), 1);
  return cookie;
}
