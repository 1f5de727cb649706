// Two connections of the responder fit the initiator's address and identity, and the first wants another authentication of it.
import assert from 'node:assert/strict';
import type { Scenario } from '../../harness/scenario.ts';

const scenario: Scenario = {
  expects: 'the responder goes on to the connection that takes a shared key; pings both ways',
  async play(stage) {
    await stage.establish('net');
    await stage.pingBothWays();
    assert.match(await stage.wayward.command('status'), /gateway: #1, established/);
  },
};
export default scenario;
