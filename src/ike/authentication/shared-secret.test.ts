// The index against a look at every secret.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Identity, SharedSecret } from '../configuration.ts';
import { matchIdentity } from './identity-match.ts';
import { identityFromText, identityPatternFromText } from './identity-text.ts';
import { findSharedSecret } from './shared-secret.ts';

const names = ['moon.example', 'MOON.example', 'sun.example', 'venus.test', '192.0.2.1', 'C=CH, CN=sun'];
const identity = fc.constantFrom(...names.map(identityFromText));
const owner = fc.constantFrom(...[...names, '%any', '*.example', 'C=CH, CN=*'].map(identityPatternFromText));

/** Every secret that fits, and how well. */
function ranked(secrets: readonly SharedSecret[], local: Identity, remote: Identity): SharedSecret[] {
  const best = (one: Identity, { owners }: SharedSecret): number =>
    Math.max(0, ...owners.map((pattern) => matchIdentity(one, pattern)));
  return secrets
    .filter(
      (one) => best(remote, one) > 0 || one.owners.every((pattern) => matchIdentity(local, pattern) > 0),
    )
    .toSorted((a, b) => best(remote, b) - best(remote, a) || best(local, b) - best(local, a));
}

test('given any secrets and any two identities, the one is found that ranks first', () => {
  fc.assert(
    fc.property(fc.array(fc.array(owner, { maxLength: 3 })), identity, identity, (lists, local, remote) => {
      const secrets = lists.map((owners, i) => ({ owners, secret: Uint8Array.of(i) }));
      assert.equal(findSharedSecret(secrets, local, remote), ranked(secrets, local, remote)[0]?.secret);
    }),
  );
});

test('among those of 1,000 peers the secret of one is found without a look at the others', () => {
  let looks = 0;
  const local = identityFromText('moon.example');
  const secrets = Array.from({ length: 1_000 }, (_, i): SharedSecret => {
    const owners = ['moon.example', `c${i}.example`].map(identityPatternFromText);
    return {
      get owners() {
        looks++;
        return owners;
      },
      secret: Uint8Array.of(i & 0xff),
    };
  });
  findSharedSecret(secrets, local, identityFromText('nobody.example'));
  looks = 0;
  assert.deepEqual(findSharedSecret(secrets, local, identityFromText('c7.example')), Uint8Array.of(7));
  assert.equal(findSharedSecret(secrets, local, identityFromText('nobody.example')), undefined);
  // From the other end all of them name the peer.
  const found = findSharedSecret(secrets, identityFromText('c7.example'), local);
  assert.deepEqual(found, Uint8Array.of(7));
  assert.ok(looks < 10, `${looks} looks`);
});
