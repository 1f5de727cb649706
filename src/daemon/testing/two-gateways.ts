// Both gateways of the demonstration in one process, with a tunnel between them, for tests of what operators see.
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { loadConfiguration } from '#config';
import { monotonicMs } from '#linux';
import { address } from '#sa';
import { configurationPorts } from '../configuration/load-configuration-file.ts';
import { Daemon, type DaemonOptions } from '../daemon.ts';
import { DatagramPacketIo } from '../datagram-packet-io.ts';
import { demoConfiguration, demoSides, otherSide, type Side } from '../demo/configuration.ts';
import { EchoTraffic } from '../demo/echo-traffic.ts';
import type { DemoPorts } from '../demo/reserved-ports.ts';
import { askDaemon } from '../endpoints/control-client.ts';
import { Log } from '../logs/log.ts';
import { TunnelNetwork } from '../network/tunnel-network.ts';

/** The machine may be busy with other tests. */
const patienceMs = 60_000;

/** Test files run side by side: each has ports of its own, below those that the system gives away. */
const ports: DemoPorts = {
  ike: 20_000 + 2 * (process.pid % 6_000),
  natTraversal: 20_001 + 2 * (process.pid % 6_000),
};

export interface TwoGateways {
  readonly left: Daemon;
  readonly right: Daemon;
  readonly ports: DemoPorts;
  readonly folder: string;
  /** Sends pings from left to right. */
  ping(times: number): void;
  /** Replaces the keys of the child. */
  rekey(): Promise<void>;
  /** A datagram that anybody could have sent. */
  sendForged(from: string, to: string, port: number, octets: Uint8Array): Promise<void>;
}

/** The child `demo` stands when this resolves. @param ofLeft what the left one has beside its configuration */
export async function twoGateways(t: TestContext, ofLeft: Partial<DaemonOptions> = {}): Promise<TwoGateways> {
  const folder = mkdtempSync(join(tmpdir(), 'wayward-'));
  const packetIos = new Map<Side, DatagramPacketIo>();
  const traffic = new Map<Side, EchoTraffic>();
  const make = (side: Side, more: Partial<DaemonOptions>): Daemon => {
    const us = demoSides[side];
    const { configuration } = loadConfiguration({
      text: demoConfiguration(side, ports),
      file: `/built-in/${side}.conf`,
      ports: configurationPorts,
    });
    traffic.set(
      side,
      new EchoTraffic(us.host, demoSides[otherSide(side)].host, {
        send: (packet) => packetIos.get(side)?.sendPacket(packet),
        answered: () => undefined,
      }),
    );
    return new Daemon({
      configuration,
      log: new Log('error', { write: () => undefined }),
      mark: 0,
      socketPath: join(folder, side),
      openPacketIo: async (listener) => {
        const io = new DatagramPacketIo(
          {
            addresses: [address(us.address)],
            ikePort: ports.ike,
            natTraversalPort: ports.natTraversal,
            pathMtuBytes: 1400,
            clock: monotonicMs,
            deliver: (packet) => traffic.get(side)?.receive(packet),
          },
          listener,
        );
        packetIos.set(side, io);
        return io;
      },
      openNetwork: async () =>
        new TunnelNetwork(undefined, 'lo', { problem: () => undefined, scriptLine: () => undefined }),
      reload: () => ['there is no file'],
      onDeath: (error) => {
        throw error;
      },
      ...more,
    });
  };
  const right = make('right', {});
  const left = make('left', ofLeft);
  t.after(async () => {
    await left.stop();
    await right.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  await right.start();
  await left.start();
  const up = await askDaemon(join(folder, 'left'), { kind: 'up', child: 'demo' });
  if (up.kind !== 'result' || !up.result.ok) throw new Error(`no tunnel: ${JSON.stringify(up)}`);
  return {
    left,
    right,
    ports,
    folder,
    ping: (times) => {
      for (let i = 0; i < times; i++) traffic.get('left')?.ping();
    },
    rekey: async () => {
      await askDaemon(join(folder, 'left'), { kind: 'rekey', name: 'demo', ike: false });
    },
    sendForged: (from, to, port, octets) =>
      new Promise((resolve, reject) => {
        const socket = createSocket('udp4');
        socket.bind({ address: from, port: 0 }, () =>
          socket.send(octets, port, to, (error) => {
            socket.close();
            if (error) reject(error);
            else resolve();
          }),
        );
      }),
  };
}

/** Waits until there is one. @throws Error if it takes too long */
export async function eventually<Value>(
  look: () => Value | undefined | Promise<Value | undefined>,
): Promise<Value> {
  for (const until = performance.now() + patienceMs; ; ) {
    const value = await look();
    if (value !== undefined) return value;
    if (performance.now() > until) throw new Error('it did not come');
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
