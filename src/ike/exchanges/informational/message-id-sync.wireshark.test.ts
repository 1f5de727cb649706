// tshark reads the synchronisation of Message IDs as RFC 6311 lays it out.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NotifyType } from '#wire';
import { connection } from '../../testing/connections.ts';
import { Pair } from '../../testing/pair.ts';
import { dissect, settleRecorded, tsharkMissing } from '../../testing/tshark.ts';

test('tshark: announced in IKE_AUTH; nonce and both Message IDs in INFORMATIONAL 0', {
  skip: tsharkMissing,
}, () => {
  const pair = new Pair({
    moon: { connections: [connection('moon', { messageIdSync: true })] },
    sun: { connections: [connection('sun', { messageIdSync: true })] },
  });
  pair.moon.initiate(pair.sun.endpoint, { keyLog: true });
  const delivered = settleRecorded(pair);
  pair.sun.command({ kind: 'synchronize-message-ids', skip: 258 });
  delivered.push(...settleRecorded(pair));
  const lines = dissect(delivered, pair.moon.keyLog, [
    'isakmp.exchangetype',
    'isakmp.messageid',
    'isakmp.notify.msgtype',
    'isakmp.notify.data.ha.nonce_data',
    'isakmp.notify.data.ha.expected_send_req_message_id',
    'isakmp.notify.data.ha.expected_recv_req_message_id',
    '_ws.malformed',
  ]);
  for (const line of lines.slice(2, 4)) {
    const types = line['isakmp.notify.msgtype']?.split(',').map(Number);
    assert.ok(types?.includes(NotifyType.IKEV2_MESSAGE_ID_SYNC_SUPPORTED));
  }
  const [request, answer] = lines.slice(4);
  for (const line of [request, answer]) {
    assert.deepEqual(
      [line?.['isakmp.exchangetype'], Number(line?.['isakmp.messageid']), line?.['_ws.malformed']],
      ['37', 0, ''],
    );
    assert.equal(Number(line?.['isakmp.notify.msgtype']), NotifyType.IKEV2_MESSAGE_ID_SYNC);
  }
  assert.equal(request?.['isakmp.notify.data.ha.nonce_data'], answer?.['isakmp.notify.data.ha.nonce_data']);
  assert.equal(Number(request?.['isakmp.notify.data.ha.expected_send_req_message_id']), 258);
  assert.equal(Number(request?.['isakmp.notify.data.ha.expected_recv_req_message_id']), 2);
  assert.equal(Number(answer?.['isakmp.notify.data.ha.expected_send_req_message_id']), 2);
  assert.equal(Number(answer?.['isakmp.notify.data.ha.expected_recv_req_message_id']), 258);
});
