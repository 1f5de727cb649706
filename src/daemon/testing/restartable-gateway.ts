// A gateway in a process of its own that keeps checkpoints, for tests that kill it: no privileges, ESP in UDP on loopback.
import { appendFileSync } from 'node:fs';
import { loadConfiguration } from '#config';
import { eventText } from '#engine';
import { monotonicMs } from '#linux';
import { address } from '#sa';
import { configurationPorts } from '../configuration/load-configuration-file.ts';
import { Daemon } from '../daemon.ts';
import { DatagramPacketIo } from '../datagram-packet-io.ts';
import { demoConfiguration, demoSides, otherSide, type Side } from '../demo/configuration.ts';
import { EchoTraffic } from '../demo/echo-traffic.ts';
import type { DemoPorts } from '../demo/reserved-ports.ts';
import { Log } from '../logs/log.ts';
import { TunnelNetwork } from '../network/tunnel-network.ts';
import { bootId } from '../state/boot-id.ts';
import { readRecordKey } from '../state/record-key.ts';
import { RecordStore } from '../state/record-store.ts';

export interface GatewayOptions {
  readonly side: Side;
  readonly ports: DemoPorts;
  readonly statePath: string;
  readonly keyFile: string;
  readonly checkpoint: boolean;
  /** Every datagram that this gateway sends is added to it, as a line of hexadecimal digits. */
  readonly sentPath: string;
  readonly pingIntervalMs: number;
}

/** What it tells its parent, in lines of JSON. */
export type GatewayReport =
  | { readonly kind: 'bound' }
  | { readonly kind: 'event'; readonly name: string; readonly text: string }
  | { readonly kind: 'ping'; readonly sequence: number; readonly reply: boolean };

export async function runRestartableGateway(
  options: GatewayOptions,
  tell: (report: GatewayReport) => void,
): Promise<void> {
  const { side, ports, statePath, keyFile, sentPath } = options;
  const us = demoSides[side];
  const loaded = loadConfiguration({
    // A peer that suspects the host while it is down would begin an IKE SA beside the one that comes back.
    text: demoConfiguration(side, ports).replace('wayward {', 'wayward {\n  parallel_attempts = no'),
    file: `/built-in/${side}.conf`,
    ports: configurationPorts,
  });
  const store = new RecordStore(statePath, (error) => {
    throw error;
  });
  let io: DatagramPacketIo | undefined;
  let replies = 0;
  const traffic = new EchoTraffic(us.host, demoSides[otherSide(side)].host, {
    send: (packet) => io?.sendPacket(packet),
    answered: () => undefined,
  });
  const daemon = new Daemon({
    configuration: loaded.configuration,
    log: new Log('error', { write: () => undefined }),
    mark: 0,
    store,
    recordKey: readRecordKey(keyFile, statePath),
    ...(options.checkpoint && {
      checkpoint: { bootId: bootId(), acrossBoot: false, maxAgeMs: 60_000, dataPlane: 'userspace' },
    }),
    openPacketIo: async (listener) => {
      io = new DatagramPacketIo(
        {
          addresses: [address(us.address)],
          ikePort: ports.ike,
          natTraversalPort: ports.natTraversal,
          pathMtuBytes: 1400,
          clock: monotonicMs,
          deliver: (packet) => {
            traffic.receive(packet);
            if (traffic.counters.repliesReceived === replies) return;
            replies = traffic.counters.repliesReceived;
            tell({ kind: 'ping', sequence: replies, reply: true });
          },
          bound: () => tell({ kind: 'bound' }),
          sent: (octets) => appendFileSync(sentPath, `${Buffer.from(octets).toString('hex')}\n`),
        },
        listener,
      );
      return io;
    },
    openNetwork: async () =>
      new TunnelNetwork(undefined, 'lo', { problem: () => undefined, scriptLine: () => undefined }),
    reload: () => ['there is no file'],
    onEvent: (event) => {
      const name = event.kind === 'ike' ? event.event.kind : event.kind;
      tell({ kind: 'event', name, text: eventText(event).text });
    },
    onDeath: (error) => {
      throw error;
    },
  });
  await daemon.start();
  if (options.pingIntervalMs > 0) {
    setInterval(() => {
      traffic.ping();
      tell({ kind: 'ping', sequence: traffic.counters.requestsSent, reply: false });
    }, options.pingIntervalMs);
  }
}

const [, , given] = process.argv;
if (given !== undefined && process.argv[1]?.endsWith('restartable-gateway.js')) {
  await runRestartableGateway(JSON.parse(given) as GatewayOptions, (report) =>
    process.stdout.write(`${JSON.stringify(report)}\n`),
  );
}
