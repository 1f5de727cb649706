// Numbers of XFRM, the kernel's IPsec, from Linux's <linux/xfrm.h>.

export const XfrmMessageType = {
  NEWSA: 0x10,
  DELSA: 0x11,
  GETSA: 0x12,
  NEWPOLICY: 0x13,
  DELPOLICY: 0x14,
  GETPOLICY: 0x15,
  ALLOCSPI: 0x16,
  ACQUIRE: 0x17,
  EXPIRE: 0x18,
  UPDPOLICY: 0x19,
  UPDSA: 0x1a,
  POLEXPIRE: 0x1b,
  FLUSHSA: 0x1c,
  FLUSHPOLICY: 0x1d,
  NEWAE: 0x1e,
  GETAE: 0x1f,
  MIGRATE: 0x21,
  MAPPING: 0x26,
} as const;

/** Multicast groups of the kernel's own messages. */
export const XfrmGroup = {
  ACQUIRE: 1,
  EXPIRE: 2,
  SA: 3,
  POLICY: 4,
  AEVENTS: 5,
  REPORT: 6,
  MIGRATE: 7,
  MAPPING: 8,
} as const;

export const XfrmAttributeType = {
  ALG_AUTH: 1,
  ALG_CRYPT: 2,
  ALG_COMP: 3,
  ENCAP: 4,
  TMPL: 5,
  SA: 6,
  POLICY: 7,
  SEC_CTX: 8,
  LTIME_VAL: 9,
  REPLAY_VAL: 10,
  REPLAY_THRESH: 11,
  ETIMER_THRESH: 12,
  SRCADDR: 13,
  COADDR: 14,
  LASTUSED: 15,
  POLICY_TYPE: 16,
  MIGRATE: 17,
  ALG_AEAD: 18,
  KMADDRESS: 19,
  ALG_AUTH_TRUNC: 20,
  MARK: 21,
  TFCPAD: 22,
  REPLAY_ESN_VAL: 23,
  SA_EXTRA_FLAGS: 24,
  PROTO: 25,
  ADDRESS_FILTER: 26,
  OFFLOAD_DEV: 28,
  SET_MARK: 29,
  SET_MARK_MASK: 30,
  IF_ID: 31,
  MTIMER_THRESH: 32,
} as const;

/** AF_UNSPEC, AF_INET and AF_INET6. */
export const XfrmFamily = { UNSPECIFIED: 0, IPV4: 2, IPV6: 10 } as const;

export const XfrmMode = { TRANSPORT: 0, TUNNEL: 1, BEET: 4 } as const;

/** The place of a policy: traffic that leaves, arrives for us, or arrives for somebody behind us. */
export const XfrmDirection = { IN: 0, OUT: 1, FORWARD: 2 } as const;

export const XfrmAction = { ALLOW: 0, BLOCK: 1 } as const;

/** Bits of an SA's flags. */
export const XfrmStateFlag = {
  /** ECN is not carried over. */
  NOECN: 1,
  /** The inner header's DSCP is overwritten by the outer one's. */
  DECAP_DSCP: 2,
  /** The outer header's DF bit is not the inner one's. */
  NOPMTUDISC: 4,
  WILDRECV: 8,
  ICMP: 16,
  /** Inner addresses of either family. */
  AF_UNSPEC: 32,
  ALIGN4: 64,
  ESN: 128,
} as const;

/** Bits of an SA's second set of flags (XFRMA_SA_EXTRA_FLAGS). */
export const XfrmStateExtraFlag = { DONT_ENCAP_DSCP: 1, OSEQ_MAY_WRAP: 2 } as const;

/** Bits of a policy's flags. */
export const XfrmPolicyFlag = {
  LOCALOK: 1,
  /** ICMP errors about the policy's traffic belong to it. */
  ICMP: 2,
} as const;

/** What an asynchronous event tells or asks for. */
export const XfrmEventFlag = { RTHR: 1, RVAL: 2, LVAL: 4, ETHR: 8, CR: 16, CE: 32, CU: 64 } as const;

export const XfrmOffloadFlag = { IPV6: 1, INBOUND: 2, PACKET: 4 } as const;

/** UDP_ENCAP_ESPINUDP: ESP in UDP as RFC 3948 has it. */
export const xfrmEncapsulationUdp = 2;

/** XFRM_INF: a lifetime without end. */
export const xfrmUnlimited = 0xffff_ffff_ffff_ffffn;
