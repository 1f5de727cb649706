// The responder holds a half-open IKE SA already and demands a COOKIE (RFC 7296 2.6).
import assert from 'node:assert/strict';
import { readWithKeys } from '../../harness/capture.ts';
import { eventually } from '../../harness/eventually.ts';
import type { Scenario } from '../../harness/scenario.ts';
import type { Stage } from '../../harness/stage.ts';

const cookieNotify = '16390';

/** A wayward that is killed after IKE_SA_INIT leaves a half-open IKE SA at strongSwan, whose limit is one. */
async function leaveHalfOpen(stage: Stage): Promise<void> {
  await stage.network.nft(
    'table inet mute { chain out { type filter hook output priority 0; udp dport 4500 drop; }; }',
  );
  const attempt = stage.wayward.up('net').catch(() => undefined);
  await eventually('strongSwan answers IKE_SA_INIT', async () =>
    (await stage.strongswan.log()).includes('generating IKE_SA_INIT response'),
  );
  await stage.wayward.kill();
  await attempt;
  await stage.network.nft('delete table inet mute');
  await stage.wayward.start();
}

const scenario: Scenario = {
  expects: 'the responder demands a COOKIE, the initiator returns it; pings both ways',
  async play(stage) {
    await stage.start();
    if (stage.role === 'initiator') await leaveHalfOpen(stage);
    await stage.initiator.up('net');
    await stage.routed(await stage.agreedChild('net'));
    await stage.pingBothWays();
    await stage.stopCapture();
    const filter = `isakmp.notify.msgtype == ${cookieNotify}`;
    const fields = ['isakmp.ispi', 'isakmp.flag_r'];
    const messages = await readWithKeys(stage.capturePath, undefined, filter, fields);
    // The demand, and the request that returns what it held. Before that one may have met a repeated request of who was killed.
    const spi = messages.at(-1)?.[0];
    const ofLast = messages.filter(([ispi]) => ispi === spi).map(([, isResponse]) => isResponse);
    assert.deepEqual(ofLast, ['1', '0']);
  },
};
export default scenario;
