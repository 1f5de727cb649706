// Addresses that somebody can be at (RFC 8046 5.4).

/** Of multicast, broadcast and unspecified addresses nobody answers. */
export function isUnicast(address: Uint8Array): boolean {
  const [first = 0] = address;
  if (address.length === 16) return first !== 0xff && address.some((octet) => octet !== 0);
  return first > 0 && first < 224;
}
