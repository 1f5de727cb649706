// wayward is a road warrior whose address vanishes, and another one comes (RFC 4555).
import assert from 'node:assert/strict';
import { eventually } from '../../harness/eventually.ts';
import type { Scenario } from '../../harness/scenario.ts';

const scenario: Scenario = {
  expects: 'the address goes and another one comes; traffic goes on in the same IKE SA, from there',
  roles: ['initiator'],
  async play(stage) {
    // Else the other family would be the way on.
    await stage.network.withdraw('wayward', stage.family === 'IPv4' ? 'IPv6' : 'IPv4');
    await stage.establish('net');
    await stage.pingBothWays();
    const [before] = await stage.wayward.ikeSas();
    assert.ok(before !== undefined);
    assert.match(await stage.wayward.command('status'), /MOBIKE, as the end that moves/);
    const pings = stage.keepPinging('wayward');
    await pings.answers(3);
    const address = await stage.network.renumber('wayward', stage.family, 500);
    await stage.wayward.waitForLog(/we moved: from /);
    await pings.answers(10);
    await pings.abandon();
    // strongSwan rekeys the Child SA, because kernel-libipsec cannot give an SA another address.
    const sa = await eventually('strongSwan has the same IKE SA, with the new address', async () => {
      const [one, ...more] = await stage.strongswan.ikeSas();
      return more.length === 0 && one?.remoteHost === address ? one : undefined;
    });
    assert.deepEqual([sa.initiatorSpi, sa.responderSpi], [before.initiatorSpi, before.responderSpi]);
    const [after, ...more] = await stage.wayward.ikeSas();
    assert.deepEqual(more, []);
    assert.equal(after?.initiatorSpi, before.initiatorSpi);
    await stage.agreedChild('net');
    await stage.pingBothWays();
    await stage.tcpBothWays();
    // What replaces the IKE SA can move, too.
    await stage.wayward.rekeyIke('gateway');
    await stage.replacedIkeSa(sa);
    assert.match(await stage.wayward.command('status'), /MOBIKE, as the end that moves/);
    await stage.pingBothWays();
  },
};
export default scenario;
