// Finding the path: order, look-alikes, loops, and peers that send too much.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authority, certificate, DAY_MS, type Holder, NOW_MS } from './testing/certificate-builder.ts';
import { validatePath } from './validate-path.ts';

function validate(certificates: readonly Holder[], anchors: readonly Holder[]) {
  return validatePath({
    kind: 'validate-path',
    certificates: certificates.map(({ der }) => der),
    trustAnchors: anchors.map(({ der }) => der),
    revocationLists: [],
    ocspResponses: [],
    revocation: 'relaxed',
    nowMs: NOW_MS,
  });
}

const valid = (...path: readonly Holder[]) => ({
  kind: 'validate-path',
  ok: true,
  path: path.map(({ der }) => der),
});
const refused = (reason: string) => ({ kind: 'validate-path', ok: false, reason });

const root = authority({ subject: 'CN=Root' });
const first = authority({ subject: 'CN=First', issuer: root });
const second = authority({ subject: 'CN=Second', issuer: first });
const leaf = certificate({ subject: 'CN=leaf', issuer: second });

test('intermediates come in any order, with duplicates and strangers between them', () => {
  const stranger = authority({ subject: 'CN=Stranger' });
  const path = valid(leaf, second, first, root);
  assert.deepEqual(validate([leaf, second, first], [root]), path);
  assert.deepEqual(validate([leaf, first, second], [root]), path);
  assert.deepEqual(validate([leaf, stranger, first, root, second, second, leaf], [stranger, root]), path);
});

test('an intermediate that is itself a trust anchor ends the path', () => {
  assert.deepEqual(validate([leaf, second, first], [second]), valid(leaf, second));
});

test('a root that came from the peer is not trusted', () => {
  assert.deepEqual(
    validate([leaf, second, first, root], []),
    refused('CN=Root: no trusted issuer "CN=Root" found'),
  );
});

test('an authority with the name of a trust anchor and another key is refused', () => {
  const impostor = authority({ subject: 'CN=Root', key: 'impostor' });
  const forged = certificate({ subject: 'CN=leaf', issuer: impostor });
  assert.deepEqual(
    validate([forged, impostor], [root]),
    refused('CN=leaf: its signature does not verify with the key of CN=Root'),
  );
});

test('an expired look-alike is passed over for the valid one', () => {
  const past = { notBeforeMs: NOW_MS - 3 * DAY_MS, notAfterMs: NOW_MS - DAY_MS };
  const expired = authority({ subject: 'CN=First', issuer: root, ...past });
  assert.deepEqual(validate([leaf, second, expired, first], [root]), valid(leaf, second, first, root));
  assert.deepEqual(
    validate([leaf, second, expired], [root]),
    refused('CN=First: expired on 2029-12-31 00:00:00 UTC'),
  );
});

test('cross-certificates in a loop end', () => {
  const forth = authority({ subject: 'CN=A', issuer: authority({ subject: 'CN=B' }) });
  const back = authority({ subject: 'CN=B', issuer: authority({ subject: 'CN=A' }) });
  const below = certificate({ subject: 'CN=leaf', issuer: forth });
  const result = validate([below, forth, back], [root]);
  assert.deepEqual(result, refused('CN=B: no trusted issuer "CN=A" found'));
});

test('a path longer than ten certificates is refused', () => {
  const chain = [root];
  for (let index = 0; index < 8; index++)
    chain.unshift(authority({ subject: `CN=${index}`, issuer: chain[0]! }));
  const ten = certificate({ subject: 'CN=leaf', issuer: chain[0]! });
  assert.equal(validate([ten, ...chain.slice(0, -1)], [root]).ok, true);
  chain.unshift(authority({ subject: 'CN=8', issuer: chain[0]! }));
  const eleven = certificate({ subject: 'CN=leaf', issuer: chain[0]! });
  assert.deepEqual(
    validate([eleven, ...chain.slice(0, -1)], [root]),
    refused('CN=0: no trust anchor within 10 certificates'),
  );
});

test('a thicket of look-alikes costs a bounded number of signatures', () => {
  // Every one of these could have issued every other: paths grow with the factorial.
  const thicket = Array.from({ length: 90 }, (_, serial) =>
    authority({ subject: 'CN=A', key: 'A', serial: 256 + serial }),
  );
  const below = certificate({ subject: 'CN=leaf', issuer: thicket[0]! });
  const result = validate([below, ...thicket], [root]);
  assert.equal(result.ok, false);
  assert.match(
    result.ok ? '' : result.reason,
    /^CN=A: (too many possible issuers|no trust anchor within 10 certificates)$/,
  );
});
