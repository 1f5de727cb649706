// wayward is behind a NAT, whose mapping changes later.
import assert from 'node:assert/strict';
import type { Scenario } from '../../harness/scenario.ts';

const scenario: Scenario = {
  expects: 'NAT detected, pings and TCP both ways; a new mapping moves the address and keeps the IKE SA',
  // Nobody can initiate to who is hidden.
  roles: ['initiator'],
  network: { router: 'nat' },
  async play(stage) {
    await stage.establish('net');
    // kernel-libipsec makes strongSwan pretend a NAT in front of itself, too.
    await stage.wayward.waitForLog(/NAT in front of us/);
    await stage.pingBothWays();
    await stage.tcpBothWays();
    const [before] = (await stage.wayward.status()).engine.ikeSas;

    const pings = stage.keepPinging('wayward');
    await pings.answers(3);
    await stage.network.remap('30000-39999');
    await pings.answers(10, 10_000);
    await pings.abandon();
    // strongSwan rekeys the Child SA, because kernel-libipsec cannot give an SA another address.
    const [sa] = await stage.strongswan.ikeSas();
    assert.equal(sa?.initiatorSpi, before?.initiatorSpi);
    assert.ok(sa);
    assert.equal(sa.remoteHost, stage.network.publicAddress?.[stage.family]);
    assert.ok(sa.remotePort >= 30_000, `port ${sa.remotePort}`);
    await stage.pingBothWays();
  },
};
export default scenario;
