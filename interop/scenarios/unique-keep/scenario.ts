// strongSwan is killed and comes back without INITIAL_CONTACT, to a gateway that keeps what it has: `unique = keep`.
import assert from 'node:assert/strict';
import { eventually } from '../../harness/eventually.ts';
import type { Scenario } from '../../harness/scenario.ts';

// RFC 7296 2.4
const scenario: Scenario = {
  expects: 'the peer gets in beside its dead IKE SA, which goes when nobody answers on it; pings both ways',
  roles: ['responder'],
  families: ['IPv4'],
  async play(stage) {
    const { wayward, strongswan } = stage;
    await stage.establish('net');
    const [old] = await wayward.ikeSas();
    await strongswan.kill();
    await strongswan.start();
    await strongswan.up('net');
    await stage.pingBothWays();
    const [fresh] = await eventually('wayward has one IKE SA', async () => {
      const all = await wayward.ikeSas();
      return all.length === 1 ? all : undefined;
    });
    // The fresh one came first.
    assert.match(await wayward.log(), /gateway\[2\] .*IKE SA established[\s\S]*gateway\[1\] .*IKE SA ended/);
    assert.notEqual(fresh?.initiatorSpi, old?.initiatorSpi);
    await stage.agreedChild('net');
    await stage.pingBothWays();
  },
};
export default scenario;
