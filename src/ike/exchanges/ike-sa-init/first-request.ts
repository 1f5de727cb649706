// The initiator's first request, which it repeats with a cookie in front when it is asked for one (RFC 7296 2.6).
import { NotifyType, sameOctets } from '#wire';

const headerBytes = 28;
const firstPayloadAt = 16;
const lengthAt = 24;
const notifyPayload = 41;
/** Of a Notify payload without SPI, to where its data begin. */
const notifyBytesMin = 8;

/** Whether two of them are the same but for their cookies, which both, one or none may have. */
export function sameButForCookie(one: Uint8Array, other: Uint8Array): boolean {
  const [a, b] = [withoutCookie(one), withoutCookie(other)];
  return (
    a.firstPayload === b.firstPayload &&
    sameOctets(one.subarray(0, firstPayloadAt), other.subarray(0, firstPayloadAt)) &&
    sameOctets(one.subarray(firstPayloadAt + 1, lengthAt), other.subarray(firstPayloadAt + 1, lengthAt)) &&
    sameOctets(a.payloads, b.payloads)
  );
}

/** @param octets of a message that can be decoded */
function withoutCookie(octets: Uint8Array): {
  readonly firstPayload: number | undefined;
  readonly payloads: Uint8Array;
} {
  const firstPayload = octets[firstPayloadAt];
  const payloads = octets.subarray(headerBytes);
  if (firstPayload !== notifyPayload || payloads.length < notifyBytesMin) return { firstPayload, payloads };
  const view = new DataView(payloads.buffer, payloads.byteOffset, payloads.byteLength);
  if (view.getUint16(6) !== NotifyType.COOKIE || payloads[5] !== 0) return { firstPayload, payloads };
  return { firstPayload: payloads[0], payloads: payloads.subarray(view.getUint16(2)) };
}
