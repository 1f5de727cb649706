// A NAT shows the peer at another address or port than before: followed once the peer has answered from there (RFC 9028 4.10).
//
// What is authentic may have been sent on by anybody, for nothing covers where it comes from. A nonce that came back says
// that what goes there gets to the peer, and so RFC 8046 5.4 has it for every other address.
import { addressBytes, hitFromAddress, sameFamily } from '#sa';
import type { HipAssociation, Standing } from '../association.ts';
import type { HipHostState } from '../host-state.ts';
import type { HipPath } from '../interface.ts';
import { isReachable } from '../unicast.ts';
import { probeMapping } from './probe.ts';
import { usePath } from './use-path.ts';

/** Something new and authentic came from there: an UPDATE, or ESP. */
export function noticeMapping(
  state: HipHostState,
  association: HipAssociation,
  standing: Standing,
  from: HipPath,
): void {
  const { path } = association;
  const { address, port } = from.remote;
  // NATs are crossed in UDP alone.
  if (path.remote.port === 0 || port === 0 || from.local.address !== path.local.address) return;
  if (address === path.remote.address && port === path.remote.port) return;
  // Of what the peer itself has told it is asked anyhow.
  if (address !== path.remote.address && standing.locators.find(address) !== undefined) return;
  if (!sameFamily(address, path.remote.address) || !isReachable(addressBytes(address))) return;
  if (hitFromAddress(address) !== undefined) return;
  probeMapping(state, association, standing, { local: path.local, remote: from.remote });
}

/** The peer has answered from there. */
export function followMapping(
  state: HipHostState,
  association: HipAssociation,
  standing: Standing,
  { remote }: HipPath,
): void {
  const { local, remote: before } = association.path;
  standing.locators.replace(before.address, remote.address);
  standing.lastInboundAt = state.at;
  usePath(state, association, standing, { local, remote });
}
