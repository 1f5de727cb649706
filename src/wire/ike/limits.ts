// How many elements of each kind one message may carry, so that a small datagram cannot buy much work or memory.

/** More of any of these than a real peer sends; beyond them decoding ends with `WireError('limit')`. */
export const ikeLimits = {
  /** Payloads in one message, or inside one SK payload. */
  payloads: 256,
  /** Proposals in one SA payload. Proposal numbers are one octet. */
  proposals: 255,
  /** Transforms in one proposal: the count is one octet. */
  transforms: 255,
  /** Transforms of all proposals of one SA payload, which anybody may send and each is held against ours. */
  transformsInAll: 1024,
  /** Attributes of one transform. RFC 7296 defines only the key length. */
  transformAttributes: 16,
  /** Octets of an identity, which goes into tickets and records of ours. Distinguished names have some hundreds. */
  identityBytes: 4096,
  /** Traffic selectors in one TS payload: the count is one octet. */
  selectors: 255,
  /** Attributes in one CP payload. */
  configurationAttributes: 512,
  /** SPIs in one Delete payload. */
  deletedSpis: 4096,
} as const;
