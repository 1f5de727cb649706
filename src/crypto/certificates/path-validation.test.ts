// One path per rule of RFC 5280 6.1 and RFC 4945 5.1, right and wrong.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import {
  authority,
  basicConstraints,
  certificate,
  DAY_MS,
  extension,
  extKeyUsage,
  type Holder,
  keyUsage,
  NOW_MS,
} from './testing/certificate-builder.ts';
import { validatePath } from './validate-path.ts';

/** Validates `path`, end entity first and trust anchor last. */
function verdict(path: readonly Holder[], nowMs: number = NOW_MS): string {
  const result = validatePath({
    kind: 'validate-path',
    certificates: path.slice(0, -1).map(({ der }) => der),
    trustAnchors: path.slice(-1).map(({ der }) => der),
    revocationLists: [],
    ocspResponses: [],
    revocation: 'relaxed',
    nowMs,
  });
  return result.ok ? 'valid' : result.reason;
}

const root = authority({ subject: 'CN=Root' });
const NULL = Uint8Array.of(5, 0);

test('validity includes its first and last second, of every certificate in the path', () => {
  const year = { notBeforeMs: NOW_MS - 365 * DAY_MS, notAfterMs: NOW_MS + 365 * DAY_MS };
  const short = { notBeforeMs: NOW_MS, notAfterMs: NOW_MS + DAY_MS };
  const paths = (['leaf', 'middle', 'root'] as const).map((which) => {
    const anchor = authority({ subject: 'CN=Root', ...(which === 'root' ? short : year) });
    const middle = authority({
      subject: 'CN=Middle',
      issuer: anchor,
      ...(which === 'middle' ? short : year),
    });
    const leaf = certificate({ subject: 'CN=leaf', issuer: middle, ...(which === 'leaf' ? short : year) });
    return [leaf, middle, anchor];
  });
  for (const [index, path] of paths.entries()) {
    const who = ['CN=leaf', 'CN=Middle', 'CN=Root'][index];
    assert.equal(verdict(path, NOW_MS - 1), `${who}: not valid before 2030-01-01 00:00:00 UTC`);
    assert.equal(verdict(path, NOW_MS), 'valid');
    assert.equal(verdict(path, NOW_MS + DAY_MS + 999), 'valid');
    assert.equal(verdict(path, NOW_MS + DAY_MS + 1000), `${who}: expired on 2030-01-02 00:00:00 UTC`);
  }
});

test('only a certificate authority issues certificates', () => {
  for (const extensions of [
    [],
    [basicConstraints(false)],
    [basicConstraints(false), keyUsage(5)],
    [keyUsage(5)],
  ]) {
    const middle = certificate({ subject: 'CN=Middle', issuer: root, extensions });
    const leaf = certificate({ subject: 'CN=leaf', issuer: middle });
    assert.equal(verdict([leaf, middle, root]), 'CN=Middle: not a certificate authority (basicConstraints)');
    assert.equal(verdict([leaf, middle]), 'CN=Middle: not a certificate authority (basicConstraints)');
  }
});

test('an authority of version 1 may be a trust anchor and nothing else', () => {
  const anchor = certificate({ subject: 'CN=Old Root', version: 1 });
  assert.equal(verdict([certificate({ subject: 'CN=leaf', issuer: anchor }), anchor]), 'valid');
  const middle = certificate({ subject: 'CN=Middle', version: 1, issuer: root });
  const leaf = certificate({ subject: 'CN=leaf', issuer: middle });
  assert.equal(verdict([leaf, middle, root]), 'CN=Middle: not a certificate authority (basicConstraints)');
});

test('an authority whose key usage leaves out keyCertSign issues nothing', () => {
  const middle = certificate({
    subject: 'CN=Middle',
    issuer: root,
    extensions: [basicConstraints(true), keyUsage(0, 6)],
  });
  const leaf = certificate({ subject: 'CN=leaf', issuer: middle });
  assert.equal(
    verdict([leaf, middle, root]),
    'CN=Middle: may not sign certificates (keyUsage without keyCertSign)',
  );
  const silent = certificate({ subject: 'CN=Silent', issuer: root, extensions: [basicConstraints(true)] });
  assert.equal(verdict([certificate({ subject: 'CN=leaf', issuer: silent }), silent, root]), 'valid');
});

test('path lengths count intermediates below, and self-issued ones are free', () => {
  const chain = (
    anchorLength: number | undefined,
    ...names: readonly (readonly [string, number?])[]
  ): Holder[] => {
    const holders: Holder[] = [
      authority({ subject: 'CN=Root', ...(anchorLength === undefined ? {} : { pathLength: anchorLength }) }),
    ];
    for (const [index, [name, pathLength]] of names.entries()) {
      const fields = { subject: `CN=${name}`, key: `${name}${index}`, issuer: holders[0]! };
      holders.unshift(authority(pathLength === undefined ? fields : { ...fields, pathLength }));
    }
    holders.unshift(certificate({ subject: 'CN=leaf', issuer: holders[0]! }));
    return holders;
  };
  const tooLong = (name: string) =>
    `CN=${name}: one intermediate too many for the path length of an authority above it`;
  assert.equal(verdict(chain(0)), 'valid');
  assert.equal(verdict(chain(0, ['A'])), tooLong('A'));
  assert.equal(verdict(chain(1, ['A'])), 'valid');
  assert.equal(verdict(chain(1, ['A'], ['B'])), tooLong('B'));
  assert.equal(verdict(chain(undefined, ['A', 0])), 'valid');
  assert.equal(verdict(chain(undefined, ['A', 0], ['B'])), tooLong('B'));
  assert.equal(
    verdict(chain(undefined, ['A', 1], ['B', 5], ['C'])),
    tooLong('C'),
    'a wider length below does not widen',
  );
  assert.equal(verdict(chain(undefined, ['A', 0], ['A'])), 'valid', 'A gave itself a new key');
  assert.equal(verdict(chain(undefined, ['A', 0], ['A'], ['B'])), tooLong('B'));
});

