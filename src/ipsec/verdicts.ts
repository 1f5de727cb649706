// What the data path decided about a packet: one number per packet, with a name for people.

/** Outcomes of the data path. The first six and `HANDED_OVER` leave a packet to act on, the others drop it. */
export const Verdict = {
  /** Outbound: the slot holds an ESP packet to send. */
  SEALED: 0,
  /** Inbound: the slot holds an IP packet to deliver. */
  OPENED: 1,
  /** The policy lets the packet pass as it is. */
  BYPASS: 2,
  /** A trap policy matched: an SA is wanted for the packet in the slot, which is unchanged. */
  TRAP: 3,
  /** Larger than the path allows and not to be fragmented: tell the source `slot.mtuBytes`. The packet is unchanged. */
  TOO_BIG: 4,
  /** To be cut into fragments of at most `slot.mtuBytes` octets, each of which is submitted again. */
  FRAGMENT: 5,
  /** A discard policy matched. */
  DISCARDED: 6,
  /** No policy matched, or none that allows the SA which the packet came through. */
  NO_POLICY: 7,
  /** A protect policy matched, but its pair has no outbound SA. */
  NO_SA: 8,
  /** Outbound: the SA's selectors are narrower than the policy's and leave this packet out. */
  OUTSIDE_SA: 9,
  /** Not an IP packet, or one whose lengths do not fit. */
  MALFORMED: 10,
  /** Transport and BEET mode cannot carry this: a fragment, IPv4 options, or a hop-by-hop or routing header. */
  UNSUPPORTED: 11,
  /** The hop limit ends here: tell the source. The packet is unchanged. */
  HOP_LIMIT: 12,
  /** No sequence number is left (RFC 4303 3.3.3). */
  SEQUENCE_EXHAUSTED: 13,
  /** A hard lifetime of the SA is over. */
  EXPIRED: 14,
  /** The slot's buffer has less room around the packet than the data path needs. */
  NO_ROOM: 15,
  /** A NAT keepalive (RFC 3948 2.3). */
  KEEPALIVE: 16,
  /** SPI 0 in UDP: an IKE message behind its non-ESP marker (RFC 3948 2.2). */
  NOT_ESP: 17,
  /** Too short for an ESP packet of its SA, or not aligned as RFC 4303 2.4 demands. */
  BAD_LENGTH: 18,
  /** No inbound SA has this SPI. */
  UNKNOWN_SPI: 19,
  /** The sequence number was seen before. */
  REPLAYED: 20,
  /** The sequence number lies before the replay window. */
  LEFT_OF_WINDOW: 21,
  /** The ICV is wrong. */
  NOT_AUTHENTIC: 22,
  /** The padding is not 1, 2, 3.. or longer than the packet (RFC 4303 2.4). */
  BAD_PADDING: 23,
  /** Next header 59: made to hide the traffic's volume (RFC 4303 2.6). */
  DUMMY: 24,
  /** Authentic, but no packet of the SA's mode inside. */
  BAD_INNER: 25,
  /** The inner packet breaks the SA's selectors (RFC 4301 5.2, step 5). */
  OUTSIDE_SELECTORS: 26,
  /** Congestion was marked on the outer header of a packet whose transport cannot learn it (RFC 6040 4.2). */
  CONGESTION: 27,
  /** The sequence number lies beyond those that a restart would know of: it must wait until more are reserved. */
  UNRESERVED: 28,
  /** Outbound: the peer's address is not verified, and its credit does not suffice (RFC 8046 5.6.1). */
  NO_CREDIT: 29,
  /** Outbound: another data plane seals what this pair sends; the packet is unchanged. */
  HANDED_OVER: 30,
} as const;

export type VerdictCode = (typeof Verdict)[keyof typeof Verdict];

/** Names in the order of the codes, for logs and metrics: `not-authentic`. */
export const verdictNames: readonly string[] = Object.keys(Verdict).map((name) =>
  name.toLowerCase().replaceAll('_', '-'),
);
