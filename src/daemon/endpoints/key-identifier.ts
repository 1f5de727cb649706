// How charon, and with it vici, identifies keys.
import { digest } from '#crypto';
import { Reader } from '#wire';

/**
 * SHA-1 of the public key inside a DER SubjectPublicKeyInfo: of the BIT STRING's content (RFC 5280 4.2.1.2, method 1).
 *
 * @throws WireError if the octets are none
 */
export function keyIdentifier(spki: Uint8Array): Uint8Array {
  const info = new Reader(element(new Reader(spki)));
  element(info);
  // The first octet counts unused bits, of which keys have none.
  return digest('sha1', element(info).subarray(1));
}

/** Content of the next DER element. */
function element(reader: Reader): Uint8Array {
  reader.u8('DER.tag');
  let length = reader.u8('DER.length');
  if (length >= 0x80) {
    const octets = reader.bytes(length & 0x7f, 'DER.length');
    length = octets.reduce((value, octet) => value * 256 + octet, 0);
  }
  return reader.bytes(length, 'DER.content');
}
