// IKE_AUTH with EAP: users with passwords, gateways with certificates, and who must not get in.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatIdentity } from '../../authentication/identity-text.ts';
import { eapPair } from '../../testing/eap-pair.ts';

// RFC 7296 2.16, C.3
test('a user with a password and a gateway with a certificate make an IKE SA and a Child SA', () => {
  const pair = eapPair().establish();
  pair.assertKeysAgree();
  assert.equal(pair.moon.installed.size, 2);
  assert.equal(formatIdentity(pair.sun.sa.remoteEapIdentity!), 'carol');
  assert.equal(pair.moon.sa.remoteEapIdentity, undefined);
});

test('a wrong password is refused, and said at both ends', () => {
  const pair = eapPair({ password: 'roses' });
  pair.moon.initiate(pair.sun.endpoint);
  pair.settle();
  assert.equal(pair.moon.sa.phase, 'ended');
  assert.equal(pair.sun.sa.phase, 'ended');
  assert.match(pair.sun.eventsOf('ike-failed')[0]!.failure.detail, /carol gave a wrong password/);
  assert.match(pair.moon.eventsOf('ike-failed')[0]!.failure.detail, /user name or the password is wrong/);
});
