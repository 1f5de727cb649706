// Addresses that a peer can be at (RFC 8046 5.2, 5.3, RFC 8047 5.1).

/**
 * Nobody answers from multicast, broadcast and unspecified addresses; loopback is this host, and what a link-local address
 * is depends on the link.
 */
export function isReachable(address: Uint8Array): boolean {
  const [first = 0, second = 0] = address;
  if (address.length === 4)
    return first > 0 && first < 224 && first !== 127 && !(first === 169 && second === 254);
  if (first === 0xff || (first === 0xfe && (second & 0xc0) === 0x80)) return false;
  // Neither :: nor ::1.
  return address.some((octet, at) => octet !== 0 && !(at === 15 && octet === 1));
}
