// The real daemon: a configuration file, the kernel's sockets and TUN device, signals.
import {
  ConfigurationErrors,
  type ConfigurationErrors as Errors,
  formatPosition,
  type LoadedConfiguration,
} from '#config';
import type { EngineConfiguration } from '#engine';
import { PacketThread, PacketThreadError, SystemCallError, TunNetwork } from '#linux';
import { address } from '#sa';
import { ControlSocketError } from './control-server.ts';
import { Daemon } from './daemon.ts';
import { KeyLogFile } from './key-log-file.ts';
import { ConfigurationFileError, loadConfigurationFile } from './load-configuration-file.ts';
import { Log } from './log.ts';
import { TunnelNetwork } from './tunnel-network.ts';

/** Routing table and rule priority of our routes, and the mark of our own packets. */
const routingTable = 220;
const socketMark = 0x77_61_79;

export const defaultConfigurationPath = '/etc/swanctl/swanctl.conf';
export const defaultSocketPath = '/run/wayward.sock';

export interface RunOptions {
  readonly configurationPath: string;
  readonly socketPath: string;
  readonly keyLogPath?: string;
}

/** Exit statuses of `wayward`. */
export const ExitStatus = { ok: 0, failed: 1, usage: 2 } as const;

function load(path: string, print: (line: string) => void): LoadedConfiguration | undefined {
  try {
    const loaded = loadConfigurationFile(path);
    for (const { position, detail } of loaded.warnings)
      print(`${formatPosition(position)}: warning: ${detail}`);
    return loaded;
  } catch (error) {
    if (error instanceof ConfigurationErrors) for (const one of (error as Errors).errors) print(one.message);
    else if (error instanceof ConfigurationFileError) print(error.message);
    else throw error;
    return undefined;
  }
}

/** What an operator should read when the machine refuses something. */
function explain(error: unknown): string | undefined {
  if (error instanceof PacketThreadError || error instanceof SystemCallError) {
    if (error.code === 'EADDRINUSE') return `${error.message}: another IKE daemon runs on this machine`;
    if (error.code === 'EPERM' || error.code === 'EACCES') {
      return `${error.message}: wayward needs root, or CAP_NET_ADMIN, CAP_NET_RAW and CAP_NET_BIND_SERVICE`;
    }
    if (error.code === 'ENOENT' || error.code === 'ENXIO' || error.code === 'ENODEV') {
      return `${error.message}: the tun driver is missing (modprobe tun)`;
    }
    return error.message;
  }
  if (error instanceof ControlSocketError) return error.message;
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.message;
  return undefined;
}

/** Runs until SIGTERM or SIGINT. Returns the exit status. */
export async function runDaemon(options: RunOptions, print: (line: string) => void): Promise<number> {
  const loaded = load(options.configurationPath, print);
  if (loaded === undefined) return ExitStatus.usage;
  const { host, configuration } = loaded;
  const log = new Log(host.logLevel);
  let keyLog: KeyLogFile | undefined;
  let dead: (() => void) | undefined;
  try {
    keyLog = options.keyLogPath === undefined ? undefined : new KeyLogFile(options.keyLogPath);
    const daemon = new Daemon({
      configuration,
      log,
      mark: socketMark,
      socketPath: options.socketPath,
      ...(keyLog === undefined ? {} : { keyLog }),
      openPacketIo: (listener) =>
        PacketThread.start(
          {
            addresses: [address('0.0.0.0'), address('::')],
            ikePort: configuration.ports.ike,
            natTraversalPort: configuration.ports.natTraversal,
            nativeEsp: true,
            tunName: host.tunName,
            mark: socketMark,
            pathMtuBytes: 1500,
          },
          listener,
        ),
      openNetwork: async (io) => {
        const device = io.tunName ?? host.tunName;
        const network = new TunNetwork(device, routingTable, socketMark);
        await network.up(host.tunMtuBytes);
        return new TunnelNetwork(network, device, (child, problem) =>
          log.line('error', `${child}: ${problem}`),
        );
      },
      reload: (): EngineConfiguration | undefined =>
        load(options.configurationPath, (line) => log.line('error', line))?.configuration,
      onDeath: (error) => {
        log.line('error', `the packet thread died: ${error.message}`);
        dead?.();
      },
    });
    await daemon.start();
    log.line('info', `wayward is running, ${configuration.connections.length} connections loaded`);
    const status = await new Promise<number>((resolve) => {
      process.once('SIGTERM', () => resolve(ExitStatus.ok));
      process.once('SIGINT', () => resolve(ExitStatus.ok));
      process.on('SIGHUP', () => {
        log.line('info', daemon.reload() ? 'configuration reloaded' : 'the old configuration stays');
      });
      dead = () => resolve(ExitStatus.failed);
    });
    await daemon.stop();
    log.line('info', 'wayward has ended');
    return status;
  } catch (error) {
    const text = explain(error);
    if (text === undefined) throw error;
    print(text);
    return ExitStatus.failed;
  }
}
