// The numbers of HIP version 2, under the names that RFCs and IANA's registries give them.

/** RFC 7401 5.3 */
export const HipPacketType = {
  I1: 1,
  R1: 2,
  I2: 3,
  R2: 4,
  UPDATE: 16,
  NOTIFY: 17,
  CLOSE: 18,
  CLOSE_ACK: 19,
} as const;

/** RFC 7401 5.2 and the documents that add to it. Odd numbers are critical. */
export const HipParameterType = {
  /** RFC 7402 5.1.1 */
  ESP_INFO: 65,
  R1_COUNTER: 129,
  /** RFC 8046 4 */
  LOCATOR_SET: 193,
  PUZZLE: 257,
  SOLUTION: 321,
  SEQ: 385,
  ACK: 449,
  DH_GROUP_LIST: 511,
  DIFFIE_HELLMAN: 513,
  HIP_CIPHER: 579,
  /** RFC 9028 5.4 */
  NAT_TRAVERSAL_MODE: 608,
  /** RFC 9028 5.5 */
  TRANSACTION_PACING: 610,
  ENCRYPTED: 641,
  HOST_ID: 705,
  HIT_SUITE_LIST: 715,
  /** RFC 8002 2 */
  CERT: 768,
  NOTIFICATION: 832,
  ECHO_REQUEST_SIGNED: 897,
  /** RFC 8003 4.2 */
  REG_INFO: 930,
  /** RFC 8003 4.3 */
  REG_REQUEST: 932,
  /** RFC 8003 4.4 */
  REG_RESPONSE: 934,
  /** RFC 8003 4.5 */
  REG_FAILED: 936,
  /** RFC 9028 5.6 */
  REG_FROM: 950,
  ECHO_RESPONSE_SIGNED: 961,
  TRANSPORT_FORMAT_LIST: 2049,
  /** RFC 7402 5.1.2 */
  ESP_TRANSFORM: 4095,
  /** RFC 9028 5.12 */
  RELAYED_ADDRESS: 4650,
  /** RFC 9028 5.12 */
  MAPPED_ADDRESS: 4660,
  /** RFC 9028 5.13 */
  PEER_PERMISSION: 4680,
  /** RFC 9028 5.14 */
  CANDIDATE_PRIORITY: 4700,
  /** RFC 9028 5.15 */
  NOMINATE: 4710,
  HIP_MAC: 61505,
  HIP_MAC_2: 61569,
  HIP_SIGNATURE_2: 61633,
  HIP_SIGNATURE: 61697,
  ECHO_RESPONSE_UNSIGNED: 63425,
  ECHO_REQUEST_UNSIGNED: 63661,
  /** RFC 9028 5.6 */
  RELAY_FROM: 63998,
  /** RFC 9028 5.6 */
  RELAY_TO: 64002,
  /** RFC 8004 4.2.2 */
  FROM: 65498,
  /** RFC 8004 4.2.1 */
  RVS_HMAC: 65500,
  /** RFC 8004 4.2.3 */
  VIA_RVS: 65502,
  /** RFC 9028 5.8 */
  RELAY_HMAC: 65520,
} as const;

/** RFC 7401 5.2.19, RFC 7402 5.1.3, RFC 8002 5, RFC 8003 3.2, RFC 9028 5.10 and 5.3 */
export const HipNotifyType = {
  UNSUPPORTED_CRITICAL_PARAMETER_TYPE: 1,
  INVALID_SYNTAX: 7,
  NO_DH_PROPOSAL_CHOSEN: 14,
  INVALID_DH_CHOSEN: 15,
  NO_HIP_PROPOSAL_CHOSEN: 16,
  INVALID_HIP_CIPHER_CHOSEN: 17,
  NO_ESP_PROPOSAL_CHOSEN: 18,
  INVALID_ESP_TRANSFORM_CHOSEN: 19,
  UNSUPPORTED_HIT_SUITE: 20,
  AUTHENTICATION_FAILED: 24,
  CHECKSUM_FAILED: 26,
  HIP_MAC_FAILED: 28,
  ENCRYPTION_FAILED: 32,
  INVALID_HIT: 40,
  BLOCKED_BY_POLICY: 42,
  RESPONDER_BUSY_PLEASE_RETRY: 44,
  /** RFC 8046 5.3 */
  LOCATOR_TYPE_UNSUPPORTED: 46,
  CREDENTIALS_REQUIRED: 48,
  INVALID_CERTIFICATE: 50,
  REG_REQUIRED: 51,
  NO_VALID_NAT_TRAVERSAL_MODE_PARAMETER: 60,
  CONNECTIVITY_CHECKS_FAILED: 61,
  MESSAGE_NOT_RELAYED: 62,
  SERVER_REFLEXIVE_CANDIDATE_ALLOCATION_FAILED: 63,
  RVS_HMAC_PROHIBITED_WITH_RELAY: 64,
  I2_ACKNOWLEDGEMENT: 16384,
  NAT_KEEPALIVE: 16385,
} as const;

