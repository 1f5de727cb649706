// Ways to write octets in the tests of this room.

/** Hexadecimal digits; spaces and line ends are for the reader. */
export function hex(digits: string): Uint8Array {
  const pairs = digits.replace(/\s/g, '').match(/../g) ?? [];
  return Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16));
}

export function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** `first`, `first + 1`, ... */
export function ascending(first: number, count: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, i) => first + i);
}

/** Lower-case hexadecimal digits, as known answers are compared. */
export function digits(octets: Uint8Array): string {
  return Array.from(octets, (octet) => octet.toString(16).padStart(2, '0')).join('');
}
