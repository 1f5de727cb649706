// strongSwan is a road warrior whose address vanishes, and another one comes; wayward is its gateway (RFC 4555).
import assert from 'node:assert/strict';
import { eventually } from '../../harness/eventually.ts';
import type { Scenario } from '../../harness/scenario.ts';

const scenario: Scenario = {
  expects: 'charon moves by itself; it is asked whether it is there, and traffic goes on in the same IKE SA',
  roles: ['responder'],
  async play(stage) {
    await stage.establish('net');
    const status = () => stage.wayward.command('status');
    // charon names its address of the other family, too, and that it has it no more: else that would be the way on.
    assert.match(await status(), /MOBIKE, the peer moves; the peer can also be at \S+\n/);
    await stage.network.withdraw('strongswan', stage.family === 'IPv4' ? 'IPv6' : 'IPv4');
    await eventually('wayward knows of no other address', async () =>
      /MOBIKE, the peer moves\n/.test(await status()) ? true : undefined,
    );
    await stage.pingBothWays();
    const [before] = await stage.wayward.ikeSas();
    assert.ok(before !== undefined);
    const pings = stage.keepPinging('strongswan');
    await pings.answers(3);
    const address = await stage.network.renumber('strongswan', stage.family, 500);
    await stage.wayward.waitForLog(/peer moved from /);
    await stage.wayward.waitForLog(/peer answers from .*: its Child SAs lead there/);
    await pings.answers(10);
    await pings.abandon();
    const sa = await eventually('wayward has the same IKE SA, with the new address', async () => {
      const [one, ...more] = await stage.wayward.ikeSas();
      return more.length === 0 && one?.remoteHost === address ? one : undefined;
    });
    assert.deepEqual([sa.initiatorSpi, sa.responderSpi], [before.initiatorSpi, before.responderSpi]);
    const [theirs, ...more] = await stage.strongswan.ikeSas();
    assert.deepEqual(more, []);
    assert.equal(theirs?.initiatorSpi, before.initiatorSpi);
    await stage.agreedChild('net');
    await stage.pingBothWays();
    await stage.tcpBothWays();
  },
};
export default scenario;
