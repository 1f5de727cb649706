// The real daemon: a configuration file, the kernel's sockets and TUN device, signals.
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { HostSettings, LoadedConfiguration } from '#config';
import type { EngineConfiguration } from '#engine';
import {
  KernelNetwork,
  leaveKernel,
  openPacketThreads,
  PacketThread,
  removeReceivedMarksFrom,
  TunNetwork,
} from '#linux';
import { address } from '#sa';
import { charonSocketPath } from '#vici';
import { readConfiguration, warningLines } from './configuration/read-configuration.ts';
import { reloadable } from './configuration/reloadable.ts';
import { withoutDevices } from './configuration/without-devices.ts';
import { Daemon } from './daemon.ts';
import { hasHostIdentity, planeOf, withoutCredit } from './data-plane-choice.ts';
import { KeyLogFile } from './logs/key-log-file.ts';
import { Log } from './logs/log.ts';
import { logFormat } from './logs/log-format.ts';
import { TunnelNetwork } from './network/tunnel-network.ts';
import { keptToken } from './page.ts';
import { refusalText } from './refusal-text.ts';
import { HangUp } from './service/hang-up.ts';
import { socketNames } from './service/kept-sockets.ts';
import { ServiceManager, takeServiceEnvironment } from './service/service-manager.ts';
import { checkpointOf } from './state/checkpoint-at-start.ts';
import { readCredential, readRecordKey } from './state/record-key.ts';
import { RecordStore, receivedMarksPath } from './state/record-store.ts';

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

/** @throws RecordKeyError */
function recordKeyOf({ recordKeyPath }: HostSettings, options: RunOptions): Uint8Array | undefined {
  if (recordKeyPath !== undefined) {
    return readRecordKey(resolve(dirname(options.configurationPath), recordKeyPath), options.statePath);
  }
  return readCredential(process.env['CREDENTIALS_DIRECTORY']);
}

/** SAs of a process before us wait as long for one that still reads its checkpoint, and otherwise not at all. */
const keepEarlierMs = 1_000;

/** Runs until SIGTERM or SIGINT. Returns the exit status. */
export async function runDaemon(options: RunOptions, print: (line: string) => void): Promise<number> {
  const hangUp = new HangUp();
  const loaded = readConfiguration(options.configurationPath);
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
                const next = readConfiguration(options.configurationPath);
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
      reload: () => {
        const next = readConfiguration(options.configurationPath);
        if (!('configuration' in next)) return next;
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
      daemon.reload();
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
    const text = refusalText(error);
    if (text === undefined) throw error;
    print(text);
    return ExitStatus.failed;
  } finally {
    service?.close();
  }
}
