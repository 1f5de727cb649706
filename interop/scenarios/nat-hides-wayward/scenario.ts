// wayward is behind a NAT, whose mapping changes later.
import assert from 'node:assert/strict';
import { eventually } from '../../harness/eventually.ts';
import type { Scenario } from '../../harness/scenario.ts';

const scenario: Scenario = {
  expects: 'NAT detected, pings and TCP both ways; a new mapping moves the address, and one IKE SA is left',
  // Nobody can initiate to who is hidden.
  roles: ['initiator'],
  network: { router: 'nat' },
  async play(stage) {
    await stage.establish('net');
    // kernel-libipsec makes strongSwan pretend a NAT in front of itself, too.
    await stage.wayward.waitForLog(/NAT in front of us/);
    await stage.pingBothWays();
    await stage.tcpBothWays();
    const pings = stage.keepPinging('wayward');
    await pings.answers(3);
    await stage.network.remap('30000-39999');
    await pings.answers(10);
    await pings.abandon();
    // strongSwan rekeys the Child SA, because kernel-libipsec cannot give an SA another address.
    // Where it is slow to notice, wayward has begun a fresh IKE SA, and one of the two goes.
    const sa = await eventually('both sides have the same one IKE SA', async () => {
      const [ours, theirs] = await Promise.all(stage.peers.map((peer) => peer.ikeSas()));
      const [one, ...more] = theirs!;
      return more.length === 0 && ours!.length === 1 && ours![0]!.initiatorSpi === one?.initiatorSpi
        ? one
        : undefined;
    });
    assert.equal(sa.remoteHost, stage.network.publicAddress?.[stage.family]);
    assert.ok(sa.remotePort >= 30_000, `port ${sa.remotePort}`);
    await stage.pingBothWays();
  },
};
export default scenario;
