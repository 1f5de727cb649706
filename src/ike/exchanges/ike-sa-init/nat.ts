// What the first exchange of an IKE SA finds out about NATs on the way, by either side (RFC 7296 2.23).
import type { Endpoint } from '#sa';
import { type Payload, zeroIkeSpi } from '#wire';
import type { IkeSaState } from '../../ike-sa-state.ts';
import {
  judgeNat,
  type NatDetectionSpis,
  type NatVerdict,
  natDetectionNotifies,
} from '../../payloads/nat-detection.ts';

/** The notifies of our message. */
export function natNotifies(state: IkeSaState): Payload[] {
  return natDetectionNotifies(natSpis(state), state.local, state.remote, state.connection.encap);
}

/** As initiator: with a NAT in between, everything further goes through the NAT traversal ports. */
export function noteNatOfResponse(
  state: IkeSaState,
  payloads: readonly Payload[],
  path: { readonly local: Endpoint; readonly remote: Endpoint },
): void {
  note(state, judgeNat(payloads, natSpis(state), path.local, path.remote));
  if (!state.encapsulated) return;
  state.local = { address: state.local.address, port: state.natTraversal.localPort };
  state.remote = { address: state.remote.address, port: state.natTraversal.remotePort };
  tell(state);
}

/** As responder: the initiator made its hashes when it did not know our SPI. */
export function noteNatOfRequest(state: IkeSaState, payloads: readonly Payload[]): void {
  const spis = { initiatorSpi: state.spis.initiator, responderSpi: zeroIkeSpi };
  note(state, judgeNat(payloads, spis, state.local, state.remote));
  if (state.encapsulated) tell(state);
}

/** With `encap` we send a source hash that cannot match, so the peer takes us for one behind a NAT; so do we. */
function note(state: IkeSaState, verdict: NatVerdict): void {
  state.nat = state.connection.encap && verdict.supported ? { ...verdict, local: true } : verdict;
}

function tell(state: IkeSaState): void {
  state.emit({ kind: 'nat-detected', local: state.nat.local, remote: state.nat.remote });
}

function natSpis({ spis }: IkeSaState): NatDetectionSpis {
  return { initiatorSpi: spis.initiator, responderSpi: spis.responder };
}
