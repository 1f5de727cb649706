// Whether the configuration still allows what a ticket stands for (RFC 5723 5.1).
import { equalConstantTime } from '#crypto';
import { AuthMethod } from '#wire';
import type { ConnectionConfiguration } from '../../configuration.ts';
import { takesUser } from '../../eap/user-name.ts';
import type { IkeSaState } from '../../ike-sa-state.ts';
import { suiteAllowed } from '../../negotiation/suite-allowed.ts';
import type { TicketContent } from '../../resumption/ticket-content.ts';
import { credentialOf } from './client-credential.ts';

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
  if (user !== undefined || method === 'eap') {
    if (user === undefined || method !== 'eap' || !takesUser(connection.remote, user)) return undefined;
  } else if (method !== 'any' && (method === 'psk') !== (clientMethod === AuthMethod.SHARED_KEY)) {
    return undefined;
  }
  // Whoever's key was changed or taken away is not authenticated by it any more.
  const credential = credentialOf(ports, connection, content);
  const same = credential !== undefined && equalConstantTime(credential, content.credential);
  return same ? connection : undefined;
}
