// UPDATE packets: made, sent, and sent again until they are acknowledged (RFC 7401 5.3.5, 6.11).
import { appendHipMac, appendHipSignature } from '#crypto';
import { encodeHipPacket, HipPacketType, type HipParameter } from '#wire';
import type { AssociationKeys, HipAssociation, Standing } from '../association.ts';
import type { HipHostState } from '../host-state.ts';
import type { HipPath } from '../interface.ts';
import type { UpdatePurpose } from './updates.ts';

/** RFC 7401 6.11 3 waits for twice the RTT; below this, the scheduling of either host is longer than the way. */
const firstWaitMsMin = 100;

export function firstWaitMs({ configuration }: HipHostState, { rttMs }: Standing): number {
  const { baseMs } = configuration.retransmission;
  return rttMs === undefined ? baseMs : Math.min(baseMs, Math.max(firstWaitMsMin, 2 * rttMs));
}

/** A packet under the keys of an association: with its MAC and signature. */
export function protectedPacket(
  state: HipHostState,
  association: HipAssociation,
  keys: AssociationKeys,
  packetType: number,
  parameters: readonly HipParameter[],
): Uint8Array {
  const { local, remote } = association;
  const header = { packetType, anonymous: false, sender: local.identity.hit, receiver: remote };
  const bare = encodeHipPacket({ header, parameters });
  return appendHipSignature(
    appendHipMac(bare, keys.responder, keys.own.integrity),
    local.key,
    state.ports.randomness,
  );
}

export interface NewUpdate {
  readonly purpose: UpdatePurpose;
  readonly parameters: readonly HipParameter[];
  /** The Update IDs of the peer that it acknowledges along the way. */
  readonly acknowledges?: readonly number[];
  readonly echo?: Uint8Array;
  /** Absent: the association's. */
  readonly path?: HipPath;
}

/** Sends an UPDATE that the peer has to acknowledge. There must be no other under way. @returns its octets */
export function sendUpdate(
  state: HipHostState,
  association: HipAssociation,
  standing: Standing,
  update: NewUpdate,
): Uint8Array {
  const { purpose, parameters, acknowledges, echo, path = association.path } = update;
  const updateId = standing.updates.takeId();
  const packet = protectedPacket(state, association, standing.keys, HipPacketType.UPDATE, [
    { type: 'SEQ', updateId },
    ...(acknowledges === undefined ? [] : [{ type: 'ACK' as const, updateIds: acknowledges }]),
    ...(echo === undefined ? [] : [{ type: 'ECHO_REQUEST_SIGNED' as const, data: echo }]),
    ...parameters,
  ]);
  standing.updates.outstanding = {
    updateId,
    purpose,
    path,
    packet,
    sentAt: state.at,
    echo,
    repetitions: 0,
    nextAt: state.at + firstWaitMs(state, standing),
  };
  state.transmit(path, packet);
  return packet;
}

/** Sends what only acknowledges: it is not acknowledged itself. @returns its octets */
export function sendAcknowledgement(
  state: HipHostState,
  association: HipAssociation,
  standing: Standing,
  updateId: number,
  parameters: readonly HipParameter[],
  path: HipPath,
): Uint8Array {
  const packet = protectedPacket(state, association, standing.keys, HipPacketType.UPDATE, [
    { type: 'ACK', updateIds: [updateId] },
    ...parameters,
  ]);
  state.transmit(path, packet);
  return packet;
}

/** Repeats the outstanding UPDATE if it is time to. False: all repetitions are spent. */
export function repeatUpdate(state: HipHostState, { updates }: Standing): boolean {
  const { outstanding } = updates;
  if (outstanding === undefined || state.at < outstanding.nextAt) return true;
  if (outstanding.repetitions >= state.configuration.retransmission.tries) {
    updates.outstanding = undefined;
    return false;
  }
  const waitedMs = outstanding.nextAt - outstanding.sentAt;
  outstanding.repetitions++;
  // Exponential: each wait is as long as all before it.
  outstanding.nextAt = state.at + Math.max(1, waitedMs);
  state.transmit(outstanding.path, outstanding.packet);
  return true;
}
