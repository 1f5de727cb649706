// Room `control`: commands of people and programs in, events out. It opens no sockets.
export type { ViciCommand, ViciCommandCall, ViciHost } from './vici/host.ts';
export { ViciService, viciEvents } from './vici/service.ts';
