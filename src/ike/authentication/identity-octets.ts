// Text <-> the octets of an identity. A core room has no TextEncoder, and identities of peers need not be UTF-8 at all.

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
