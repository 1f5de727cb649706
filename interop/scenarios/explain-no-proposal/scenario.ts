// The two sides accept nothing in common: `wayward explain` says what was offered, and where the two differ.
import assert from 'node:assert/strict';
import { Explained } from '../../harness/explained.ts';
import type { Scenario } from '../../harness/scenario.ts';

const scenario: Scenario = {
  expects: 'explain says which kinds of algorithm have nothing in common, once it has seen both offers',
  async play(stage) {
    await stage.start();
    await assert.rejects(stage.responder.up('net'));
    await assert.rejects(stage.initiator.up('net'));
    await stage.stopCapture();
    const told = await Explained.read(stage.capturePath);
    const refusals = told.findings.filter(({ code }) => code === 'no-proposal-chosen');
    assert.equal(refusals.length, 2);
    const { initiator, network, family } = stage;
    const asker = network.host(initiator.kind).outer[family];
    const second = refusals.find(({ what }) => what.endsWith(`proposals of ${asker}`));
    assert.match(second!.why, /offered: aes\d+/);
    assert.match(second!.why, /in common: .* is offered, and .* itself was seen to use .* \(frame \d+\)/);
    for (const { state } of told.ikeSas) assert.equal(state, 'refused');
  },
};
export default scenario;
