// Nonces: how long ours are, and which of two exchanges that did the same thing loses, the one with the lowest nonce (RFC 7296 2.8.1, 2.10).

/** Octets of ours: at least half the key length of every PRF. */
export const nonceBytes = 32;

/** Octet by octet; a nonce that ends where the other goes on is the lower one. Negative: `a` is lower. */
export function compareNonces(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

export function lowerNonce(a: Uint8Array, b: Uint8Array): Uint8Array {
  return compareNonces(a, b) <= 0 ? a : b;
}
