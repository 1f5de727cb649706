// wayward is killed and started again under traffic. strongSwan takes no notice of unprotected messages.
import assert from 'node:assert/strict';
import type { Scenario } from '../../harness/scenario.ts';

const scenario: Scenario = {
  expects: 'the restarted wayward calls whom its history names; INITIAL_CONTACT clears the old IKE SA',
  families: ['IPv4'],
  async play(stage) {
    await stage.establish('net');
    const pings = stage.keepPinging('strongswan');
    await pings.answers(20);
    await stage.wayward.kill();
    const startedAt = Date.now();
    await stage.wayward.start();
    const startMs = Date.now() - startedAt;
    await stage.wayward.waitForLog(/recovery by restart: calling/);
    await pings.answers(20);
    const { lost } = await pings.stop();
    assert.ok(lost * 20 < startMs + 2_000, `${lost} pings were lost`);
    const sas = await stage.strongswan.ikeSas();
    assert.equal(sas.length, 1);
  },
};
export default scenario;
