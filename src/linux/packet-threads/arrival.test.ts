// ESP comes to the thread that has its SA, or by another one that the kernel gave it to: before the SA stands, while it does, and after.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { nodeRandomness } from '#crypto';
import { MemoryDataPlane } from '#ipsec';
import { address, type SaCommand, type Spi, selectorOfPrefix } from '#sa';
import { SOL_UDP, UDP_SEGMENT } from '../libc/constants.ts';
import { must, pinned } from '../libc/libc.ts';
import { DatagramSocket } from '../sockets/datagram-socket.ts';
import { installation, type ListeningOptions, listening, loopback } from '../testing/listening.ts';

const peer = address('127.0.0.2');
const threads = 3;
const dummies = 40;

/** Gives packets with nothing inside of such an outbound SA. */
function sealer(spi: number): () => Uint8Array {
  const plane = new MemoryDataPlane({ randomness: nodeRandomness() });
  plane.apply(installation('outbound', spi, 0), 0);
  return () => {
    plane.dummy(spi, 100, 0);
    const output = plane.poll();
    assert.equal(output?.kind, 'transmit');
    return output.octets;
  };
}

/** How packets of an SPI come to a host. */
interface Way {
  readonly options: ListeningOptions;
  readonly skip: string | false;
  install(spi: number, port: number): SaCommand;
  /** @returns sends so many packets of the SPI */
  peer(t: TestContext, spi: number, port: number): (count: number) => void;
}

const ways: Readonly<Record<string, Way>> = {
  native: {
    options: { threads, nativeEsp: true },
    skip: process.getuid?.() === 0 ? false : 'needs root for raw sockets',
    install(spi) {
      const { encapsulation: _, ...native } = installation('inbound', spi, 0).sa;
      return { kind: 'install', sa: { ...native, remote: peer } };
    },
    peer(t, spi) {
      const socket = new DatagramSocket(peer, { kind: 'raw', protocol: 50 });
      t.after(() => socket.close());
      const seal = sealer(spi);
      return (count) => {
        for (let i = 0; i < count; i++) socket.send(peer, { address: loopback, port: 0 }, seal());
      };
    },
  },
  'joined by the kernel with another SA’s': {
    options: { threads },
    skip: false,
    install: (spi, port) => installation('inbound', spi, port),
    peer(t, spi, port) {
      const socket = new DatagramSocket(peer, { kind: 'udp', port });
      t.after(() => socket.close());
      const seal = sealer(spi);
      // Its place is another one, and all that is joined comes to that.
      const first = sealer(spi + 1)();
      const length = pinned(4);
      new DataView(length.buffer).setInt32(0, first.length, true);
      must('setsockopt', 'UDP_SEGMENT', socket.fd, SOL_UDP, UDP_SEGMENT, length, 4);
      return (count) => {
        const joined = Buffer.concat([first, ...Array.from({ length: count }, seal)]);
        assert.ok(socket.send(peer, { address: loopback, port }, joined));
      };
    },
  },
};

function policyOf(spi: number): SaCommand {
  const selectors = { local: [selectorOfPrefix('10.0.0.0/8')!], remote: [selectorOfPrefix('10.0.0.0/8')!] };
  const of = { policyId: spi, selectors, priority: 1, childId: spi } as const;
  return { kind: 'install-policy', policy: { action: 'protect', mode: 'tunnel', ...of } };
}

for (const [way, { options, skip, install, peer: peerOf }] of Object.entries(ways)) {
  for (const spi of [3000, 3001, 3002]) {
    test(`${way}, SPI ${spi}: what comes as soon as the SA was asked for is not lost, and what is late neither`, {
      skip,
    }, async (t) => {
      const { thread, port, said, until } = await listening(t, options);
      const send = peerOf(t, spi, port);
      thread.apply(1, install(spi, port));
      thread.apply(2, policyOf(spi));
      // They leave at the end of this turn: nothing of the control thread is waited for.
      await Promise.resolve();
      send(dummies);
      await until(`dummies: ${dummies}`);
      const name = { protocol: 'esp', direction: 'inbound', spi: spi as Spi, childId: spi } as const;
      thread.apply(3, { kind: 'remove', ...name, lingerMs: 5_000 });
      await until('3 true');
      send(5);
      await until(`dummies: ${dummies + 5}`);
      assert.ok(!said.includes(`unknown ${spi}`));
    });

    test(`${way}, SPI ${spi}: what comes before its SA is received once that and its policy stand`, {
      skip,
    }, async (t) => {
      const { thread, port, said, until } = await listening(t, options);
      const send = peerOf(t, spi, port);
      send(1);
      await until(`unknown ${spi}`);
      thread.apply(1, install(spi, port));
      await until('1 true');
      assert.ok(!said.includes(`first on ${spi}`));
      thread.apply(2, policyOf(spi));
      await until(`first on ${spi}`);
    });
  }
}