/** Notify Message Types below this are errors, the others carry status (RFC 7401 5.2.19). */
export const firstHipStatusNotify = 16384;

/** RFC 7401 5.2.7 */
export const HipDhGroup = {
  MODP_1536: 3,
  MODP_3072: 4,
  ECP_256: 7,
  ECP_384: 8,
  ECP_521: 9,
  SECP160R1: 10,
  MODP_2048: 11,
} as const;

/** RFC 7401 5.2.8 */
export const HipCipher = { NULL_ENCRYPT: 1, AES_128_CBC: 2, AES_256_CBC: 4 } as const;

/** RFC 7401 5.2.9: algorithms of Host Identities and of signatures. */
export const HiAlgorithm = { DSA: 3, RSA: 5, ECDSA: 7, ECDSA_LOW: 9 } as const;

/** RFC 7401 5.2.9: curves of ECDSA Host Identities. */
export const EcdsaCurve = { P256: 1, P384: 2 } as const;

/** RFC 7401 5.2.9: the one curve of ECDSA_LOW. */
export const EcdsaLowCurve = { SECP160R1: 1 } as const;

/** RFC 7401 5.2.9: what a Domain Identifier is. */
export const DiType = { NONE: 0, FQDN: 1, NAI: 2 } as const;

/** RFC 7401 5.2.10, as the four bits of the ORCHID. */
export const HitSuite = { RSA_DSA_SHA256: 1, ECDSA_SHA384: 2, ECDSA_LOW_SHA1: 3 } as const;

/** RFC 7402 5.1.2 */
export const HipEspSuite = {
  AES_128_CBC_HMAC_SHA1: 1,
  NULL_HMAC_SHA_256: 7,
  AES_128_CBC_HMAC_SHA_256: 8,
  AES_256_CBC_HMAC_SHA_256: 9,
  AES_CCM_8: 10,
  AES_CCM_16: 11,
  AES_GCM_8: 12,
  AES_GCM_16: 13,
  AES_CMAC_96: 14,
  AES_GMAC: 15,
} as const;

/** RFC 8046 4.1 */
export const TrafficType = { BOTH: 0, SIGNALING: 1, DATA: 2 } as const;

/** RFC 8046 4.2, and RFC 9028 5.7 for the last. */
export const LocatorType = { ADDRESS: 0, ESP_SPI_ADDRESS: 1, TRANSPORT_ADDRESS: 2 } as const;

/** RFC 8004 4.1, RFC 9028 5.9 */
export const RegistrationType = { RENDEZVOUS: 1, RELAY_UDP_HIP: 2, RELAY_UDP_ESP: 3 } as const;

/** RFC 8003 4.5, and 3.3 for what is wrong with a certificate. */
export const RegistrationFailure = {
  CREDENTIALS_REQUIRED: 0,
  TYPE_UNAVAILABLE: 1,
  INSUFFICIENT_RESOURCES: 2,
  INVALID_CERTIFICATE: 3,
  BAD_CERTIFICATE: 4,
  UNSUPPORTED_CERTIFICATE: 5,
  CERTIFICATE_EXPIRED: 6,
  CERTIFICATE_OTHER: 7,
  UNKNOWN_CA: 8,
} as const;

/** RFC 8002 2; the even numbers are obsolete. */
export const HipCertType = {
  X509: 1,
  HASH_AND_URL_X509: 3,
  LDAP_URL_X509: 5,
  DISTINGUISHED_NAME_X509: 7,
} as const;

/** RFC 9028 5.4 */
export const NatTraversalMode = { UDP_ENCAPSULATION: 1, ICE_STUN_UDP: 2, ICE_HIP_UDP: 3 } as const;

/** RFC 8005 9: public key algorithms of HIP resource records. */
export const HipRecordAlgorithm = { DSA: 1, RSA: 2, ECDSA: 3 } as const;
