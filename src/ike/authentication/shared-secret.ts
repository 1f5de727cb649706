// Which pre-shared key two identities share: the most specific match wins, the peer's before ours, as strongSwan ranks them.
import type { Identity, IdentityPattern, SharedSecret } from '../configuration.ts';
import { matchIdentity } from './identity-match.ts';

function bestMatch(identity: Identity, owners: readonly IdentityPattern[]): number {
  return owners.reduce((best, owner) => Math.max(best, matchIdentity(identity, owner)), 0);
}

/**
 * `undefined` if no secret fits. A secret fits if the peer is one of its owners, if it has none, or if all its owners
 * are ourselves: a list that names other peers gives this one no right to it.
 */
export function findSharedSecret(
  secrets: readonly SharedSecret[],
  local: Identity,
  remote: Identity,
): Uint8Array | undefined {
  let found: { readonly secret: Uint8Array; readonly remote: number; readonly local: number } | undefined;
  for (const { owners, secret } of secrets) {
    const match = { secret, remote: bestMatch(remote, owners), local: bestMatch(local, owners) };
    const ours = owners.every((owner) => matchIdentity(local, owner) > 0);
    if (match.remote === 0 && !ours) continue;
    const better =
      found === undefined ||
      match.remote > found.remote ||
      (match.remote === found.remote && match.local > found.local);
    if (better) found = match;
  }
  return found?.secret;
}
