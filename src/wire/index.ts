// Room `wire`: octets <-> typed messages. Imports nothing.
export { WireError, type WireErrorCode } from './error.ts';
export * from './ike/index.ts';
export { Reader } from './reader.ts';
export { Writer } from './writer.ts';
