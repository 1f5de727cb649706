// One packet thread or several on free ports of the loopback interface, without a device, and what they say.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { nodeRandomness } from '#crypto';
import { MemoryDataPlane } from '#ipsec';
import {
  address,
  Encr,
  type IpAddress,
  type SaCommand,
  type SaDirection,
  type SaParameters,
  type Spi,
  selectorOfPrefix,
} from '#sa';
import type { PacketThreadOptions } from '../packet-thread/control/messages.ts';
import type { PacketThread } from '../packet-thread/packet-thread.ts';
import { openPacketThreads } from '../packet-threads/open.ts';
import type { PacketThreads } from '../packet-threads/packet-threads.ts';

export const loopback: IpAddress = address('127.0.0.1');
const pathMtuBytes = 1500;

async function freePorts(count: number): Promise<number[]> {
  const sockets = await Promise.all(
    Array.from({ length: count }, async () => {
      const socket = createSocket('udp4').bind(0, loopback);
      await once(socket, 'listening');
      return socket;
    }),
  );
  const ports = sockets.map((socket) => socket.address().port);
  for (const socket of sockets) socket.close();
  return ports;
}

/** Of a pair of SAs with this SPI, unless another one is told. */
export function installation(
  direction: SaDirection,
  spi: number,
  port: number,
  childId: number = spi,
): Extract<SaCommand, { kind: 'install' }> {
  const everything = [selectorOfPrefix('10.0.0.0/8')!];
  const sa: SaParameters = {
    ...{ direction, protocol: 'esp', spi: spi as Spi, mode: 'tunnel', local: loopback, remote: loopback },
    encapsulation: { localPort: port, remotePort: port },
    encryption: { id: Encr.AES_GCM_16, keyLengthBits: 128, key: new Uint8Array(20).fill(spi) },
    ...{ esn: false, replayWindow: 64, selectors: { local: everything, remote: everything } },
    ...{ lifetimes: {}, childId, generation: 0, copyDscp: 'out', copyDf: true },
  };
  return { kind: 'install', sa };
}

/** An ESP packet with nothing inside (RFC 4303 2.6). */
export function dummyOn(spi: number, port: number): Uint8Array {
  const plane = new MemoryDataPlane({ randomness: nodeRandomness(), pathMtuBytes });
  plane.apply(installation('outbound', spi, port), 0);
  plane.dummy(spi, 100, 0);
  const output = plane.poll();
  assert.equal(output?.kind, 'transmit');
  return output.octets;
}

export interface Opened {
  readonly thread: PacketThread | PacketThreads;
  /** Where ESP in UDP comes to. */
  readonly port: number;
  /** What the thread said, in order. */
  readonly said: readonly string[];
  readonly until: (what: string) => Promise<void>;
  readonly send: (esp: Uint8Array) => void;
}

/** With `nativeEsp` others' ESP on this interface is heard, too. */
export interface ListeningOptions
  extends Partial<Pick<PacketThreadOptions, 'addresses' | 'nativeEsp' | 'hip' | 'tunName' | 'kernel'>> {
  /** One by default. */
  readonly threads?: number;
  /** IKE's and the one for NAT traversal. */
  readonly ports?: readonly [number, number];
  /** Threads may die, and the test hears of it. */
  readonly mortal?: boolean;
}

export async function listening(t: TestContext, options: ListeningOptions = {}): Promise<Opened> {
  const opened = await open(t, options);
  await opened.thread.listen();
  opened.thread.receive();
  return opened;
}

/** It has yet to listen. */
export async function open(
  t: TestContext,
  { threads = 1, ports, mortal = false, ...more }: ListeningOptions = {},
): Promise<Opened> {
  const [ikePort, natTraversalPort] = ports ?? (await freePorts(2));
  const port = natTraversalPort!;
  const said: string[] = [];
  const nothing = (): undefined => undefined;
  let heard = nothing as () => void;
  const until = (what: string): Promise<void> =>
    new Promise((resolve) => {
      heard = () => {
        if (said.some((one) => one.startsWith(what))) resolve();
      };
      heard();
    });
  const say = (what: string): void => {
    said.push(what);
    heard();
  };
  const thread = await openPacketThreads(
    {
      ...{ addresses: [loopback], ikePort: ikePort!, natTraversalPort: port },
      ...{ nativeEsp: false, mark: 0, pathMtuBytes },
      ...more,
    },
    {
      ...{ datagram: nothing, hipPacket: nothing, addressesChanged: nothing, icmpError: nothing },
      event: (event) => {
        if (event.kind === 'first-inbound') say(`first on ${event.spi}`);
        else if (event.kind === 'unknown-spi') say(`unknown ${event.evidence.spi}`);
        else say(event.kind);
      },
      saResult: (id, { ok }) => say(`${id} ${ok}`),
      reports: (reports) => {
        for (const { spi, counters } of reports) {
          say(`report of ${spi}: ${counters.packets}`);
          if (counters.integrityFailures > 0) say(`not authentic on ${spi}: ${counters.integrityFailures}`);
        }
      },
      statistics: (verdicts) => say(`dummies: ${verdicts['dummy']}`),
      restarted: (error, sas) =>
        mortal ? say(`restarted with ${sas}: ${error.message}`) : assert.fail(error),
      died: (error) => (mortal ? say(`died: ${error.message}`) : assert.fail(error)),
    },
    threads,
  );
  const socket = createSocket('udp4');
  t.after(() => {
    socket.close();
    return thread.close();
  });
  return { thread, port, said, until, send: (esp) => socket.send(esp, port, loopback) };
}
