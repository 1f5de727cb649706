// Room `daemon`: the driver loop around one engine, with real sockets, clock, files and signals.
export { readConfigurationFiles } from './configuration/configuration-files.ts';
export { ConfigurationFileError, loadConfigurationFile } from './configuration/load-configuration-file.ts';
export { Daemon, type DaemonOptions, packageVersion } from './daemon.ts';
export { DatagramPacketIo, type DatagramPacketIoOptions } from './datagram-packet-io.ts';
export { defaultDemoSocketPath } from './demo/crash-control.ts';
export { runDemo } from './demo/demo.ts';
export { Driver, type DriverListener } from './driver.ts';
export { askDaemon } from './endpoints/control-client.ts';
export {
  type ControlAnswer,
  type ControlRequest,
  type DaemonStatus,
  type HipAction,
  parseControlRequest,
} from './endpoints/control-protocol.ts';
export { ControlSocketError } from './endpoints/private-socket.ts';
export { Log, type LogOptions } from './logs/log.ts';
export type { LogFields, LogFormat, LogLevel } from './logs/log-format.ts';
export { type ForeignDaemon, foreignDaemons } from './owners/foreign-daemons.ts';
export type { PacketIo, PacketIoListener } from './packet-io.ts';
export { runDaemon } from './run.ts';
export {
  defaultConfigurationPath,
  defaultSocketPath,
  defaultStatePath,
  defaultViciPath,
  ExitStatus,
  type RunOptions,
} from './run-options.ts';
export { RecordStore } from './state/record-store.ts';
