// Which answers to a request with a COOKIE2 will do (RFC 4555 3.5, 3.7, 3.9).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address } from '#sa';
import { NotifyType } from '#wire';
import { cookie2 } from '../../payloads/cookie2.ts';
import { notify } from '../../payloads/notify.ts';
import type { Exchange } from '../exchange.ts';
import { lacksCookie2 } from './proof.ts';

const cookie = new Uint8Array(16).fill(7);
const end = { address: address('192.0.2.1'), port: 4500 };
const check: Exchange = {
  kind: 'check-path',
  cookie,
  candidate: { local: end, remote: end, by: 'update', failures: 0 },
};
const update: Exchange = { kind: 'update-addresses', moves: 1, cookie };

test('the COOKIE2 of a check comes back, whatever else is said', () => {
  for (const type of [NotifyType.NO_PROPOSAL_CHOSEN, NotifyType.UNACCEPTABLE_ADDRESSES]) {
    assert.equal(lacksCookie2(check, [notify(type)]), true);
    assert.equal(lacksCookie2(check, [notify(type), cookie2(cookie)]), false);
  }
});

test('an update may be refused without its COOKIE2, but not by any notify, nor with another one', () => {
  for (const type of [NotifyType.UNACCEPTABLE_ADDRESSES, NotifyType.UNEXPECTED_NAT_DETECTED]) {
    assert.equal(lacksCookie2(update, [notify(type)]), false);
    assert.equal(lacksCookie2(update, [notify(type), cookie2(new Uint8Array(16))]), true);
  }
  assert.equal(lacksCookie2(update, [notify(NotifyType.NO_PROPOSAL_CHOSEN)]), true);
  assert.equal(lacksCookie2(update, []), true);
});

test('where none was sent none is missed', () => {
  assert.equal(lacksCookie2({ kind: 'update-addresses', moves: 1 }, []), false);
  assert.equal(lacksCookie2({ kind: 'liveness' }, []), false);
});
