// NAT detection by hashes of addresses and ports (RFC 7296 2.23).
import type { Endpoint } from '#sa';
import type { IkeSpi, NotifyPayload, Payload } from '#wire';

const todo = (): never => {
  throw new Error('not written yet');
};

/** The SPIs as in the header of the message that carries the notifies. */
export interface NatDetectionSpis {
  readonly initiatorSpi: IkeSpi;
  readonly responderSpi: IkeSpi;
}

/** SHA-1(SPIs | address | port): 20 octets. */
export function natDetectionHash(_spis: NatDetectionSpis, _endpoint: Endpoint): Uint8Array {
  return todo();
}

/**
 * The two notifies of an IKE_SA_INIT (or MOBIKE) message.
 * @param forceEncapsulation sends a source hash that cannot match, so that the peer sees a NAT (`encap = yes`)
 */
export function natDetectionNotifies(
  _spis: NatDetectionSpis,
  _local: Endpoint,
  _remote: Endpoint,
  _forceEncapsulation?: boolean,
): NotifyPayload[] {
  return todo();
}

/** `supported` is false if the peer sent neither kind: no NAT traversal then. */
export interface NatVerdict {
  readonly supported: boolean;
  /** We are behind a NAT: the peer sent to another address than the one we received at. */
  readonly local: boolean;
  /** The peer is behind a NAT: none of its source hashes matches the address we received from. */
  readonly remote: boolean;
}

/** @param local @param remote the addresses of the datagram that carried `payloads`, as we saw it */
export function judgeNat(
  _payloads: readonly Payload[],
  _spis: NatDetectionSpis,
  _local: Endpoint,
  _remote: Endpoint,
): NatVerdict {
  return todo();
}
