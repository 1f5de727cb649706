// Liveness checks of either side: answered while the other lives, and the end of the SAs when it is dead.
import { eventually } from '../../harness/eventually.ts';
import type { Scenario } from '../../harness/scenario.ts';

const scenario: Scenario = {
  expects: 'checks of either side are answered; a dead peer is noticed by either side',
  families: ['IPv4'],
  variables: { wayward_asks: '1s', strongswan_asks: '0s' },
  async play(stage) {
    const { wayward, strongswan } = stage;
    await stage.establish('net');
    await wayward.waitForLog(/peer is alive, answered after/);
    await strongswan.kill();
    await wayward.waitForLog(/IKE SA ended: .*answer/);
    await eventually('wayward has no IKE SA', async () => (await wayward.ikeSas()).length === 0);

    // One at a time: who was asked knows that the other lives, and does not ask. wayward starts anew, lest it is busy
    // calling the dead peer.
    await wayward.stop();
    await stage.configure({ wayward_asks: '0s', strongswan_asks: '1s' });
    await stage.establish('net');
    await eventually('charon has asked and was answered', async () =>
      /sending DPD request.*parsed INFORMATIONAL response/s.test(await strongswan.log()),
    );
    await wayward.kill();
    await eventually('charon has no IKE SA', async () => (await strongswan.ikeSas()).length === 0);
  },
};
export default scenario;
