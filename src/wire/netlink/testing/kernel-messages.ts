// What Linux 6.18 answered to requests of rtnetlink in an empty network namespace; its socket had the number 9932.

const octets = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(/\s/g, ''), 'hex'));

/** To RTM_SETLINK of the loopback device with NLM_F_ACK. */
export const acknowledgement: Uint8Array = octets(
  '24000000020000010b00000051449aab 00000000 20000000130005000b00000000000000',
);

/** To RTM_NEWADDR for a device that does not exist, with NETLINK_EXT_ACK: the request is quoted whole. */
export const explainedError: Uint8Array = octets(
  `500000000200000209000000cc260000 edffffff 20000000140005060900000000000000
   022000009f860100 08000200c0000201 1b000100 697076343a20446576696365206e6f7420666f756e6400 00`,
);

/** The same with NETLINK_CAP_ACK: only the header is quoted. */
export const explainedErrorCapped: Uint8Array = octets(
  `400000000200000309000000428e96a4 edffffff 20000000140005060900000000000000
   1b000100 697076343a20446576696365206e6f7420666f756e6400 00`,
);

/** To RTM_NEWROUTE through a device that does not exist, without either. */
export const plainError: Uint8Array = octets(
  `40000000020000000a000000cc260000 edffffff 2c000000180005060a00000000000000
   02180000fe040001 00000000 08000100c0000200 080004009f860100`,
);

/** To a dump of addresses (RTM_GETADDR): the loopback device has 127.0.0.1/8. */
export const dumpedAddress: Uint8Array = octets(
  `4c000000140002000c000000cc260000 020880fe01000000 080001007f000001 080002007f000001 070003006c6f0000
   0800080080000000 14000600ffffffffffffffffcfd20000cfd20000`,
);

/** The end of that dump. */
export const endOfDump: Uint8Array = octets('14000000030002000c000000cc260000 00000000');
