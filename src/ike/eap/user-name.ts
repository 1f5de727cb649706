// User names of EAP: octets on the wire, identities where secrets and policies are looked up.
import { decodeUtf8, encodeUtf8, IdType, sameOctets } from '#wire';
import { matchIdentity } from '../authentication/identity-match.ts';
import { formatIdentity, IdentityError, identityFromText } from '../authentication/identity-text.ts';
import { findSharedSecret } from '../authentication/shared-secret.ts';
import type { Credentials, Identity, RemoteAuthentication } from '../configuration.ts';

/** As the owner of a secret is read, so that `id = carol` is who calls himself carol. */
export function identityOfUserName(name: Uint8Array): Identity {
  const text = decodeUtf8(name);
  // What is no UTF-8 would be the same as all that differs in these octets only.
  if (!sameOctets(encodeUtf8(text), name)) return { idType: IdType.KEY_ID, data: name.slice() };
  try {
    return identityFromText(text);
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error;
    return { idType: IdType.KEY_ID, data: name.slice() };
  }
}

/** What somebody is called on the wire. */
export function userNameOf(identity: Identity): Uint8Array {
  switch (identity.idType) {
    case IdType.FQDN:
    case IdType.RFC822_ADDR:
    case IdType.KEY_ID:
      return identity.data;
    default:
      return encodeUtf8(formatIdentity(identity));
  }
}

const backslash = 0x5c;

/** RFC 2759 4: what MS-CHAP computes with is `user` of `DOMAIN\user`. */
export function withoutDomain(name: Uint8Array): Uint8Array {
  return name.subarray(name.indexOf(backslash) + 1);
}

/** The password of the best match; `undefined`: there is none. */
export function findEapSecret({ eapSecrets = [] }: Credentials, user: Identity): Uint8Array | undefined {
  // A password is one user's, whoever is at the other end.
  return findSharedSecret(eapSecrets, user, user);
}

/** Whether a connection takes this user. Without an `eapIdentity` the user is who the IKE identity says. */
export function takesUser({ eapIdentity, identity }: RemoteAuthentication, user: Identity): boolean {
  return matchIdentity(user, eapIdentity ?? identity) > 0;
}
