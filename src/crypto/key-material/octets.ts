// Joining octets, and taking Node's `Buffer` results as the plain `Uint8Array` that leaves this room.

/** The same memory without the `Buffer` prototype. */
export function plain(buffer: Uint8Array): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

export function concatenate(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Two hexadecimal digits per octet, as constants are written in this room. */
export function hex(digits: string): Uint8Array {
  const octets = new Uint8Array(digits.length >> 1);
  for (let at = 0; at < octets.length; at++)
    octets[at] = Number.parseInt(digits.slice(2 * at, 2 * at + 2), 16);
  return octets;
}

/** A big-endian number; the empty string is 0. */
export function numberFromOctets(octets: Uint8Array): bigint {
  let digits = '0x0';
  for (const octet of octets) digits += octet.toString(16).padStart(2, '0');
  return BigInt(digits);
}

/** A big-endian number, with leading zeros to the given length. */
export function octetsFromNumber(value: bigint, lengthBytes: number): Uint8Array {
  return hex(value.toString(16).padStart(2 * lengthBytes, '0'));
}
