// Room `control`: commands of people and programs in, events out. It opens no sockets.
export type * from './api/index.ts';
export { bodyBytesMax, type HttpAnswer, type HttpRequest } from './http/exchange.ts';
export { type Asset, HttpService, type HttpServiceOptions } from './http/service.ts';
export { Board, type Follower } from './observe/board.ts';
export { type IkeMessageSeen, ikeMessageSeen } from './observe/ike-message-seen.ts';
export type { Ended } from './observe/incident-book.ts';
export { Observer, type ObserverOptions } from './observe/observer.ts';
export type { CounterReport, NamedCount } from './observe/tunnel-traffic.ts';
export type { ViciCommand, ViciCommandCall, ViciHost } from './vici/host.ts';
export { ViciService, viciEvents } from './vici/service.ts';
export { whySubject, whyText } from './why-text.ts';
