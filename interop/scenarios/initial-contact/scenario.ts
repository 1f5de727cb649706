// The initiator is killed and comes back: INITIAL_CONTACT tells the other side that the old IKE SA is gone (RFC 7296 2.4).
import assert from 'node:assert/strict';
import { readWithKeys } from '../../harness/capture.ts';
import { eventually } from '../../harness/eventually.ts';
import type { Scenario } from '../../harness/scenario.ts';

const initialContact = '16384';

const scenario: Scenario = {
  expects: 'after kill -9 of the initiator INITIAL_CONTACT leaves one IKE SA; pings both ways',
  async play(stage) {
    await stage.establish('net');
    const [old] = await stage.responder.ikeSas();
    await stage.initiator.kill();
    await stage.initiator.start();
    await stage.initiator.up('net');
    await stage.routed(await stage.agreedChild('net'));
    const [fresh] = await eventually('the responder has one IKE SA', async () => {
      const all = await stage.responder.ikeSas();
      return all.length === 1 ? all : undefined;
    });
    assert.notEqual(fresh?.initiatorSpi, old?.initiatorSpi);
    if (stage.role === 'responder') await stage.wayward.waitForLog(/the peer sent INITIAL_CONTACT/);
    await stage.pingBothWays();
    await stage.stopCapture();
    const filter = `isakmp.notify.msgtype == ${initialContact}`;
    const sent = await readWithKeys(stage.capturePath, stage.wayward.keyLogPath, filter, ['isakmp.flag_i']);
    assert.deepEqual(sent.at(-1), ['1']);
  },
};
export default scenario;
