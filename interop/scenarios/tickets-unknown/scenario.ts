// A peer that knows no session resumption is asked for a ticket once, in IKE_AUTH, and is not disturbed by it.
import assert from 'node:assert/strict';
import { readWithKeys } from '../../harness/capture.ts';
import { eventually } from '../../harness/eventually.ts';
import type { Scenario } from '../../harness/scenario.ts';

const ikeAuth = '35';
const ticketRequest = 16410;

const scenario: Scenario = {
  expects: 'TICKET_REQUEST in IKE_AUTH alone; the tunnel and rekeyings of either side as ever',
  roles: ['initiator'],
  families: ['IPv4'],
  async play(stage) {
    await stage.establish('net');
    for (const peer of stage.peers) {
      const [before] = await stage.wayward.ikeSas();
      await peer.rekeyIke('gateway');
      await eventually('another IKE SA', async () => {
        const sas = await stage.wayward.ikeSas();
        return sas.length === 1 && sas[0]?.initiatorSpi !== before?.initiatorSpi ? sas : undefined;
      });
      await stage.pingBothWays('IPv4');
    }
    await stage.stopCapture();
    const asked = await readWithKeys(
      stage.capturePath,
      stage.wayward.keyLogPath,
      `isakmp.notify.msgtype == ${ticketRequest}`,
      ['isakmp.exchangetype'],
    );
    assert.deepEqual(asked, [[ikeAuth]]);
  },
};
export default scenario;
