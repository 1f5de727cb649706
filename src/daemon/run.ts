// The real daemon: a configuration file, the kernel's sockets and TUN device, signals.
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ConfigurationErrors, formatPosition, type HostSettings, type LoadedConfiguration } from '#config';
import type { EngineConfiguration } from '#engine';
import {
  KernelNetwork,
  kernelEsp,
  leaveKernel,
  openPacketThreads,
  PacketThread,
  PacketThreadError,
  ReceivedMarksFile,
  readAllReceivedMarks,
  receivedMarksPathOf,
  removeReceivedMarksFrom,
  SystemCallError,
  TunNetwork,
} from '#linux';
import { address } from '#sa';
import { charonSocketPath } from '#vici';
import { ConfigurationFileError, loadConfigurationFile } from './configuration/load-configuration-file.ts';
import { withoutDevices } from './configuration/without-devices.ts';
import { Daemon, type DaemonOptions } from './daemon.ts';
import { ControlSocketError } from './endpoints/private-socket.ts';
import { KeyLogFile } from './logs/key-log-file.ts';
import { Log } from './logs/log.ts';
import { logFormat } from './logs/log-format.ts';
import { TunnelNetwork } from './network/tunnel-network.ts';
import { keptToken } from './page.ts';
import { HangUp } from './service/hang-up.ts';
import { socketNames } from './service/kept-sockets.ts';
import { ServiceManager, takeServiceEnvironment } from './service/service-manager.ts';
import { bootId } from './state/boot-id.ts';
import { RecordKeyError, readCredential, readRecordKey, recordKeyCredential } from './state/record-key.ts';
import { RecordStore, receivedMarksPath } from './state/record-store.ts';
import { bytesOfFile, roomProblem } from './state/room.ts';

/** Routing table and rule priority of our routes, and the mark of our own packets. */
const routingTable = 220;
const socketMark = 0x77_61_79;

/** There only if this kernel has IPv6, and it is not turned off. */
const ipv6Addresses = '/proc/net/if_inet6';

export const defaultConfigurationPath = '/etc/swanctl/swanctl.conf';
export const defaultSocketPath = '/run/wayward.sock';

/**
 * Where plain `swanctl` looks for a daemon; a second daemon, with a control socket of its own, has its vici socket beside
 * that one.
 */
export function defaultViciPath(socketPath: string): string {
  return socketPath === defaultSocketPath ? charonSocketPath : `${socketPath}.vici`;
}

/** Each daemon has a folder of its own: two that share one would answer for each other's SPIs. */
export function defaultStatePath(socketPath: string): string {
  return socketPath === defaultSocketPath ? '/var/lib/wayward' : `${socketPath}.state`;
}

export interface RunOptions {
  readonly configurationPath: string;
  readonly socketPath: string;
  /** Absent: vici is not served. */
  readonly viciPath?: string;
  readonly keyLogPath?: string;
  /** Absent: text. */
  readonly logFormat?: 'text' | 'json';
  /** A folder for what must survive a crash. */
  readonly statePath: string;
}

/** Exit statuses of `wayward`. */
export const ExitStatus = { ok: 0, failed: 1, usage: 2 } as const;

/** What a file holds, or the lines that say why nothing of it is loaded. */
function load(path: string): LoadedConfiguration | readonly string[] {
  try {
    return loadConfigurationFile(path);
  } catch (error) {
    if (error instanceof ConfigurationErrors) return error.errors.map(({ message }) => message);
    if (error instanceof ConfigurationFileError) return [error.message];
    throw error;
  }
}

function warningLines({ warnings }: LoadedConfiguration): string[] {
  return warnings.map(({ position, detail }) => `${formatPosition(position)}: warning: ${detail}`);
}

