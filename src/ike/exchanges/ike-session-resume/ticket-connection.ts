// Whether the configuration still allows what a ticket stands for (RFC 5723 5.1).
import { AuthMethod } from '#wire';
import { findSharedSecret } from '../../authentication/shared-secret.ts';
import type { ConnectionConfiguration } from '../../configuration.ts';
import { findEapSecret, takesUser } from '../../eap/user-name.ts';
import type { IkeSaState } from '../../ike-sa-state.ts';
import { suiteAllowed } from '../../negotiation/suite-allowed.ts';
import type { TicketContent } from '../../resumption/ticket-content.ts';

export const ticketNotAllowed = 'the configuration does not allow any more what the ticket stands for';

/** The connection that authorised the client must still do so, for what the ticket brings along. */
export function connectionOfTicket(
  { ports, local, remote }: Pick<IkeSaState, 'ports' | 'local' | 'remote'>,
  content: TicketContent,
): ConnectionConfiguration | undefined {
  const { clientIdentity, clientEapIdentity: user, gatewayIdentity, clientMethod, suite } = content;
  const connection = ports
    .connectionsFor({
      local,
      remote,
      identities: { initiator: clientIdentity, responder: gatewayIdentity },
    })
    .find(({ name }) => name === content.connection);
  if (connection?.resumption === undefined || !suiteAllowed(connection, suite)) return undefined;
  const { method } = connection.remote;
  // Whoever's key was taken away is not authenticated by it any more.
  const credentials = ports.credentials();
  if (user !== undefined || method === 'eap') {
    const allowed = user !== undefined && method === 'eap' && takesUser(connection.remote, user);
    return allowed && findEapSecret(credentials, user) !== undefined ? connection : undefined;
  }
  const shared = clientMethod === AuthMethod.SHARED_KEY;
  if (method !== 'any' && (method === 'psk') !== shared) return undefined;
  const { sharedSecrets } = credentials;
  if (shared && findSharedSecret(sharedSecrets, gatewayIdentity, clientIdentity) === undefined) {
    return undefined;
  }
  return connection;
}
