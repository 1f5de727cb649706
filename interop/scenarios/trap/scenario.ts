// A trap policy on wayward's side: the first packet for the peer's network brings the tunnel up and is not lost.
import assert from 'node:assert/strict';
import type { Scenario } from '../../harness/scenario.ts';
import { ping } from '../../harness/traffic.ts';

const scenario: Scenario = {
  expects: 'the first packet for the peer brings the tunnel up and reaches it',
  roles: ['initiator'],
  async play(stage) {
    await stage.start();
    const { engine } = await stage.wayward.status();
    assert.deepEqual(engine.traps, [{ connection: 'gateway', child: 'net' }]);
    assert.deepEqual(engine.ikeSas, []);

    await ping(stage.path('wayward'), 3);
    const child = await stage.agreedChild('net');
    await stage.pingBothWays();

    // A trap is there again once the tunnel is gone.
    await stage.strongswan.downIke('gateway');
    await stage.nothingLeft();
    await ping(stage.path('wayward', 'IPv6'), 3);
    const again = await stage.agreedChild('net');
    assert.notEqual(again.inboundSpi, child.inboundSpi);
  },
};
export default scenario;