/** What of a new configuration a running daemon takes, and the options that wait for its next start. */
function reloadable(
  running: LoadedConfiguration,
  next: LoadedConfiguration,
): { readonly configuration: EngineConfiguration; readonly waiting: readonly string[] } {
  const { ports } = running.configuration;
  const waiting = [
    ...(next.configuration.ports.ike === ports.ike ? [] : ['port']),
    ...(next.configuration.ports.natTraversal === ports.natTraversal ? [] : ['port_nat_t']),
    ...(next.host.tunName === running.host.tunName ? [] : ['tun_name']),
    ...(next.host.dataPlane === running.host.dataPlane ? [] : ['data_plane']),
    ...(next.host.recordKeyPath === running.host.recordKeyPath ? [] : ['record_key']),
    ...(JSON.stringify(next.host.http) === JSON.stringify(running.host.http) ? [] : ['http']),
    ...(next.host.logFormat === running.host.logFormat ? [] : ['log_format']),
    ...(next.host.tunMtuBytes === running.host.tunMtuBytes ? [] : ['tun_mtu']),
    ...(next.host.packetThreads === running.host.packetThreads ? [] : ['packet_threads']),
    ...(JSON.stringify(next.host.checkpoint) === JSON.stringify(running.host.checkpoint)
      ? []
      : ['checkpoint']),
  ];
  return { configuration: { ...next.configuration, ports }, waiting };
}

/** @throws RecordKeyError */
function recordKeyOf({ recordKeyPath }: HostSettings, options: RunOptions): Uint8Array | undefined {
  if (recordKeyPath !== undefined) {
    return readRecordKey(resolve(dirname(options.configurationPath), recordKeyPath), options.statePath);
  }
  return readCredential(process.env['CREDENTIALS_DIRECTORY']);
}

/** Records of some IKE SAs, each beside the one that it replaces. */
const recordsBytes = 64 * 1024;

/** Why a state folder has no room for what a checkpoint needs; what is there already makes room for what replaces it. */
function checkpointRoomProblem(statePath: string, packetThreads: number): Error | undefined {
  let bytes = recordsBytes;
  for (let thread = 0; thread < packetThreads; thread++) {
    const path = receivedMarksPathOf(receivedMarksPath(statePath), thread);
    bytes += Math.max(0, ReceivedMarksFile.bytes - bytesOfFile(path));
  }
  return roomProblem(statePath, bytes);
}

/**
 * Only once the state folder is locked. Where it has no room a host is better off without: with a checkpoint nothing of an IKE SA
 * leaves before it is written. That is safe: what an earlier process kept is discarded and its keys are never used again, and if
 * it cannot be discarded, whoever goes on from it begins at bounds that only that process has come near.
 * @throws RecordKeyError
 */
function checkpointOf(
  { checkpoint }: HostSettings,
  recordKey: Uint8Array | undefined,
  statePath: string,
  dataPlane: 'kernel' | 'userspace',
  packetThreads: number,
  log: Log,
): Pick<DaemonOptions, 'checkpoint'> {
  const { enabled, acrossBoot, maxAgeMs } = checkpoint;
  if (!enabled) return {};
  if (recordKey === undefined) {
    throw new RecordKeyError(
      `checkpoints need a key: set wayward.record_key, or give the credential ${recordKeyCredential} to the service`,
    );
  }
  const problem = checkpointRoomProblem(statePath, packetThreads);
  if (problem !== undefined) {
    log.line(
      'error',
      `no checkpoint is kept, nor gone on with, until the next start: ${statePath}: ${problem.message}`,
    );
    return {};
  }
  const boot = bootId();
  const received = readAllReceivedMarks(receivedMarksPath(statePath), boot);
  return { checkpoint: { bootId: boot, acrossBoot, maxAgeMs, received, dataPlane } };
}

/** The data plane that was asked for cannot be had. */
class DataPlaneError extends Error {
  readonly code = 'data-plane' as const;
}

function hasHostIdentity({ configuration: { hip } }: LoadedConfiguration): boolean {
  return hip !== undefined && hip.identities.length > 0;
}

/**
 * Which data plane this host gets. With HIP it is ours unless the kernel is asked for: LSIs and credit are ours alone.
 * @throws DataPlaneError if it is to be the kernel and that cannot
 */
function planeOf(loaded: LoadedConfiguration): 'kernel' | 'userspace' {
  const { dataPlane } = loaded.host;
  if (dataPlane === 'userspace' || (dataPlane === 'auto' && hasHostIdentity(loaded))) return 'userspace';
  const kernel = kernelEsp();
  if (kernel.ok) return 'kernel';
  if (dataPlane === 'auto') return 'userspace';
  throw new DataPlaneError(`wayward.data_plane = kernel: this kernel has no ESP for us: ${kernel.detail}`);
}

/** Nobody counts what the kernel sends to an address that has not answered. */
function withoutCredit(configuration: EngineConfiguration): EngineConfiguration {
  const { hip } = configuration;
  return hip === undefined ? configuration : { ...configuration, hip: { ...hip, usesCredit: false } };
}

