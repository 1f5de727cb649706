// ESP that is not in UDP comes by the first thread, whichever has the SA: before the SA stands, while it does, and after.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { nodeRandomness } from '#crypto';
import { MemoryDataPlane } from '#ipsec';
import { address, type Spi, selectorOfPrefix } from '#sa';
import { DatagramSocket } from '../datagram-socket.ts';
import { installation, listening, loopback } from '../testing/listening.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root for raw sockets';
const peer = address('127.0.0.2');
const spis = [3000, 3001, 3002] as const;
const dummies = 40;

/** A peer that has such an outbound SA, and sends packets with nothing inside by it. */
function peerWith(t: TestContext, spi: number): (count: number) => void {
  const plane = new MemoryDataPlane({ randomness: nodeRandomness() });
  const { sa } = installation('outbound', spi, 0);
  const { encapsulation: _, ...native } = sa;
  plane.apply({ kind: 'install', sa: { ...native, local: peer, remote: loopback } }, 0);
  const socket = new DatagramSocket(peer, { kind: 'raw', protocol: 50 }, { sendOnly: true });
  t.after(() => socket.close());
  return (count) => {
    for (let i = 0; i < count; i++) {
      plane.dummy(spi, 100, 0);
      const output = plane.poll();
      assert.equal(output?.kind, 'transmit');
      socket.send(peer, { address: loopback, port: 0 }, output.octets);
    }
  };
}

for (const spi of spis) {
  const { sa } = installation('inbound', spi, 0);
  const { encapsulation: _, ...native } = sa;
  const install = { kind: 'install', sa: { ...native, remote: peer } } as const;
  const selectors = { local: [selectorOfPrefix('10.0.0.0/8')!], remote: [selectorOfPrefix('10.0.0.0/8')!] };
  const policy = {
    policyId: spi,
    action: 'protect',
    selectors,
    priority: 1,
    mode: 'tunnel',
    childId: spi,
  } as const;

  test(`SPI ${spi}: what comes as soon as the SA was asked for is not lost, and what is late neither`, {
    skip,
  }, async (t) => {
    const send = peerWith(t, spi);
    const { thread, said, until } = await listening(t, { threads: 3, nativeEsp: true });
    thread.apply(1, install);
    thread.apply(2, { kind: 'install-policy', policy });
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

  test(`SPI ${spi}: what comes before its SA is received once that and its policy stand`, {
    skip,
  }, async (t) => {
    const send = peerWith(t, spi);
    const { thread, said, until } = await listening(t, { threads: 3, nativeEsp: true });
    send(1);
    await until(`unknown ${spi}`);
    thread.apply(1, install);
    await until('1 true');
    assert.ok(!said.includes(`first on ${spi}`));
    thread.apply(2, { kind: 'install-policy', policy });
    await until(`first on ${spi}`);
  });
}
