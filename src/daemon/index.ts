// Room `daemon`: the driver loop around one engine, with real sockets, clock, files and signals.
export { readConfigurationFiles } from './configuration-files.ts';
export { askDaemon } from './control-client.ts';
export {
  type ControlAnswer,
  type ControlRequest,
  type DaemonStatus,
  type HipAction,
  parseControlRequest,
} from './control-protocol.ts';
export { Daemon, type DaemonOptions, packageVersion } from './daemon.ts';
export { DatagramPacketIo, type DatagramPacketIoOptions } from './datagram-packet-io.ts';
export { defaultDemoSocketPath } from './demo/crash-control.ts';
export { runDemo } from './demo/demo.ts';
export { Driver, type DriverListener } from './driver.ts';
export { ConfigurationFileError, loadConfigurationFile } from './load-configuration-file.ts';
export { Log, type LogOptions } from './log.ts';
export type { LogFields, LogFormat, LogLevel } from './log-format.ts';
export { type ForeignDaemon, foreignDaemons } from './owners/foreign-daemons.ts';
export type { PacketIo, PacketIoListener } from './packet-io.ts';
export { ControlSocketError } from './private-socket.ts';
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
