// Whether octets are the same, in a time that tells where they differ.

/** For what is no secret: secrets and MACs are compared by `equalConstantTime` of room `crypto`. */
export function sameOctets(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((octet, i) => octet === other[i]);
}
