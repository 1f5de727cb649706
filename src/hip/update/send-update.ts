// UPDATE packets: made, sent, and sent again until they are acknowledged (RFC 7401 5.3.5, 6.11).
import { appendHipMac, appendHipSignature } from '#crypto';
import { encodeHipPacket, HipPacketType, type HipParameter } from '#wire';
import type { AssociationKeys, HipAssociation, Standing } from '../association.ts';
import { unsignedEchoesWanted, withUnsignedEchoes } from '../echo.ts';
import type { HipHostState, ReceivedPacket } from '../host-state.ts';
import type { HipPath } from '../interface.ts';
import type { UpdatePurpose } from './updates.ts';

/** RFC 7401 6.11 3 waits for twice the RTT; below this, the scheduling of either host is longer than the way. */
const firstWaitMsMin = 100;

export function firstWaitMs({ configuration }: HipHostState, { rttMs }: Standing): number {
  const { baseMs } = configuration.retransmission;
  return rttMs === undefined ? baseMs : Math.min(baseMs, Math.max(firstWaitMsMin, 2 * rttMs));
}

/** A packet under the keys of an association: with its MAC and signature, and the answers to requests without one. */
export function protectedPacket(
  state: HipHostState,
  association: HipAssociation,
  keys: AssociationKeys,
  packetType: number,
  parameters: readonly HipParameter[],
  unsignedEchoes: readonly Uint8Array[] = [],
): Uint8Array {
  const { local, remote } = association;
  const header = { packetType, anonymous: false, sender: local.identity.hit, receiver: remote };
  const bare = encodeHipPacket({ header, parameters });
  const authenticated = appendHipMac(bare, keys.responder, keys.own.integrity);
  const signed = appendHipSignature(authenticated, local.key, state.ports.randomness);
  return withUnsignedEchoes(signed, unsignedEchoes);
}

export interface NewUpdate {
  readonly purpose: UpdatePurpose;
  readonly parameters: readonly HipParameter[];
  /** The Update IDs of the peer that it acknowledges along the way. */
  readonly acknowledges?: readonly number[];
  /** What the UPDATE that it acknowledges has asked for without a signature. */
  readonly unsignedEchoes?: readonly Uint8Array[];
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
  const { purpose, parameters, acknowledges, unsignedEchoes, echo, path = association.path } = update;
  const updateId = standing.updates.takeId();
  const all: readonly HipParameter[] = [
    { type: 'SEQ', updateId },
    ...(acknowledges === undefined ? [] : [{ type: 'ACK' as const, updateIds: acknowledges }]),
    ...(echo === undefined ? [] : [{ type: 'ECHO_REQUEST_SIGNED' as const, data: echo }]),
    ...parameters,
  ];
  const { UPDATE } = HipPacketType;
  const packet = protectedPacket(state, association, standing.keys, UPDATE, all, unsignedEchoes);
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

/**
 * Sends what only acknowledges an UPDATE that came, unless it is longer than `bytesMax`: it is not acknowledged itself.
 * @returns its octets
 */
export function sendAcknowledgement(
  state: HipHostState,
  association: HipAssociation,
  standing: Standing,
  { packet: { parameters }, path }: ReceivedPacket,
  updateId: number,
  answers: readonly HipParameter[],
  bytesMax: number = Number.POSITIVE_INFINITY,
): Uint8Array {
  const all: readonly HipParameter[] = [{ type: 'ACK', updateIds: [updateId] }, ...answers];
  const { UPDATE } = HipPacketType;
  const echoes = unsignedEchoesWanted(parameters);
  const packet = protectedPacket(state, association, standing.keys, UPDATE, all, echoes);
  if (packet.length <= bytesMax) state.transmit(path, packet);
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
