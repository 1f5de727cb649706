// The beginning of a base exchange: I1, and again until somebody answers (RFC 7401 6.6).
import { encodeHipPacket, HipPacketType, type Hit, hitSuiteOf, zeroHit } from '#wire';
import type { HipAssociation } from '../association.ts';
import type { LocalIdentity } from '../configuration.ts';
import { peersOf } from '../configured-peers.ts';
import type { HipHostState } from '../host-state.ts';
import type { HipPath } from '../interface.ts';
import { serverBeside } from '../rendezvous/answering-address.ts';

export interface Call {
  readonly remote: Hit;
  readonly path: HipPath;
  readonly reason: string;
  readonly local?: Hit;
}

/** Nothing happens while an exchange with this peer is under way, or has just failed. */
export function associate(state: HipHostState, call: Call): HipAssociation | undefined {
  const { remote, path, reason } = call;
  const local = ourIdentity(state, call);
  if (local === undefined) return undefined;
  const association = state.findOrAdd(local, remote, path);
  const { failedUntil } = association;
  if (association.attempt !== undefined || (failedUntil !== undefined && state.at < failedUntil))
    return association;
  state.change(association, reason, () => {
    association.failedUntil = undefined;
    // What stands goes on where it is until the new association replaces it.
    if (association.standing === undefined) state.associations.move(association, path);
    sendI1(state, association, path);
  });
  return association;
}

/** An identity of the suite that the peer has: it can certainly deal with that one. */
function ourIdentity(state: HipHostState, { local, remote }: Call): LocalIdentity | undefined {
  if (local !== undefined) return state.identity(local);
  const { identities } = state.configuration;
  const known = peersOf(state.configuration).with(remote)?.localHit;
  if (known !== undefined) return state.identity(known);
  return identities.find(({ identity }) => hitSuiteOf(identity.hit) === hitSuiteOf(remote)) ?? identities[0];
}

export function sendI1(
  state: HipHostState,
  association: HipAssociation,
  path: HipPath,
  becauseOfSilence = false,
): void {
  const packet = encodeHipPacket({
    header: {
      packetType: HipPacketType.I1,
      anonymous: false,
      sender: association.local.identity.hit,
      receiver: association.remote,
    },
    parameters: [{ type: 'DH_GROUP_LIST', groups: state.configuration.groups }],
  });
  const { baseMs } = state.configuration.retransmission;
  const beside = serverBeside(state, association.remote, path);
  association.attempt = {
    name: 'I1-SENT',
    ...(becauseOfSilence && { becauseOfSilence }),
    ...(beside !== undefined && { beside }),
    path,
    packet,
    repetitions: 0,
    nextAt: state.at + baseMs,
  };
  state.transmit(path, packet);
  if (beside !== undefined) state.transmit(beside, packet);
}

/** RFC 7401 6.8 3: the R1 of somebody whose HIT we did not know. The association is known by it from now on. */
export function opportunisticOf(state: HipHostState, local: Hit, path: HipPath): HipAssociation | undefined {
  const association = state.find(local, zeroHit);
  if (association?.attempt?.path.remote.address !== path.remote.address) return undefined;
  return association;
}
