// The peer's side of an IKE SA whose keys were logged: what it seals with, and what it opens.
import { type PacketCipher, packetCipher } from '#crypto';
import { encodeSealedMessage, type IkeHeader, type SealedMessageShape } from '#wire';
import type { IkeKeyLog } from './engine-host.ts';

/** Keys of AES-GCM, as all fuzzed hosts agree upon. */
function cipherOf({ suite, skEi, skEr }: IkeKeyLog, initiator: boolean): PacketCipher {
  return packetCipher({ encryption: { ...suite.encr, key: initiator ? skEi : skEr } });
}

export interface SealedText {
  readonly header: IkeHeader;
  readonly firstPayload: number;
  readonly text: Uint8Array;
  readonly fragment?: SealedMessageShape['fragment'];
}

/** Seals what the initiator or the responder says. @param iv no other message under these keys has it */
export function sealText(
  keys: IkeKeyLog,
  { header, firstPayload, text, fragment }: SealedText,
  iv: number,
): Uint8Array {
  const cipher = cipherOf(keys, header.initiator);
  // AES-GCM needs no padding: one octet says so (RFC 7296 3.14).
  const bodyBytes = cipher.ivBytes + text.length + 1 + cipher.icvBytes;
  const { octets, aad, body } = encodeSealedMessage({ header, firstPayload, fragment, bodyBytes });
  const icvAt = bodyBytes - cipher.icvBytes;
  new DataView(body.buffer, body.byteOffset).setUint32(cipher.ivBytes - 4, iv);
  body.set(text, cipher.ivBytes);
  cipher.seal({
    aad,
    iv: body.subarray(0, cipher.ivBytes),
    text: body.subarray(cipher.ivBytes, icvAt),
    icv: body.subarray(icvAt),
  });
  return octets;
}

/** @param octets of a message whose last payload is SK, with this body */
export function openText(
  keys: IkeKeyLog,
  { initiator }: IkeHeader,
  octets: Uint8Array,
  sealed: Uint8Array,
): Uint8Array {
  const cipher = cipherOf(keys, initiator);
  const body = sealed.slice();
  const text = body.subarray(cipher.ivBytes, body.length - cipher.icvBytes);
  const fields = {
    iv: body.subarray(0, cipher.ivBytes),
    text,
    icv: body.subarray(body.length - cipher.icvBytes),
  };
  if (!cipher.open({ aad: octets.subarray(0, octets.length - body.length), ...fields }))
    throw new Error('forged');
  return text.slice(0, text.length - 1 - (text.at(-1) ?? 0));
}