test('a critical extension nobody knows is refused wherever it is', () => {
  const strange = extension('1.2.3.4.5', true, NULL);
  const reason = (who: string) => `${who}: unknown critical extension 1.2.3.4.5`;
  const middle = authority({ subject: 'CN=Middle', issuer: root });
  assert.equal(
    verdict([certificate({ subject: 'CN=leaf', issuer: middle, extensions: [strange] }), middle, root]),
    reason('CN=leaf'),
  );
  const strangeMiddle = authority({ subject: 'CN=Middle', issuer: root, extensions: [strange] });
  const below = certificate({ subject: 'CN=leaf', issuer: strangeMiddle });
  assert.equal(verdict([below, strangeMiddle, root]), reason('CN=Middle'));
  const strangeRoot = authority({ subject: 'CN=Root', extensions: [strange] });
  assert.equal(
    verdict([certificate({ subject: 'CN=leaf', issuer: strangeRoot }), strangeRoot]),
    reason('CN=Root'),
  );
  const harmless = extension('1.2.3.4.5', false, NULL);
  assert.equal(
    verdict([certificate({ subject: 'CN=leaf', issuer: root, extensions: [harmless] }), root]),
    'valid',
  );
});

test('policy constraints are not processed, so they are refused when critical', () => {
  const middle = authority({
    subject: 'CN=Middle',
    issuer: root,
    extensions: [extension('2.5.29.36', true, Uint8Array.of(0x30, 3, 0x80, 1, 0))],
  });
  const leaf = certificate({ subject: 'CN=leaf', issuer: middle });
  assert.equal(verdict([leaf, middle, root]), 'CN=Middle: unknown critical extension 2.5.29.36');
});

test('the extended key usage of an end entity must allow IKE', () => {
  const leaf = (...usages: readonly string[]) =>
    verdict([certificate({ subject: 'CN=leaf', issuer: root, extensions: [extKeyUsage(...usages)] }), root]);
  const [serverAuth, clientAuth, codeSigning, ipsecIke] = [1, 2, 3, 17].map(
    (last) => `1.3.6.1.5.5.7.3.${last}`,
  ) as [string, string, string, string];
  for (const usage of [serverAuth, clientAuth, ipsecIke, '2.5.29.37.0'])
    assert.equal(leaf(usage), 'valid', usage);
  assert.equal(leaf(codeSigning, ipsecIke), 'valid');
  assert.equal(leaf(codeSigning), `CN=leaf: not for IKE (extended key usage ${codeSigning})`);
});

test('policies without a demand for them have no effect, critical or not', () => {
  const anyPolicy = extension('2.5.29.32', true, Uint8Array.of(0x30, 8, 0x30, 6, 6, 4, 0x55, 0x1d, 0x20, 0));
  assert.equal(
    verdict([certificate({ subject: 'CN=leaf', issuer: root, extensions: [anyPolicy] }), root]),
    'valid',
  );
});

test('a certificate without a subject has another name in messages', () => {
  const nameless = certificate({ subject: '', key: 'nameless', issuer: root, extensions: [keyUsage(2)] });
  assert.match(verdict([nameless, root]), /^certificate without subject: may not sign/);
});

test('a message is no longer than a person reads', () => {
  const endless = certificate({ subject: `CN=${'x'.repeat(5000)}`, issuer: root, extensions: [keyUsage(2)] });
  assert.equal(verdict([endless, root]).length, 1003);
});

test('the key usage of an end entity must allow signatures', () => {
  const leaf = (...bits: readonly number[]) =>
    verdict([certificate({ subject: 'CN=leaf', issuer: root, extensions: [keyUsage(...bits)] }), root]);
  assert.equal(leaf(0), 'valid');
  assert.equal(leaf(1), 'valid');
  assert.equal(leaf(0, 2), 'valid');
  assert.equal(leaf(2, 4), 'CN=leaf: may not sign (keyUsage without digitalSignature)');
});

test('an RSA key that can be factored is refused, whoever vouches for it', () => {
  const withBits = (modulusLength: number) => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength });
    const spki = publicKey.export({ type: 'spki', format: 'der' });
    return verdict([certificate({ subject: 'CN=leaf', issuer: root, publicKey: spki }), root]);
  };
  assert.equal(withBits(512), 'CN=leaf: its RSA key of 512 bits is too short');
  assert.equal(withBits(1024), 'valid');
});

test('an end entity that is itself a trust anchor needs no authority, but must be valid', () => {
  const leaf = certificate({ subject: 'CN=leaf' });
  const result = (nowMs: number) =>
    validatePath({
      kind: 'validate-path',
      certificates: [leaf.der],
      trustAnchors: [root.der, leaf.der],
      revocationLists: [],
      ocspResponses: [],
      revocation: 'strict',
      nowMs,
    });
  assert.deepEqual(result(NOW_MS), { kind: 'validate-path', ok: true, path: [leaf.der] });
  assert.equal(result(NOW_MS + 2 * DAY_MS).ok, false);
});
