// New keys for the Child SA and the IKE SA, asked for by either side, while pings run both ways.
import assert from 'node:assert/strict';
import type { Scenario } from '../../harness/scenario.ts';

const scenario: Scenario = {
  expects: 'Child SA and IKE SA rekeyed by either side, no ping lost',
  async play(stage) {
    await stage.establish('net');
    const pings = [stage.keepPinging('wayward'), stage.keepPinging('strongswan')];
    await Promise.all(pings.map((one) => one.answers(5)));
    for (const peer of stage.peers) {
      const before = await stage.agreedChild('net');
      await peer.rekeyChild('net');
      await stage.replacedChild(before);
      await Promise.all(pings.map((one) => one.answers(5)));

      const [ike] = await stage.wayward.ikeSas();
      await peer.rekeyIke('gateway');
      await stage.replacedIkeSa(ike!);
      // The successor must carry exchanges: a rekey of the Child SA under it.
      const inherited = await stage.agreedChild('net');
      await peer.rekeyChild('net');
      await stage.replacedChild(inherited);
      await Promise.all(pings.map((one) => one.answers(5)));
    }
    for (const one of pings) {
      const { answered, lost } = await one.stop();
      assert.equal(lost, 0, `${lost} pings lost, ${answered} answered`);
    }
  },
};
export default scenario;
