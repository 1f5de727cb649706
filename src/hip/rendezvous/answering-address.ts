// Whether an R1 came from where an answer to our I1 may come from (RFC 8004 4.3.4).
import { addressFromBytes, sameFamily } from '#sa';
import { type Hit, hipParameter } from '#wire';
import type { I1Sent, I2Sent } from '../association.ts';
import { peersOf } from '../configured-peers.ts';
import type { HipHostState, ReceivedPacket } from '../host-state.ts';
import type { HipPath } from '../interface.ts';

/**
 * An R1 says nothing about addresses that its signature covers, so that this proves nothing about the sender: it keeps
 * copies of an R1 of others from leading our I2 astray. Whom we call through a rendezvous server may answer from anywhere,
 * since only HITs are known of it, and the server may have more addresses than that which we know; anybody else has to
 * name the address to which our I1 went.
 */
export function mayAnswerFrom(
  state: HipHostState,
  attempt: I1Sent | I2Sent,
  { packet, path }: ReceivedPacket,
): boolean {
  const paths = attempt.name === 'I2-SENT' ? [attempt.path, attempt.call.path] : [attempt.path];
  const called = paths.map(({ remote }) => remote.address);
  if (called.includes(path.remote.address)) return true;
  const { sender } = packet.header;
  if (peersOf(state.configuration).with(sender)?.rendezvous !== undefined) return true;
  const via = hipParameter(packet.parameters, 'VIA_RVS')?.addresses ?? [];
  return via.some((address) => called.includes(addressFromBytes(address)));
}

/** Where the same I1 finds a peer that is no longer where we believe it to be: at its server (RFC 8046 3.2.3). */
export function serverBeside(
  { configuration }: HipHostState,
  peerHit: Hit,
  { local, remote }: HipPath,
): HipPath | undefined {
  const peer = peersOf(configuration).with(peerHit);
  if (peer?.rendezvous === undefined) return undefined;
  const address = peer.rendezvous.addresses.find((one) => sameFamily(one, remote.address));
  if (address === undefined || address === remote.address) return undefined;
  return { local, remote: { address, port: remote.port } };
}
