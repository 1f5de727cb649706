// strongSwan is behind a NAT, whose mapping changes later.
import assert from 'node:assert/strict';
import type { Scenario } from '../../harness/scenario.ts';

const scenario: Scenario = {
  expects: 'NAT detected, pings and TCP both ways; a new mapping moves the address and keeps the SAs',
  // Nobody can initiate to who is hidden.
  roles: ['responder'],
  network: { router: 'nat', hidden: 'strongswan' },
  async play(stage) {
    await stage.establish('net');
    await stage.wayward.waitForLog(/NAT in front of the peer$/m);
    await stage.pingBothWays();
    await stage.tcpBothWays();
    const before = await stage.agreedChild('net');

    const pings = stage.keepPinging('strongswan');
    await pings.answers(3);
    await stage.network.remap('30000-39999');
    await pings.answers(10);
    await pings.abandon();
    const { address, port } = (await stage.wayward.status()).engine.ikeSas[0]!.remote;
    assert.equal(address, stage.network.publicAddress?.[stage.family]);
    assert.ok(port >= 30_000, `port ${port}`);
    await stage.wayward.waitForLog(/peer moved from .*:4500 to .*:3\d{4}/);
    await stage.pingBothWays();
    assert.deepEqual(await stage.agreedChild('net'), before);
  },
};
export default scenario;
