// Two strongSwans, one is killed and started again: what `wayward explain` makes of a capture that has no keys.
import assert from 'node:assert/strict';
import { eventually } from '../../harness/eventually.ts';
import { Explained } from '../../harness/explained.ts';
import type { PeerIkeSa } from '../../harness/peer.ts';
import type { Scenario } from '../../harness/scenario.ts';
import { Strongswan } from '../../harness/strongswan.ts';

async function only(peer: Strongswan): Promise<PeerIkeSa> {
  return eventually('one IKE SA with one Child SA', async () => {
    const [sa, ...others] = await peer.ikeSas();
    return others.length === 0 && sa?.children.length === 1 ? sa : undefined;
  });
}

const scenario: Scenario = {
  expects: 'explain tells of rekeys, of the lost state, how long it lasted and what would have shortened it',
  roles: ['initiator'],
  families: ['IPv4'],
  async play(stage) {
    // In the place of wayward, with the folder that is meant for it.
    const left = new Strongswan(stage.network.wayward.namespace, stage.wayward.folder);
    const right = stage.strongswan;
    try {
      await Promise.all([left.start(), right.start()]);
      await left.up('net');
      const first = await only(left);
      const pings = stage.keepPinging('wayward');
      await pings.answers(20);
      await left.rekeyChild('net');
      const rekeyed = await eventually('the child is rekeyed', async () => {
        const sa = await only(left);
        return sa.children[0]!.inboundSpi === first.children[0]!.inboundSpi ? undefined : sa;
      });
      await pings.answers(20);
      await left.rekeyIke('gateway');
      const second = await eventually('the IKE SA is rekeyed', async () => {
        const sa = await only(left);
        return sa.initiatorSpi === first.initiatorSpi ? undefined : sa;
      });
      await pings.answers(20);
      await right.kill();
      await right.start();
      await pings.answers(20);
      const { outageMs } = await pings.stop();
      const third = await only(left);
      await left.downIke('gateway');
      await stage.stopCapture();

      const told = await Explained.read(stage.capturePath);
      assert.deepEqual(
        told.ikeSas.map(({ initiatorSpi, responderSpi, state }) => [initiatorSpi, responderSpi, state]),
        [
          [first.initiatorSpi, first.responderSpi, 'rekeyed'],
          [second.initiatorSpi, second.responderSpi, 'lost'],
          [third.initiatorSpi, third.responderSpi, 'deleted'],
        ],
      );
      const children = [first, rekeyed, third].map(({ children: [child] }) => child!);
      assert.deepEqual(
        told.flows.map(({ spi }) => spi).toSorted(),
        children.flatMap(({ inboundSpi, outboundSpi }) => [inboundSpi, outboundSpi]).toSorted(),
      );
      for (const { spi, origin, missing } of told.flows)
        assert.deepEqual([origin, missing], ['likely', 0], spi);

      const lost = told.finding('lost-state');
      assert.match(lost.what, new RegExp(`^${stage.network.strongswan.outer.IPv4} lost its SAs`));
      const seconds = Number(/no answer for ([\d.]+) s/.exec(lost.what)?.[1]);
      // ping may have heard of either answer a little later.
      assert.ok(
        Math.abs(seconds * 1_000 - outageMs) < 1_000,
        `${seconds} s in the story, ${outageMs} ms between answers`,
      );
      assert.match(lost.advice, new RegExp(`SPI ${children[1]!.outboundSpi} .*INVALID_SPI.*QCD token`));
      assert.match(told.finding('request-unanswered').what, /INFORMATIONAL \d+ .* sent 3 times/);
    } finally {
      await left.stop();
    }
  },
};
export default scenario;
