// Identities as swanctl.conf writes them, and back (RFC 7296 3.5).
import type { Identity, IdentityPattern } from '../configuration.ts';

const todo = (): never => {
  throw new Error('not written yet');
};

/** Thrown for text that can be no identity, for example a malformed DN or prefix value. */
export class IdentityError extends Error {
  readonly code = 'bad-identity' as const;
}

/**
 * `@fqdn`, `@@user@host`, `@#hex`, `fqdn:`, `email:`, `ipv4:`, `ipv6:`, `keyid:`, `asn1dn:` (`#hex` for DER), a DN by
 * its `=`, an address, `user@host`, anything else a FQDN; `{n}:#hex` for a numeric type.
 * @throws IdentityError
 */
export function identityFromText(_text: string): Identity {
  return todo();
}

/** Like `identityFromText`, but `%any`, and `*` in FQDN, RFC822 and DN, give patterns. */
export function identityPatternFromText(_text: string): IdentityPattern {
  return todo();
}

/** For logs and `status`: `moon.example.org`, `C=CH, O=x, CN=y`, `192.0.2.1`, `#0a0b` for what has no text. */
export function formatIdentity(_identity: Identity): string {
  return todo();
}

export function formatIdentityPattern(_pattern: IdentityPattern): string {
  return todo();
}
