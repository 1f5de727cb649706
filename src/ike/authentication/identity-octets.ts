// Text <-> the octets of an identity. A core room has no TextEncoder, and identities of peers need not be UTF-8 at all.

/** UTF-8. */
export function utf8Octets(text: string): Uint8Array {
  const octets: number[] = [];
  // A lone surrogate has no UTF-8: it becomes the replacement character, as everywhere.
  for (const character of text.replace(/\p{Surrogate}/gu, '\ufffd')) {
    const point = character.codePointAt(0)!;
    const tail = (shift: number): number => 0x80 | ((point >>> shift) & 0x3f);
    if (point < 0x80) octets.push(point);
    else if (point < 0x800) octets.push(0xc0 | (point >>> 6), tail(0));
    else if (point < 0x10000) octets.push(0xe0 | (point >>> 12), tail(6), tail(0));
    else octets.push(0xf0 | (point >>> 18), tail(12), tail(6), tail(0));
  }
  return Uint8Array.from(octets);
}

/** One character per octet: readable where the octets are ASCII, and distinct for distinct octets. */
export function octetText(octets: Uint8Array): string {
  let text = '';
  for (let at = 0; at < octets.length; at++) text += String.fromCharCode(octets[at]!);
  return text;
}

/** Two hexadecimal digits per octet. */
export function octetDigits(octets: Uint8Array): string {
  let digits = '';
  for (let at = 0; at < octets.length; at++) digits += octets[at]!.toString(16).padStart(2, '0');
  return digits;
}

/** Lower case for ASCII letters and nothing else, which is how names of the DNS are compared (RFC 4343). */
export function foldCase(text: string): string {
  return /[A-Z]/.test(text) ? text.replace(/[A-Z]/g, (letter) => letter.toLowerCase()) : text;
}
