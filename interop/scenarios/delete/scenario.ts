// Deleting a Child SA and an IKE SA from either side; what is deleted at one end is gone at both.
import { eventually } from '../../harness/eventually.ts';
import { childSas } from '../../harness/peer.ts';
import type { Scenario } from '../../harness/scenario.ts';
import { noPing } from '../../harness/traffic.ts';

const scenario: Scenario = {
  expects: 'Child SA and IKE SA deleted by either side, gone at both; comes up again each time',
  families: ['IPv4'],
  async play(stage) {
    await stage.establish('net');
    for (const peer of stage.peers) {
      await stage.pingBothWays();
      await peer.downChild('net');
      await eventually('no side has a Child SA', async () => {
        const left = await Promise.all(stage.peers.map(childSas));
        return left.flat().length === 0;
      });
      await noPing(stage.path('wayward'));

      await peer.up('net');
      await stage.routed(await stage.agreedChild('net'));
      await stage.pingBothWays();
      await peer.downIke('gateway');
      await stage.nothingLeft();
      await noPing(stage.path('wayward'));

      await stage.initiator.up('net');
      await stage.routed(await stage.agreedChild('net'));
    }
    await stage.pingBothWays();

    // A daemon that ends tells its peer.
    await stage.wayward.stop();
    await eventually('strongSwan has no IKE SA', async () => (await stage.strongswan.ikeSas()).length === 0);
  },
};
export default scenario;
