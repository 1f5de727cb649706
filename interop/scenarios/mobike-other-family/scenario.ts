// wayward loses its only address of one family, and goes on between addresses of the other, which strongSwan has told of (RFC 4555 3.4).
import assert from 'node:assert/strict';
import { eventually } from '../../harness/eventually.ts';
import type { Scenario } from '../../harness/scenario.ts';

const scenario: Scenario = {
  expects: 'the IKE SA goes on between addresses of the other family, and traffic with it',
  roles: ['initiator'],
  async play(stage) {
    await stage.establish('net');
    const [before] = await stage.wayward.ikeSas();
    assert.ok(before !== undefined);
    const other = stage.family === 'IPv4' ? 'IPv6' : 'IPv4';
    const { wayward, strongswan } = stage.network;
    const pings = stage.keepPinging('wayward');
    await pings.answers(3);
    await stage.network.withdraw('wayward', stage.family);
    await pings.answers(10);
    await pings.abandon();
    const theirs = await eventually('strongSwan has the same IKE SA, with the other address', async () => {
      const [one, ...more] = await stage.strongswan.ikeSas();
      return more.length === 0 && one?.remoteHost === wayward.outer[other] ? one : undefined;
    });
    const [ours] = await stage.wayward.ikeSas();
    for (const sa of [ours, theirs]) assert.equal(sa?.initiatorSpi, before.initiatorSpi);
    assert.equal(ours?.remoteHost, strongswan.outer[other]);
    await stage.agreedChild('net');
    await stage.pingBothWays();
    await stage.tcpBothWays();
  },
};
export default scenario;
