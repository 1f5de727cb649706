// Octets as lower-case hexadecimal text.
export function hexText(octets: Iterable<number>): string {
  return Array.from(octets, (octet) => octet.toString(16).padStart(2, '0')).join('');
}
