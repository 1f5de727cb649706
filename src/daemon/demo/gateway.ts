// One gateway of the demonstration, in a process of its own; it reports to its parent.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfiguration } from '#config';
import type { ServerEvents } from '#control';
import { monotonicMs } from '#linux';
import { address } from '#sa';
import { configurationPorts } from '../configuration/load-configuration-file.ts';
import { Daemon } from '../daemon.ts';
import { DatagramPacketIo, datagramReportMs } from '../datagram-packet-io.ts';
import { Log } from '../logs/log.ts';
import { TunnelNetwork } from '../network/tunnel-network.ts';
import { readRecordKey } from '../state/record-key.ts';
import { RecordStore } from '../state/record-store.ts';
import { demoConfiguration, demoSides, otherSide, type Side } from './configuration.ts';
import { type EchoCounters, EchoTraffic } from './echo-traffic.ts';
import type { DemoPorts } from './reserved-ports.ts';

const pingIntervalMs = 100;

/** What a gateway needs beside its side. */
export interface GatewaySetup {
  readonly ports: DemoPorts;
  /** The demonstration's own: keys, and what survives a crash. */
  readonly folder: string;
}

export function recordKeyPath(folder: string): string {
  return join(folder, 'record.key');
}

export function gatewaySocketPath(folder: string, side: Side): string {
  return join(folder, side);
}

interface TellOf<Name extends keyof ServerEvents> {
  readonly kind: Name;
  readonly data: ServerEvents[Name];
}

/** What a gateway tells its parent. */
export type GatewayMessage =
  | { readonly kind: 'line'; readonly text: string }
  | { readonly kind: 'counters'; readonly echo: EchoCounters; readonly esp: readonly EspCounters[] }
  /** What operators see of it. */
  | TellOf<'snapshot'>
  | TellOf<'incident'>
  | TellOf<'unknown-spi'>
  /** A ping is answered after others were not. */
  | { readonly kind: 'traffic-back' }
  | { readonly kind: 'failed'; readonly detail: string };

export interface EspCounters {
  readonly direction: 'inbound' | 'outbound';
  readonly packets: number;
  readonly bytes: number;
}

/** Runs until SIGTERM, or until the parent is gone. */
export async function runGateway(
  side: Side,
  { ports, folder }: GatewaySetup,
  tell: (message: GatewayMessage) => void,
): Promise<void> {
  const us = demoSides[side];
  const loaded = loadConfiguration({
    text: demoConfiguration(side, ports),
    file: `/built-in/${side}.conf`,
    ports: configurationPorts,
  });
  let io: DatagramPacketIo | undefined;
  const traffic = new EchoTraffic(us.host, demoSides[otherSide(side)].host, {
    send: (packet) => io?.sendPacket(packet),
    answered: (lost) => {
      if (lost > 0) tell({ kind: 'traffic-back' });
    },
  });
  const statePath = join(folder, `${side}.state`);
  mkdirSync(statePath, { recursive: true });
  const esp = new Map<string, EspCounters>();
  const log = new Log(loaded.host.logLevel, { write: (text) => tell({ kind: 'line', text }) });
  const daemon = new Daemon({
    configuration: loaded.configuration,
    store: new RecordStore(statePath, ({ message }) =>
      log.line('error', `a record could not be kept: ${message}`),
    ),
    recordKey: readRecordKey(recordKeyPath(folder)),
    socketPath: gatewaySocketPath(folder, side),
    log,
    mark: 0,
    openPacketIo: async (listener) => {
      io = new DatagramPacketIo(
        {
          addresses: [address(us.address)],
          ikePort: loaded.configuration.ports.ike,
          natTraversalPort: loaded.configuration.ports.natTraversal,
          pathMtuBytes: loaded.host.tunMtuBytes,
          clock: monotonicMs,
          deliver: (packet) => traffic.receive(packet),
        },
        listener,
      );
      return io;
    },
    openNetwork: async () =>
      new TunnelNetwork(undefined, 'lo', {
        problem: (child, text) => log.line('error', `${child}: ${text}`),
        scriptLine: (child, text) => log.line('info', `${child}: ${text}`),
      }),
    observe: { name: side, sampleMs: 2 * datagramReportMs, rateWindowMs: 2 * datagramReportMs },
    follower: {
      told: (name, data) => tell({ kind: name, data } as GatewayMessage),
    },
    reload: () => ['a demonstration has no file to read again'],
    onEvent: (event) => {
      if (event.kind === 'child-up') traffic.childUp(event.child.childId);
      if (event.kind === 'child-down') traffic.childDown(event.child.childId);
    },
    onReports: (reports) => {
      for (const { direction, spi, counters } of reports) {
        esp.set(`${direction} ${spi}`, { direction, packets: counters.packets, bytes: counters.bytes });
      }
    },
    onDeath: (error) => tell({ kind: 'failed', detail: error.message }),
  });
  await daemon.start();
  const ping = setInterval(() => traffic.pingIfUp(), pingIntervalMs);
  let report: NodeJS.Timeout | undefined;
  await new Promise<void>((resolve) => {
    report = setInterval(() => {
      // A parent that was killed is not always told of by an event.
      if (!process.connected) resolve();
      tell({ kind: 'counters', echo: traffic.counters, esp: [...esp.values()] });
    }, 1_000);
    process.once('SIGTERM', () => resolve());
    process.once('SIGINT', () => resolve());
    process.once('disconnect', () => resolve());
  });
  clearInterval(ping);
  clearInterval(report);
  await daemon.stop();
  // A demonstration that was killed leaves this to us.
  if (!process.connected) rmSync(folder, { recursive: true, force: true });
}
