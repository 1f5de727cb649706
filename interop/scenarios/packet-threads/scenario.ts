// Two Child SAs and three packet threads: each thread has its own SAs, also those that replace others.
import assert from 'node:assert/strict';
import type { PeerChild } from '../../harness/peer.ts';
import type { Scenario } from '../../harness/scenario.ts';
import type { Stage } from '../../harness/stage.ts';

const threads = 3;
const children = { net4: 'IPv4', net6: 'IPv6' } as const;
type Child = keyof typeof children;
const names = Object.keys(children) as Child[];

function threadOf({ inboundSpi }: PeerChild): number {
  return Number.parseInt(inboundSpi, 16) % threads;
}

async function rekeyByEitherSide(stage: Stage, child: Child): Promise<void> {
  for (const peer of stage.peers) {
    const before = await stage.agreedChild(child);
    await peer.rekeyChild(child);
    const after = await stage.replacedChild(before);
    assert.equal(threadOf(after), threadOf(before), `${child} stays in its thread`);
  }
}

const scenario: Scenario = {
  expects: 'two Child SAs among three packet threads, rekeyed by either side, no ping lost',
  async play(stage) {
    await stage.start();
    for (const child of names) {
      await stage.initiator.up(child);
      await stage.agreedChild(child);
    }
    await stage.routed(await stage.agreedChild('net6'));
    const pings = names.flatMap((child) => [
      stage.keepPinging('wayward', children[child]),
      stage.keepPinging('strongswan', children[child]),
    ]);
    await Promise.all(pings.map((one) => one.answers(5)));
    for (const child of names) {
      await rekeyByEitherSide(stage, child);
      await stage.tcpBothWays(children[child]);
      await Promise.all(pings.map((one) => one.answers(5)));
    }
    for (const one of pings) {
      const { answered, lost } = await one.stop();
      assert.equal(lost, 0, `${lost} pings lost, ${answered} answered`);
    }
  },
};
export default scenario;
