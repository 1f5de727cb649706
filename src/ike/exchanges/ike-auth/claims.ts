// Which connections an initiator may mean that says who it is, and so which claims of its are to be judged, one after another.
import { identityOfAddress, matchIdentity, sameIdentity } from '../../authentication/identity-match.ts';
import type { ConnectionConfiguration, Identity } from '../../configuration.ts';
import type { IkeSaState } from '../../ike-sa-state.ts';
import { suiteAllowed } from '../../negotiation/suite-allowed.ts';
import type { PeerClaim } from './peer-authentication.ts';

/** Each costs the check of a signature, and a peer that is nobody yet asks for it. */
const claimsMax = 16;
/** These cost a comparison each, when the user is known: a gateway may have a connection for each of them. */
const eapClaimsMax = 256;

/**
 * Claims in the order in which they are tried, as strongSwan goes from one connection to the next. IKE_SA_INIT chose by
 * addresses; the identities may mean another connection, if it allows the suite in use. Only connections that name the peer as well
 * as the first one does: who is called by its name somewhere must not get in by what is for anybody (RFC 4301 4.4.3.1).
 */
export function claimsOf(
  state: IkeSaState,
  initiator: Identity,
  responder: Identity | undefined,
): readonly PeerClaim[] {
  const claims = claimsAmong(state, () => true, initiator, responder);
  // Those with EAP are refused whatever the peer proves: they must not take the places of others.
  const able = claims.filter(
    ({ connection: { local, remote } }) => local.method !== 'eap' && remote.method !== 'eap',
  );
  return (able.length > 0 ? able : claims).slice(0, claimsMax);
}

/**
 * The same for an initiator that wants EAP. Who it says it is chooses among connections with EAP only: what it says is not what will
 * be authenticated (RFC 7296 2.16).
 */
export function eapClaimsOf(
  state: IkeSaState,
  initiator: Identity,
  responder: Identity | undefined,
): readonly PeerClaim[] {
  return claimsAmong(
    state,
    // RFC 7296 2.16: the gateway proves itself by a public key, always.
    ({ local, remote }) =>
      remote.method === 'eap' && local.method === 'pubkey' && matchIdentity(initiator, remote.identity) > 0,
    initiator,
    responder,
  ).slice(0, eapClaimsMax);
}

function claimsAmong(
  state: IkeSaState,
  wanted: (connection: ConnectionConfiguration) => boolean,
  initiator: Identity,
  responder: Identity | undefined,
): readonly PeerClaim[] {
  const identities = responder === undefined ? { initiator } : { initiator, responder };
  const { local, begunWith: remote } = state;
  const { suite } = state.secure();
  const fitting = state.ports
    .connectionsFor({ local, remote, identities })
    .filter(
      (connection) =>
        wanted(connection) && suiteAllowed(connection, suite) && weAre(state, connection, responder),
    );
  const [first] = fitting;
  if (first === undefined) return [];
  const best = matchIdentity(initiator, first.remote.identity);
  return fitting
    .filter((connection) => matchIdentity(initiator, connection.remote.identity) === best)
    .map((connection) => ({
      connection,
      localIdentity: ownIdentity(state, connection) ?? responder ?? identityOfAddress(state.local.address),
      peerIdentity: initiator,
    }));
}

function weAre(
  state: IkeSaState,
  connection: ConnectionConfiguration,
  wanted: Identity | undefined,
): boolean {
  const own = ownIdentity(state, connection);
  return wanted === undefined || own === undefined || sameIdentity(own, wanted);
}

/** `undefined`: whatever the certificate says. */
function ownIdentity(state: IkeSaState, connection: ConnectionConfiguration): Identity | undefined {
  const { identity, method } = connection.local;
  return identity ?? (method === 'pubkey' ? undefined : identityOfAddress(state.local.address));
}
