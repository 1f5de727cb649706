// What a packet thread says of its SAs, and in which order. It has no device: dummy packets are all that it needs.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { nodeRandomness } from '#crypto';
import { MemoryDataPlane } from '#ipsec';
import { address, Encr, type SaCommand, type SaParameters, type Spi, selectorOfPrefix } from '#sa';
import { PacketThread } from './packet-thread.ts';

const loopback = address('127.0.0.1');
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

function installation(direction: 'inbound' | 'outbound', spi: number, port: number): SaCommand {
  const everything = [selectorOfPrefix('10.0.0.0/8')!];
  const sa: SaParameters = {
    ...{ direction, protocol: 'esp', spi: spi as Spi, mode: 'tunnel', local: loopback, remote: loopback },
    encapsulation: { localPort: port, remotePort: port },
    encryption: { id: Encr.AES_GCM_16, keyLengthBits: 128, key: new Uint8Array(20).fill(spi) },
    ...{ esn: false, replayWindow: 64, selectors: { local: everything, remote: everything } },
    ...{ lifetimes: {}, childId: spi, generation: 0, copyDscp: 'out', copyDf: true },
  };
  return { kind: 'install', sa };
}

/** An ESP packet with nothing inside (RFC 4303 2.6). */
function dummyOn(spi: number, port: number): Uint8Array {
  const plane = new MemoryDataPlane({ randomness: nodeRandomness(), pathMtuBytes });
  plane.apply(installation('outbound', spi, port), 0);
  plane.dummy(spi, 100, 0);
  const output = plane.poll();
  assert.equal(output?.kind, 'transmit');
  return output.octets;
}

interface Listening {
  readonly thread: PacketThread;
  /** Where ESP in UDP comes to. */
  readonly port: number;
  /** What the thread said, in order. */
  readonly said: readonly string[];
  readonly until: (what: string) => Promise<void>;
  readonly send: (esp: Uint8Array) => void;
}

async function listening(t: TestContext): Promise<Listening> {
  const [ikePort, natTraversalPort] = await freePorts(2);
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
  const thread = await PacketThread.open(
    {
      ...{ addresses: [loopback], ikePort: ikePort!, natTraversalPort: port },
      ...{ nativeEsp: false, mark: 0, pathMtuBytes },
    },
    {
      ...{ datagram: nothing, hipPacket: nothing, addressesChanged: nothing, icmpError: nothing },
      event: (event) => say(event.kind === 'first-inbound' ? `first on ${event.spi}` : event.kind),
      saResult: (id, { ok }) => say(`${id} ${ok}`),
      reports: (reports) => {
        for (const { spi, counters } of reports) say(`report of ${spi}: ${counters.packets}`);
      },
      statistics: (verdicts) => say(`dummies: ${verdicts['dummy']}`),
      ...{ restarted: assert.fail, died: assert.fail },
    },
  );
  const socket = createSocket('udp4');
  t.after(() => {
    socket.close();
    return thread.close();
  });
  await thread.listen();
  thread.receive();
  return { thread, port, said, until, send: (esp) => socket.send(esp, port, loopback) };
}

test('what an SA carried last is told before its removal is answered, and what the thread counted after that', async (t) => {
  const { thread, port, said, until, send } = await listening(t);
  thread.apply(1, installation('inbound', 1001, port));
  thread.apply(2, installation('inbound', 1002, port));
  await until('2 true');
  send(dummyOn(1001, port));
  await until('first on 1001');
  thread.apply(3, {
    ...{ kind: 'remove', protocol: 'esp', direction: 'inbound', spi: 1001 as Spi, remote: loopback },
  });
  await until('3 true');
  await until('dummies: 1');
  assert.deepEqual(
    said.filter((one) => one.startsWith('report') || one.startsWith('3')),
    ['report of 1001: 1', '3 true'],
  );
});

test('a packet that came before its SA is received once that and its policy stand', async (t) => {
  const { thread, port, said, until, send } = await listening(t);
  send(dummyOn(1003, port));
  await until('unknown-spi');
  thread.apply(1, installation('inbound', 1003, port));
  await until('1 true');
  assert.ok(!said.includes('first on 1003'));
  const selectors = { local: [selectorOfPrefix('10.0.0.0/8')!], remote: [selectorOfPrefix('10.0.0.0/8')!] };
  const policy = {
    policyId: 1003,
    action: 'protect',
    selectors,
    priority: 1,
    mode: 'tunnel',
    childId: 1003,
  } as const;
  thread.apply(2, { kind: 'install-policy', policy });
  await until('first on 1003');
});
