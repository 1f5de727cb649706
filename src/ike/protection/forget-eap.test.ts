// The keys of EAP go with the IKE SA that they were for.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IkeSaState } from '../ike-sa-state.ts';
import { forgetKeys } from './protection-keys.ts';

for (const name of ['eap-peer', 'eap-authenticator'] as const) {
  test(`the session key of an IKE SA that ends in phase ${name} is wiped, and its conversation ended`, () => {
    const sessionKey = new Uint8Array(64).fill(7);
    let destroyed = 0;
    const conversation = { destroy: () => destroyed++ };
    const phase =
      name === 'eap-peer'
        ? { name, peer: conversation, sessionKey }
        : { name, authenticator: conversation, proven: { sessionKey } };
    forgetKeys({ phase } as unknown as IkeSaState);
    assert.deepEqual(sessionKey, new Uint8Array(64));
    assert.equal(destroyed, 1);
  });
}
