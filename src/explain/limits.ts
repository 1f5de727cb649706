// How much of a capture is kept in memory at a time, however long it is and whoever made it.

/** Beyond any of these the least busy entry is dropped and counted, or no more are added and that is counted. */
export const explainLimits = {
  /** Pairs of addresses. */
  conversations: 1024,
  /** IKE SAs of one pair. */
  ikeSas: 16,
  /** SPIs of ESP and AH of one pair, either direction. */
  flows: 48,
  /** HIP associations of one pair. */
  hipAssociations: 16,
  /** Requests of one IKE SA that are remembered to recognize repetitions. */
  exchanges: 8,
  /** Child SAs that were read from one IKE SA. */
  children: 32,
  /** Other pairs that share IKE SAs with one pair, because they moved. */
  relatives: 8,
  /** Events of one pair: the first ones, and as many of the last. */
  eventsKept: 48,
  /** Findings of one pair, each for any number of frames. */
  findings: 48,
  /** Datagrams of IP in reassembly, and octets of their pieces. */
  reassemblies: 128,
  reassemblyBytes: 4_194_304,
  /** Pieces of one datagram. */
  fragments: 128,
  /** Octets of the fragments of one IKE message (RFC 7383) in reassembly. */
  ikeMessageBytes: 131_072,
  /** Proposals of one offer that are told, and transforms of one proposal. */
  proposalsTold: 6,
  transformsTold: 24,
} as const;
