// What a daemon has of the kernel: sockets and packet threads, and addresses, routes and scripts of its tunnels.
import { existsSync } from 'node:fs';
import type { LoadedConfiguration } from '#config';
import { KernelNetwork, openPacketThreads, PacketThread, removeReceivedMarksFrom, TunNetwork } from '#linux';
import { address, type IpAddress } from '#sa';
import type { DaemonOptions } from './daemon.ts';
import { hasHostIdentity } from './data-plane-choice.ts';
import type { Log } from './logs/log.ts';
import { TunnelNetwork } from './network/tunnel-network.ts';
import type { PacketIo, PacketIoListener } from './packet-io.ts';
import { socketNames } from './service/kept-sockets.ts';
import type { ServiceManager } from './service/service-manager.ts';
import { receivedMarksPath } from './state/record-store.ts';

/** Routing table and rule priority of our routes, and the mark of our own packets. */
const routingTable = 220;
export const socketMark = 0x77_61_79;

const pathMtuBytes = 1_500;

/** There only if this kernel has IPv6, and it is not turned off. */
const ipv6Addresses = '/proc/net/if_inet6';

/** SAs of a process before us wait as long for one that still reads its checkpoint, and otherwise not at all. */
const keepEarlierMs = 1_000;

export interface KernelEndsOptions {
  readonly loaded: LoadedConfiguration;
  readonly plane: 'kernel' | 'userspace';
  readonly packetThreads: number;
  readonly statePath: string;
  readonly ownerName: string;
  readonly checkpoint: DaemonOptions['checkpoint'];
  readonly log: Log;
}

export class KernelEnds {
  readonly #options: KernelEndsOptions;
  readonly #addresses: readonly IpAddress[];
  /** Names of the sockets that systemd keeps. */
  readonly #kept: readonly string[];
  /** What it has kept of a process before us. */
  readonly #sockets: readonly number[] | undefined;
  #io: Awaited<ReturnType<typeof openPacketThreads>> | undefined;

  constructor(options: KernelEndsOptions, service: ServiceManager) {
    this.#options = options;
    const { plane, loaded } = options;
    this.#addresses = (existsSync(ipv6Addresses) ? ['0.0.0.0', '::'] : ['0.0.0.0']).map(address);
    const hip = hasHostIdentity(loaded);
    // The kernel goes on with ESP in UDP as long as somebody has the socket.
    this.#kept =
      plane === 'kernel' ? socketNames(this.#addresses, { ...loaded.configuration.ports, hip }) : [];
    this.#sockets = service.takeKept(this.#kept);
  }

  async openPacketIo(listener: PacketIoListener): Promise<PacketIo> {
    const { loaded, plane, packetThreads, statePath, ownerName, checkpoint } = this.#options;
    const { host, configuration } = loaded;
    const marks = receivedMarksPath(statePath);
    // They have been read, and these threads make only their own anew.
    if (checkpoint !== undefined) removeReceivedMarksFrom(marks, packetThreads);
    this.#io = await openPacketThreads(
      {
        addresses: this.#addresses,
        ikePort: configuration.ports.ike,
        natTraversalPort: configuration.ports.natTraversal,
        nativeEsp: plane === 'userspace',
        mark: socketMark,
        pathMtuBytes,
        ...(plane === 'userspace'
          ? { tunName: host.tunName }
          : {
              kernel: {
                ownerName,
                keepEarlierMs: checkpoint === undefined ? 0 : keepEarlierMs,
                ...(this.#sockets === undefined ? {} : { sockets: this.#sockets }),
              },
            }),
        hip: hasHostIdentity(loaded),
        ...(checkpoint === undefined ? {} : { receivedMarks: { path: marks, bootId: checkpoint.bootId } }),
      },
      listener,
      packetThreads,
    );
    return this.#io;
  }

  async openNetwork({ tunName }: PacketIo): Promise<TunnelNetwork> {
    const { loaded, log } = this.#options;
    const network =
      tunName === undefined
        ? new KernelNetwork(routingTable, socketMark)
        : new TunNetwork(tunName, routingTable, socketMark, loaded.host.tunMtuBytes);
    return new TunnelNetwork(network, tunName, {
      problem: (child, text) => log.line('error', `${child}: ${text}`),
      scriptLine: (child, text) => log.line('info', `${child}: updown: ${text}`),
    });
  }

  /** For a process after us. */
  keepSockets(service: ServiceManager): void {
    if (!(this.#io instanceof PacketThread)) return;
    const opened = this.#io.sockets;
    service.keep(new Map(this.#kept.map((name, i) => [name, opened[i]!])));
  }
}
