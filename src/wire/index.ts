// Room `wire`: octets <-> typed messages. Imports nothing.
export * from './ah/index.ts';
export { WireError, type WireErrorCode } from './error.ts';
export * from './esp/index.ts';
export * from './hip/index.ts';
export * from './icmp/index.ts';
export * from './ike/index.ts';
export * from './ip/index.ts';
export * from './netlink/index.ts';
export * from './octets.ts';
export * from './pcap/index.ts';
export { Reader } from './reader.ts';
export * from './rtnetlink/index.ts';
export { sameOctets } from './same-octets.ts';
export * from './udp/index.ts';
export { decodeUtf8, encodeUtf8 } from './utf8.ts';
export * from './vici/index.ts';
export { Writer } from './writer.ts';
export * from './xfrm/index.ts';
