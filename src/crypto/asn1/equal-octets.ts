// Comparison of public octets. Not for secrets: it stops at the first difference.
export function equalOctets(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((octet, index) => octet === b[index]);
}
