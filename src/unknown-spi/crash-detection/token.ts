// QCD tokens (RFC 6290 4.1, 5.1): what a crashed host proves with that it has forgotten an IKE SA.
import { digest } from '#crypto';
import { type IkeSpi, ikeSpiBytes, type NotifyPayload, NotifyType, notify, ProtocolId } from '#wire';

/** RFC 6290 5 */
export const tokenBytesMin = 16;
export const tokenBytesMax = 128;
/** RFC 6290 4.5: in one message. */
export const tokensPerMessageMax = 4;
/** RFC 6290 5.1 */
export const secretBytes = 32;
/** Of ours. As hard to guess as 128 bits are, and four of them fit what a liveness check earns. */
export const ownTokenBytes = 16;

/** The token of an IKE SA under one secret; the same again after any number of restarts. */
export function makeToken(
  secret: Uint8Array,
  spis: { readonly initiatorSpi: IkeSpi; readonly responderSpi: IkeSpi },
): Uint8Array {
  const hash = digest('sha256', secret, ikeSpiBytes(spis.initiatorSpi), ikeSpiBytes(spis.responderSpi));
  return hash.slice(0, ownTokenBytes);
}

/** RFC 6290 4.1: Protocol ID 1, no SPI. */
export function tokenNotify(token: Uint8Array): NotifyPayload {
  return notify(NotifyType.QUICK_CRASH_DETECTION, { protocolId: ProtocolId.IKE, data: token });
}

/** The token in a notify, or `undefined` if it is none or not well formed. */
export function tokenOf(payload: NotifyPayload): Uint8Array | undefined {
  const { notifyType, protocolId, spi, data } = payload;
  if (notifyType !== NotifyType.QUICK_CRASH_DETECTION || protocolId !== ProtocolId.IKE) return undefined;
  if (spi.length !== 0 || data.length < tokenBytesMin || data.length > tokenBytesMax) return undefined;
  return data;
}
