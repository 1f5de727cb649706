// Extended sequence numbers are wanted but not forced: a peer that has none is served without.
// charon's kernel-libipsec has none, so that traffic with them cannot be seen here.
import assert from 'node:assert/strict';
import type { Scenario } from '../../harness/scenario.ts';

const scenario: Scenario = {
  expects: 'extended sequence numbers wanted, agreed without, traffic passes',
  families: ['IPv4'],
  async play(stage) {
    await stage.establish('net');
    const child = await stage.agreedChild('net');
    assert.equal(child.suite, 'aes128gcm16');
    await stage.pingBothWays();
  },
};
export default scenario;
