// Whether an identity is the one meant, exactly or by a pattern, and how specific that match is.
import type { IpAddress } from '#sa';
import type { Identity, IdentityPattern } from '../configuration.ts';

const todo = (): never => {
  throw new Error('not written yet');
};

/** Exact comparison; FQDN and RFC822 without regard to case, DN by their relative names. */
export function sameIdentity(_a: Identity, _b: Identity): boolean {
  return todo();
}

/**
 * How well an identity fits a pattern: 0 not at all, 1 by `%any`, more for a wildcard with fewer free parts, and
 * `exactMatch` for equality.
 */
export function matchIdentity(_identity: Identity, _pattern: IdentityPattern): number {
  return todo();
}

export const exactMatch = 20;

/** The identity an address gives: our default with a pre-shared key. */
export function identityOfAddress(_address: IpAddress): Identity {
  return todo();
}

/** A map key: equal for identities that `sameIdentity` finds equal. */
export function identityKey(_identity: Identity): string {
  return todo();
}
