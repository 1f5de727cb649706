// What the gateway believed when it authenticated a client: a ticket is good for as long as it would be believed again (RFC 5723 5.1).
import { digest } from '#crypto';
import { AuthMethod } from '#wire';
import { findSharedSecret } from '../../authentication/shared-secret.ts';
import type { ConnectionConfiguration, Credentials } from '../../configuration.ts';
import { findEapSecret } from '../../eap/user-name.ts';
import type { IkeSaPorts } from '../../interface.ts';
import type { TicketContent } from '../../resumption/ticket-content.ts';

export type AuthenticatedClient = Pick<
  TicketContent,
  'clientIdentity' | 'clientEapIdentity' | 'gatewayIdentity' | 'clientMethod'
>;

/** A mark of it, as it is configured now. `undefined`: nothing is, or no tickets are made. */
export function credentialOf(
  ports: Pick<IkeSaPorts, 'credentials' | 'tickets'>,
  connection: ConnectionConfiguration,
  client: AuthenticatedClient,
): Uint8Array | undefined {
  if (ports.tickets === undefined || connection.resumption === undefined) return undefined;
  const parts = believed(ports.credentials(), connection, client);
  return parts && ports.tickets.mark(parts);
}

const Kind = { PASSWORD: 1, SHARED_KEY: 2, CERTIFICATE: 3 } as const;

function believed(
  credentials: Credentials,
  { remote }: ConnectionConfiguration,
  { clientIdentity, clientEapIdentity: user, gatewayIdentity, clientMethod }: AuthenticatedClient,
): readonly Uint8Array[] | undefined {
  if (user !== undefined) {
    const password = findEapSecret(credentials, user);
    return password && [Uint8Array.of(Kind.PASSWORD), password];
  }
  if (clientMethod === AuthMethod.SHARED_KEY) {
    const secret = findSharedSecret(credentials.sharedSecrets, gatewayIdentity, clientIdentity);
    return secret && [Uint8Array.of(Kind.SHARED_KEY), secret];
  }
  if (remote.certificates.length > 0) return [Uint8Array.of(Kind.CERTIFICATE), asOne(remote.certificates)];
  // Which of it mattered is known to the validation of the path only: if anything is another, it is asked again.
  return [
    Uint8Array.of(Kind.CERTIFICATE, ['strict', 'ifuri', 'relaxed'].indexOf(remote.revocation)),
    asOne(credentials.authorities),
    asOne(remote.authorities),
    asOne(credentials.revocationLists),
  ];
}

const known = new WeakMap<readonly Uint8Array[], Uint8Array>();

/** One digest of many files, in whatever order they were read. A configuration is never changed, only replaced. */
function asOne(files: readonly Uint8Array[]): Uint8Array {
  const found = known.get(files);
  if (found !== undefined) return found;
  const each = files.map((octets) => digest('sha256', octets)).sort(compareOctets);
  const all = digest('sha256', new Uint8Array(0), ...each);
  known.set(files, all);
  return all;
}

function compareOctets(one: Uint8Array, other: Uint8Array): number {
  for (let at = 0; at < one.length; at++) {
    const difference = one[at]! - other[at]!;
    if (difference !== 0) return difference;
  }
  return 0;
}
