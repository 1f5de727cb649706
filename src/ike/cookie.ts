// Stateless cookies against floods of half-open IKE SAs (RFC 7296 2.6).
import type { Randomness } from '#crypto';
import type { Endpoint } from '#sa';
import type { IkeSpi } from '#wire';

const todo = (): never => {
  throw new Error('not written yet');
};

/** The parts of an IKE_SA_INIT request that a cookie binds. */
export interface CookieSubject {
  readonly initiatorSpi: IkeSpi;
  readonly source: Endpoint;
  /** Data of the Nonce payload. */
  readonly nonce: Uint8Array;
}

/** Makes and checks cookies; two generations of the secret are valid at any time. */
export class CookieIssuer {
  /** @param lifetimeMs how long a secret makes new cookies; its cookies are accepted up to twice as long */
  constructor(_randomness: Randomness, _lifetimeMs: number) {
    todo();
  }

  /** The data of a COOKIE notify. `at`: monotonic milliseconds. */
  issue(_at: number, _subject: CookieSubject): Uint8Array {
    return todo();
  }

  /** Whether this issuer made the cookie for the same subject not too long ago. */
  check(_at: number, _cookie: Uint8Array, _subject: CookieSubject): boolean {
    return todo();
  }
}