/** SAs of a process before us wait as long for one that still reads its checkpoint, and otherwise not at all. */
const keepEarlierMs = 1_000;

/** What an operator should read when the machine refuses something. */
function explain(error: unknown): string | undefined {
  if (error instanceof PacketThreadError || error instanceof SystemCallError) {
    if (error.code === 'EADDRINUSE') return `${error.message}: is another IKE daemon running?`;
    if (error.code === 'EBUSY') return `${error.message}: is another wayward running?`;
    if (error.code === 'EPERM' || error.code === 'EACCES') {
      return `${error.message}: wayward needs root, or CAP_NET_ADMIN, CAP_NET_RAW and CAP_NET_BIND_SERVICE`;
    }
    if (error.code === 'ENOENT' || error.code === 'ENXIO' || error.code === 'ENODEV') {
      return `${error.message}: the tun driver is missing (modprobe tun)`;
    }
    return error.message;
  }
  if (
    error instanceof ControlSocketError ||
    error instanceof RecordKeyError ||
    error instanceof DataPlaneError
  ) {
    return error.message;
  }
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.message;
  return undefined;
}

/** Runs until SIGTERM or SIGINT. Returns the exit status. */
export async function runDaemon(options: RunOptions, print: (line: string) => void): Promise<number> {
  const hangUp = new HangUp();
  const loaded = load(options.configurationPath);
  if (!('configuration' in loaded)) {
    for (const line of loaded) print(line);
    return ExitStatus.usage;
  }
  for (const line of warningLines(loaded)) print(line);
  const { host, configuration } = loaded;
  const log = new Log(host.logLevel, {
    format: logFormat(options.logFormat ?? host.logFormat, process.env['JOURNAL_STREAM'] !== undefined),
  });
  let keyLog: KeyLogFile | undefined;
  let dead: (() => void) | undefined;
  let started = false;
  let service: ServiceManager | undefined;
  try {
    service = new ServiceManager(takeServiceEnvironment());
    keyLog = options.keyLogPath === undefined ? undefined : new KeyLogFile(options.keyLogPath);
    const recordKey = recordKeyOf(host, options);
    const plane = planeOf(loaded);
    const packetThreads = plane === 'userspace' ? host.packetThreads : 1;
    const warnOfDevices = ({ host: { dataPlane }, configuration: read }: LoadedConfiguration): void => {
      // Who asks for this process by name has been told already.
      if (plane === 'kernel' || dataPlane === 'userspace') return;
      for (const line of withoutDevices(read)) log.line('warn', line);
    };
    warnOfDevices(loaded);
    const fitting = (wanted: EngineConfiguration): EngineConfiguration =>
      plane === 'kernel' ? withoutCredit(wanted) : wanted;
    const ownerName = resolve(options.statePath);
    const notKept = ({ message }: Error): void => log.line('error', `a record could not be kept: ${message}`);
    const store = new RecordStore(options.statePath, notKept);
    const { checkpoint } = checkpointOf(
      ...([host, recordKey, options.statePath, plane, packetThreads, log] as const),
    );
    // Only once the state folder is locked: nobody else of this name runs.
    if (plane === 'userspace') leaveKernel(ownerName);
    const addresses = existsSync(ipv6Addresses) ? [address('0.0.0.0'), address('::')] : [address('0.0.0.0')];
    // The kernel goes on with ESP in UDP as long as somebody has the socket.
    const hip = hasHostIdentity(loaded);
    const kept = plane === 'kernel' ? socketNames(addresses, { ...configuration.ports, hip }) : [];
    const sockets = service.takeKept(kept);
    let io: Awaited<ReturnType<typeof openPacketThreads>> | undefined;
    const daemon = new Daemon({
      store,
      ...(recordKey === undefined ? {} : { recordKey }),
      ...(checkpoint === undefined ? {} : { checkpoint }),
      ...(host.http === undefined
        ? {}
        : { http: { listen: host.http, token: keptToken(options.statePath, notKept) } }),
      configuration: fitting(configuration),
      log,
      mark: socketMark,
      packetThreads,
      socketPath: options.socketPath,
      ownerName,
      ...(keyLog === undefined ? {} : { keyLog }),
      ...(options.viciPath === undefined
        ? {}
        : {
            vici: {
              path: options.viciPath,
              configurationFile: resolve(options.configurationPath),
              connectionDefaults: loaded.connectionDefaults,
              reloadSettings: () => {
                const next = load(options.configurationPath);
                if (!('configuration' in next)) return next.join('; ');
                log.level = next.host.logLevel;
                const { halfOpen, natKeepaliveMs } = next.configuration;
                return { halfOpen, natKeepaliveMs };
              },
            },
          }),
      openPacketIo: async (listener) => {
        // They have been read, and these threads make only their own anew.
        if (checkpoint !== undefined)
          removeReceivedMarksFrom(receivedMarksPath(options.statePath), packetThreads);
        io = await openPacketThreads(
          {
            addresses,
            ikePort: configuration.ports.ike,
            natTraversalPort: configuration.ports.natTraversal,
            nativeEsp: plane === 'userspace',
            mark: socketMark,
            pathMtuBytes: 1500,
            ...(plane === 'userspace'
              ? { tunName: host.tunName }
              : {
                  kernel: {
                    ownerName,
                    keepEarlierMs: checkpoint === undefined ? 0 : keepEarlierMs,
                    ...(sockets === undefined ? {} : { sockets }),
                  },
                }),
            hip,
            ...(checkpoint === undefined
              ? {}
              : {
                  receivedMarks: {
                    path: receivedMarksPath(options.statePath),
                    bootId: checkpoint.bootId,
                  },
                }),
          },
          listener,
          packetThreads,
        );
        return io;
      },
      openNetwork: async (io) => {
        const device = io.tunName;
        const network =
          device === undefined
            ? new KernelNetwork(routingTable, socketMark)
            : new TunNetwork(device, routingTable, socketMark, host.tunMtuBytes);
        return new TunnelNetwork(network, device, {
          problem: (child, text) => log.line('error', `${child}: ${text}`),
          scriptLine: (child, text) => log.line('info', `${child}: updown: ${text}`),
        });
      },
      reload: (): EngineConfiguration | undefined => {
        const next = load(options.configurationPath);
        if (!('configuration' in next)) {
          for (const line of next) log.line('error', line);
          return undefined;
        }
        for (const line of warningLines(next)) log.line('warn', line);
        warnOfDevices(next);
        log.level = next.host.logLevel;
        const { configuration, waiting } = reloadable(loaded, next);
        for (const option of waiting) log.line('warn', `wayward.${option} changes at the next start`);
        if (hasHostIdentity(next) && !hasHostIdentity(loaded))
          log.line('warn', 'hip: its first identity waits for the next start');
        return fitting(configuration);
      },
      onEvent: (event) => {
        if (event.kind === 'child-up' || event.kind === 'child-down') service?.changed();
      },
      onDeath: (error) => {
        log.line('error', `the packet thread died: ${error.message}`);
        dead?.();
      },
    });
    const running = daemon.start();
    // A signal may come while the daemon still starts: it is heard, and followed once the daemon runs.
    const ending = new Promise<number>((resolve) => {
      process.once('SIGTERM', () => resolve(ExitStatus.ok));
      process.once('SIGINT', () => resolve(ExitStatus.ok));
      dead = () => resolve(ExitStatus.failed);
    });
    await running;
    started = true;
    const protectedBy = plane === 'kernel' ? 'the kernel' : 'this process';
    log.line('info', `packets are protected by ${protectedBy}`);
    log.line('info', `wayward is running, ${configuration.connections.length} connections loaded`);
    if (io instanceof PacketThread) {
      const opened = io.sockets;
      service.keep(new Map(kept.map((name, i) => [name, opened[i]!])));
    }
    service.ready(daemon);
    hangUp.listen(() => {
      service?.reloading();
      log.line('info', daemon.reload() ? 'configuration reloaded' : 'the old configuration stays');
      service?.reloaded();
    });
    const status = await ending;
    // If its packet thread has died, its SAs are still in the kernel, for a process after this one.
    if (status === ExitStatus.ok) service.forgetKept();
    service.stopping();
    await daemon.stop();
    log.line('info', 'wayward has ended');
    return status;
  } catch (error) {
    if (!started) keyLog?.discard();
    const text = explain(error);
    if (text === undefined) throw error;
    print(text);
    return ExitStatus.failed;
  } finally {
    service?.close();
  }
}
