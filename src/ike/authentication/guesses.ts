// What an IKE SA of a gateway asks before it says whether a secret is the right one: each answer tells a guesser something.
import type { Identity } from '../configuration.ts';

/** Somebody wants to be held against a secret. */
export interface SecretTry {
  /** Whose secret: the user (EAP), or the initiator (pre-shared key). */
  readonly user: Identity;
  /** IDi: what the machine calls itself, which whoever guesses from elsewhere does not know. */
  readonly machine: Identity;
  readonly secret: 'password' | 'pre-shared-key';
}

export type TryAdmission =
  | { readonly kind: 'judge' }
  /** To be judged in so many milliseconds, by which other tries have had their turn. */
  | { readonly kind: 'wait'; readonly forMs: number }
  /** To be refused as if it were wrong: too many wrong ones came before. */
  | { readonly kind: 'refuse' };

/** Synchronous and deterministic. */
export interface GuessPort {
  /** Asked once for each try. */
  admit(attempt: SecretTry): TryAdmission;
  /** What was admitted was right, and no guess. */
  right(attempt: SecretTry): void;
}
