// Lines of the control socket: requests as they are meant, and a reason for everything else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseControlRequest } from './control-protocol.ts';
import { hipCommandOf } from './hip-request.ts';

test('a request about HIP needs an action that exists, and a peer', () => {
  const ask = (request: object): unknown => parseControlRequest(JSON.stringify({ kind: 'hip', ...request }));
  for (const action of ['up', 'down', 'rekey', 'check'])
    assert.deepEqual(ask({ action, peer: 'sun' }), { kind: 'hip', action, peer: 'sun' });
  assert.equal(ask({ action: 'move', peer: 'sun' }), 'hip needs action: up, down, rekey or check');
  assert.equal(ask({ action: ['up'], peer: 'sun' }), 'hip needs action: up, down, rekey or check');
  assert.equal(ask({ action: 'up' }), 'hip needs peer');
  assert.equal(ask({ action: 'up', peer: '' }), 'hip needs peer');
});

test('a peer of HIP is named, or written as the address that its HIT is', () => {
  assert.deepEqual(hipCommandOf('check', 'sun'), { kind: 'hip-check', peer: 'sun' });
  assert.deepEqual(hipCommandOf('up', '2001:21::A0B'), {
    kind: 'hip-associate',
    peer: '20010021000000000000000000000a0b',
  });
  // No ORCHID: then it can only be a name.
  assert.deepEqual(hipCommandOf('down', '2001:db8::1'), { kind: 'hip-close', peer: '2001:db8::1' });
});
