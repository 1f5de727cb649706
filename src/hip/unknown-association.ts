// A packet whose association we do not have: an ICMP Parameter Problem may point at the HIT (RFC 7401 5.4.4).
import { HipPacketType } from '#wire';
import type { HipHostState, ReceivedPacket } from './host-state.ts';

/** Offsets of the two HITs in the header. */
const senderAt = 8;
const receiverAt = 24;

/** I1, R1, I2, R2 and NOTIFY are never answered so. */
const answered: readonly number[] = [HipPacketType.UPDATE, HipPacketType.CLOSE, HipPacketType.CLOSE_ACK];

export function unknownAssociation(state: HipHostState, received: ReceivedPacket): void {
  const { packet, path } = received;
  const { packetType, receiver } = packet.header;
  state.reject(received, 'unexpected');
  if (!answered.includes(packetType)) return;
  const pointer = state.identity(receiver) === undefined ? receiverAt : senderAt;
  state.push({ kind: 'parameter-problem', path, pointer, octets: packet.octets, reason: 'no-association' });
}
