// Room `vici`: the protocol by which programs control an IKE daemon, from both ends. docs/vici.md shows how.
export type { ViciItem, ViciMessage } from '#wire';
export { WireError, type WireErrorCode } from '#wire';
export { ViciClient, type ViciEventOf } from './client.ts';
export { type ClientOutput, type ClientRequest, ViciClientConnection } from './client-connection.ts';
export { ViciError, type ViciErrorCode } from './error.ts';
export * from './messages.ts';
export { type ViciCall, type ViciHandler, ViciServer, type ViciServerOptions } from './server.ts';
export { type ServerOutput, type ViciOffer, ViciServerConnection } from './server-connection.ts';
export { charonSocketPath, connectVici, listenVici, type ViciListener } from './unix-socket.ts';
