// Unprotected responses to requests of no IKE SA: INVALID_IKE_SPI, INVALID_MAJOR_VERSION, COOKIE.
import { encodeIkeMessage, type IkeHeader, type NotifyPayload, NotifyType, notify, zeroIkeSpi } from '#wire';
import { tokenNotify } from '../crash-detection/token.ts';

/** RFC 7296 1.5, 2.21.4: SPIs, Message ID and exchange type are the request's, in every case. */
function refusal(request: IkeHeader, payloads: readonly NotifyPayload[]): Uint8Array {
  const { initiatorSpi, responderSpi, exchangeType, messageId, initiator } = request;
  return encodeIkeMessage({
    header: {
      initiatorSpi,
      responderSpi,
      exchangeType,
      messageId,
      majorVersion: 2,
      minorVersion: 0,
      // Who did not begin the IKE SA is not its original initiator (RFC 7296 3.1).
      initiator: !initiator,
      response: true,
      higherVersion: false,
    },
    payloads,
  });
}

/** With up to four tokens, the newest secret's first (RFC 6290 4.5). */
export function invalidIkeSpi(request: IkeHeader, tokens: readonly Uint8Array[]): Uint8Array {
  return refusal(request, [notify(NotifyType.INVALID_IKE_SPI), ...tokens.map(tokenNotify)]);
}

/** RFC 7296 1.5: no notification data. The version that we speak stands in the header. */
export function invalidMajorVersion(request: IkeHeader): Uint8Array {
  return refusal(request, [notify(NotifyType.INVALID_MAJOR_VERSION)]);
}

/** RFC 7296 2.6, RFC 5723 4.3.2: the responder's SPI stays zero, for there is no state. */
export function cookieDemand(request: IkeHeader, cookie: Uint8Array): Uint8Array {
  return refusal({ ...request, responderSpi: zeroIkeSpi }, [notify(NotifyType.COOKIE, { data: cookie })]);
}
