// The end of an IKE SA: its keys are wiped, its ciphers unusable, its reservations given back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deriveIkeKeys } from '#crypto';
import { Encr, Ke, Prf } from '#sa';
import type { IkeSpi } from '#wire';
import { failure, IkeSaState } from './ike-sa-state.ts';
import { endIkeSa } from './lifecycle.ts';
import { protect } from './protection/protection-keys.ts';
import { addresses, connection, text } from './testing/connections.ts';
import { Pair } from './testing/pair.ts';

const suite = {
  encr: { id: Encr.AES_GCM_16, keyLengthBits: 128 },
  prf: Prf.HMAC_SHA2_256,
  ke: Ke.CURVE25519,
};

test('when an IKE SA ends, every key octet it held is zero and it can seal nothing more', () => {
  const spis = { initiator: '0102030405060708' as IkeSpi, responder: '1112131415161718' as IkeSpi };
  const state = new IkeSaState({
    ports: new Pair().moon.ports,
    role: 'initiator',
    connection: connection('moon'),
    spis,
    local: { address: addresses.moon, port: 500 },
    remote: { address: addresses.sun, port: 500 },
    natTraversal: { localPort: 4500, remotePort: 4500 },
    keyLog: false,
    at: 0,
    phase: { name: 'established' },
    firstRequestId: 0,
    firstExpectedId: 0,
  });
  const keys = deriveIkeKeys({
    suite,
    nonceInitiator: text('nonce of the initiator'),
    nonceResponder: text('nonce of the responder'),
    initiatorSpi: spis.initiator,
    responderSpi: spis.responder,
    sharedSecret: text('shared secret'),
  });
  protect(state, suite, keys);
  const { sealer } = state.secure();
  const zero = (octets: Uint8Array): boolean => octets.every((octet) => octet === 0);
  // The ciphers have copies of their own.
  assert.ok([keys.skEi, keys.skEr].every(zero));
  assert.ok(![keys.skD, keys.skPi, keys.skPr].some(zero));
  endIkeSa(state, failure('abandoned', 'test'));
  assert.ok([keys.skD, keys.skPi, keys.skPr].every(zero));
  assert.equal(state.protection, undefined);
  assert.throws(() =>
    sealer.seal(
      {
        initiatorSpi: spis.initiator,
        responderSpi: spis.responder,
        majorVersion: 2,
        minorVersion: 0,
        exchangeType: 37,
        initiator: true,
        response: false,
        higherVersion: false,
        messageId: 0,
      },
      [],
    ),
  );
});

test('ending gives back the SPIs of exchanges that were under way', () => {
  const pair = new Pair().establish();
  pair.moon.command({ kind: 'rekey-child', childId: 1 });
  assert.equal(pair.moon.reservedSpis.size, 2);
  pair.moon.command({ kind: 'abandon', reason: 'test' });
  assert.equal(pair.moon.reservedSpis.size, 0);
});
