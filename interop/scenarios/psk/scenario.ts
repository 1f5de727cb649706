// A tunnel with a pre-shared key, and everything that should pass through any tunnel.
import assert from 'node:assert/strict';
import type { Scenario } from '../../harness/scenario.ts';
import { noPing } from '../../harness/traffic.ts';

const scenario: Scenario = {
  expects: 'PSK; pings both ways, TCP with a checksum both ways, inner IPv4 and IPv6; clean end',
  async play(stage) {
    await stage.establish('net');
    for (const inner of ['IPv4', 'IPv6'] as const) {
      await stage.pingBothWays(inner);
      await stage.tcpBothWays(inner);
    }
    const status = await stage.wayward.command('status');
    assert.match(status, /gateway: #1, established/);
    assert.match(status, /remote right\.example @ /);

    await stage.initiator.downIke('gateway');
    await stage.nothingLeft();
    await noPing(stage.path('wayward'));
  },
};
export default scenario;
