// tshark reads the messages of a resumption, in clear and decrypted, as RFC 5723 lays them out.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExchangeType, NotifyType } from '#wire';
import { notify } from '../../payloads/notify.ts';
import { loseSun, presentedTicket, resumingPair, unprotectedAnswer } from '../../testing/resumption.ts';
import { dissect, settleRecorded, tsharkMissing } from '../../testing/tshark.ts';

const fields = [
  'isakmp.exchangetype',
  'isakmp.messageid',
  'isakmp.flag_r',
  'isakmp.typepayload',
  'isakmp.notify.msgtype',
  'isakmp.notify.data.ticket_opaque.lifetime',
  'isakmp.notify.data.ticket_opaque.data',
  '_ws.malformed',
];

function numbers(values: string | undefined): number[] {
  return values === undefined || values === '' ? [] : values.split(',').map(Number);
}

test('tshark: TICKET_REQUEST and TICKET_LT_OPAQUE in IKE_AUTH, with lifetime and ticket', {
  skip: tsharkMissing,
}, () => {
  const pair = resumingPair();
  pair.moon.initiate(pair.sun.endpoint, { keyLog: true });
  const lines = dissect(settleRecorded(pair), pair.moon.keyLog, fields);
  assert.equal(lines.length, 4);
  const [, , request, answer] = lines;
  assert.equal(request?.['isakmp.exchangetype'], `${ExchangeType.IKE_AUTH}`);
  assert.ok(numbers(request?.['isakmp.notify.msgtype']).includes(NotifyType.TICKET_REQUEST));
  assert.ok(numbers(answer?.['isakmp.notify.msgtype']).includes(NotifyType.TICKET_LT_OPAQUE));
  assert.equal(answer?.['isakmp.notify.data.ticket_opaque.lifetime'], '3600');
  const [ticket] = pair.moon.clientTickets;
  assert.equal(
    answer?.['isakmp.notify.data.ticket_opaque.data'],
    Buffer.from(ticket!.ticket).toString('hex'),
  );
  for (const line of lines) assert.equal(line['_ws.malformed'], '');
});

test('tshark: IKE_SESSION_RESUME is exchange type 38, and its IKE_AUTH opens with the keys we derived', {
  skip: tsharkMissing,
}, () => {
  const pair = resumingPair().establish();
  loseSun(pair);
  pair.moon.keyLog.length = 0;
  pair.moon.resume(pair.sun.endpoint);
  const delivered = settleRecorded(pair);
  const lines = dissect(delivered, pair.moon.keyLog, fields);
  assert.deepEqual(
    lines.map((line) => [
      line['isakmp.exchangetype'],
      numbers(line['isakmp.messageid']).join(),
      line['isakmp.flag_r'],
    ]),
    [
      ['38', '0', '0'],
      ['38', '0', '1'],
      ['35', '1', '0'],
      ['35', '1', '1'],
    ],
  );
  const [request, answer, auth, authAnswer] = lines;
  // 40 is Nonce, 41 is N; and there is no SA (33) and no KE (34).
  assert.deepEqual(numbers(request?.['isakmp.typepayload']), [40, 41, 41, 41, 41]);
  assert.deepEqual(numbers(answer?.['isakmp.typepayload']), [40, 41, 41, 41, 41]);
  assert.equal(numbers(request?.['isakmp.notify.msgtype'])[0], NotifyType.TICKET_OPAQUE);
  assert.equal(
    request?.['isakmp.notify.data.ticket_opaque.data'],
    Buffer.from(presentedTicket(delivered[0]!)!).toString('hex'),
  );
  // Behind SK (46): IDi 35, IDr 36, AUTH 39, SA 33, TSi 44, TSr 45; no CERT (37).
  for (const type of [35, 36, 39, 33, 44, 45]) {
    assert.ok(numbers(auth?.['isakmp.typepayload']).includes(type), `IKE_AUTH without payload ${type}`);
  }
  assert.ok(!numbers(auth?.['isakmp.typepayload']).includes(37));
  assert.ok(numbers(authAnswer?.['isakmp.notify.msgtype']).includes(NotifyType.TICKET_LT_OPAQUE));
  for (const line of lines) assert.equal(line['_ws.malformed'], '');
});

test('tshark: COOKIE and TICKET_NACK as answers to IKE_SESSION_RESUME', { skip: tsharkMissing }, () => {
  const pair = resumingPair().establish();
  loseSun(pair);
  pair.moon.resume(pair.sun.endpoint);
  const request = pair.take(pair.sun);
  const cookie = unprotectedAnswer(pair, request, notify(NotifyType.COOKIE, new Uint8Array(17)));
  pair.deliver(pair.moon, cookie);
  pair.sun.tickets = undefined;
  const lines = dissect([request, cookie, ...settleRecorded(pair)], [], fields);
  assert.deepEqual(
    lines.map((line) => [line['isakmp.exchangetype'], numbers(line['isakmp.notify.msgtype'])[0]]),
    [
      ['38', NotifyType.TICKET_OPAQUE],
      ['38', NotifyType.COOKIE],
      ['38', NotifyType.COOKIE],
      ['38', NotifyType.TICKET_NACK],
    ],
  );
  for (const line of lines) assert.equal(line['_ws.malformed'], '');
});
