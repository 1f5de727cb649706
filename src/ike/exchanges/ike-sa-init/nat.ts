// What the first exchange of an IKE SA finds out about NATs on the way, by either side (RFC 7296 2.23).
import type { Endpoint } from '#sa';
import { type Payload, zeroIkeSpi } from '#wire';
import type { IkeSaState } from '../../ike-sa-state.ts';
import { wantsMobility } from '../../mobility.ts';
import {
  judgeNat,
  type NatDetectionSpis,
  type NatVerdict,
  natDetectionNotifies,
} from '../../payloads/nat-detection.ts';

interface Path {
  readonly local: Endpoint;
  readonly remote: Endpoint;
}

/** The notifies of our message, which goes this way. */
export function natNotifies(state: IkeSaState, { local, remote }: Path = state): Payload[] {
  return natDetectionNotifies(natSpis(state), local, remote, state.connection.encap);
}

/**
 * As initiator: with a NAT in between, everything further goes through the NAT traversal ports; and without one, if a NAT may be
 * in the way later (RFC 4555 3.3).
 */
export function noteNatOfResponse(state: IkeSaState, payloads: readonly Payload[], path: Path): void {
  note(state, judgeNat(payloads, natSpis(state), path.local, path.remote));
  if (!state.encapsulated && !(wantsMobility(state.connection) && state.nat.supported)) return;
  state.local = { address: state.local.address, port: state.natTraversal.localPort };
  state.remote = { address: state.remote.address, port: state.natTraversal.remotePort };
  if (state.encapsulated) tell(state);
}

/** As responder: the initiator made its hashes when it did not know our SPI. */
export function noteNatOfRequest(state: IkeSaState, payloads: readonly Payload[]): void {
  const spis = { initiatorSpi: state.spis.initiator, responderSpi: zeroIkeSpi };
  note(state, judgeNat(payloads, spis, state.local, state.remote));
  if (state.encapsulated) tell(state);
}

/**
 * A MOBIKE message that came this way says anew whether there is a NAT (RFC 4555 3.5).
 * @param holder who has the Child SAs
 * @param state under whose SPIs the message came
 */
export function noteNatOfMove(
  holder: IkeSaState,
  state: IkeSaState,
  payloads: readonly Payload[],
  path: Path,
): void {
  const verdict = judgeNat(payloads, natSpis(state), path.local, path.remote);
  // Without the notifies nothing is said, and nothing changes.
  if (verdict.supported) changeNat(holder, verdict);
}

export function changeNat(state: IkeSaState, verdict: NatVerdict): void {
  const { local, remote } = state.nat;
  note(state, verdict);
  if (state.nat.local !== local || state.nat.remote !== remote) tell(state);
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
