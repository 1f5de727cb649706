// Room `daemon`: the driver loop around one engine, with real sockets, clock, files and signals.
export { askDaemon } from './control-client.ts';
export {
  type ControlAnswer,
  type ControlRequest,
  type DaemonStatus,
  type HipAction,
  parseControlRequest,
} from './control-protocol.ts';
export { ControlSocketError } from './control-server.ts';
export { Daemon, type DaemonOptions, packageVersion } from './daemon.ts';
export { DatagramPacketIo, type DatagramPacketIoOptions } from './datagram-packet-io.ts';
export { defaultDemoSocketPath } from './demo/crash-control.ts';
export { runDemo } from './demo/demo.ts';
export { Driver, type DriverListener } from './driver.ts';
export { type EventText, eventText } from './event-text.ts';
export { loadConfigurationFile } from './load-configuration-file.ts';
export { Log, type LogLevel } from './log.ts';
export type { PacketIo, PacketIoListener } from './packet-io.ts';
export { RecordStore } from './record-store.ts';
export {
  defaultConfigurationPath,
  defaultSocketPath,
  defaultStatePath,
  defaultViciPath,
  ExitStatus,
  type RunOptions,
  runDaemon,
} from './run.ts';
