// Names inside and outside of the subtrees an authority is held to (RFC 5280 4.2.1.10).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  authority,
  certificate,
  directory,
  dns,
  email,
  type Holder,
  ip,
  NOW_MS,
  nameConstraints,
  otherName,
  subjectAltName,
  uri,
} from './testing/certificate-builder.ts';
import { validatePath } from './validate-path.ts';

function verdict(leaf: Holder, middle: readonly Holder[], root: Holder): string {
  const result = validatePath({
    kind: 'validate-path',
    certificates: [leaf, ...middle].map(({ der }) => der),
    trustAnchors: [root.der],
    revocationLists: [],
    ocspResponses: [],
    revocation: 'relaxed',
    nowMs: NOW_MS,
  });
  return result.ok ? 'valid' : result.reason;
}

type Subtrees = Parameters<typeof nameConstraints>[0];
type Row = readonly [constraints: Subtrees, names: readonly Uint8Array[], inside: boolean, subject?: string];

const ranged = (address: readonly number[], mask: readonly number[]) => ip(...address, ...mask);
const net10 = ranged([10, 0, 0, 0], [255, 0, 0, 0]);

const TABLE: Readonly<Record<string, readonly Row[]>> = {
  'DNS names': [
    [{ permitted: [dns('a.org')] }, [dns('a.org')], true],
    [{ permitted: [dns('a.org')] }, [dns('x.Y.A.ORG')], true],
    [{ permitted: [dns('a.org')] }, [dns('ba.org')], false],
    [{ permitted: [dns('a.org')] }, [dns('a.org.evil')], false],
    [{ permitted: [dns('a.org')] }, [dns('x.a.org'), dns('b.org')], false],
    [{ permitted: [dns('a.org'), dns('b.org')] }, [dns('x.a.org'), dns('b.org')], true],
    [{ permitted: [dns('.a.org')] }, [dns('x.a.org')], true],
    [{ permitted: [dns('.a.org')] }, [dns('a.org')], false],
    [{ excluded: [dns('a.org')] }, [dns('x.a.org')], false],
    [{ excluded: [dns('a.org')] }, [dns('x.a.org.')], false],
    [{ excluded: [dns('a.org')] }, [dns('b.org')], true],
    [{ permitted: [dns('a.org')], excluded: [dns('s.a.org')] }, [dns('x.s.a.org')], false],
    [{ excluded: [dns('')] }, [dns('b.org')], false],
    [{ permitted: [dns('a.org')] }, [ip(10, 0, 0, 1), email('a@b.org')], true],
  ],
  'mail addresses': [
    [{ permitted: [email('a.org')] }, [email('carol@A.org')], true],
    [{ permitted: [email('a.org')] }, [email('carol@x.a.org')], false],
    [{ permitted: [email('.a.org')] }, [email('carol@x.a.org')], true],
    [{ permitted: [email('.a.org')] }, [email('carol@a.org')], false],
    [{ permitted: [email('carol@a.org')] }, [email('carol@A.org')], true],
    [{ permitted: [email('carol@a.org')] }, [email('Carol@a.org')], false],
    [{ permitted: [email('a.org')] }, [email('no-mailbox')], false],
    [{ excluded: [email('a.org')] }, [email('carol@a.org')], false],
    [{ permitted: [email('a.org')] }, [], false, 'E=carol@b.org, CN=leaf'],
    [{ excluded: [email('b.org')] }, [email('carol@a.org')], false, 'E=carol@b.org, CN=leaf'],
  ],
  addresses: [
    [{ permitted: [net10] }, [ip(10, 9, 8, 7)], true],
    [{ permitted: [net10] }, [ip(11, 9, 8, 7)], false],
    [{ permitted: [net10] }, [ip(...new Array(16).fill(10))], false],
    [{ excluded: [net10] }, [ip(10, 9, 8, 7)], false],
    [{ excluded: [net10] }, [ip(...new Array(16).fill(10))], true],
    [{ excluded: [ranged([0, 0, 0, 0], [0, 0, 0, 0])] }, [ip(1, 2, 3, 4)], false],
    [
      { permitted: [ranged([0x20, 1, ...new Array(14).fill(0)], [255, 255, ...new Array(14).fill(0)])] },
      [ip(0x20, 1, ...new Array(14).fill(7))],
      true,
    ],
  ],
  URIs: [
    [{ permitted: [uri('a.org')] }, [uri('http://A.org:80/x')], true],
    [{ permitted: [uri('a.org')] }, [uri('http://user@a.org')], true],
    [{ permitted: [uri('a.org')] }, [uri('http://x.a.org/')], false],
    [{ permitted: [uri('.a.org')] }, [uri('http://x.a.org/')], true],
    [{ permitted: [uri('a.org')] }, [uri('urn:a.org')], false],
    [{ excluded: [uri('a.org')] }, [uri('http://10.0.0.1/')], false],
    [{ excluded: [uri('b.org')] }, [uri('http://a.org/')], true],
  ],
  'directory names': [
    [{ permitted: [directory('C=CH, O=a')] }, [], true, 'C=ch, O=A, CN=leaf'],
    [{ permitted: [directory('C=CH, O=a')] }, [], false, 'C=CH, O=b, CN=leaf'],
    [{ permitted: [directory('C=CH, O=a')] }, [], false, 'O=a, C=CH, CN=leaf'],
    [{ permitted: [directory('C=CH, O=a')] }, [], false, 'C=CH'],
    [{ permitted: [directory('C=CH, O=a')] }, [directory('C=CH, O=b')], false, 'C=CH, O=a, CN=leaf'],
    [{ permitted: [directory('C=CH, O=a')] }, [dns('x')], true, ''],
    [{ excluded: [directory('C=CH, O=a')] }, [], false, 'C=CH, O=a, CN=leaf'],
    [{ excluded: [directory('C=CH, O=a')] }, [], true, 'C=CH, O=b, CN=leaf'],
    [{ excluded: [directory('')] }, [], false, 'CN=leaf'],
  ],
  'other names': [
    [{ permitted: [otherName('a')] }, [otherName('a')], false],
    [{ excluded: [otherName('a')] }, [otherName('b')], false],
    [{ excluded: [otherName('a')] }, [dns('b')], true],
  ],
};

for (const [kind, rows] of Object.entries(TABLE)) {
  test(`${kind} inside and outside of subtrees`, () => {
    for (const [index, [constraints, names, inside, subject = 'CN=leaf']] of rows.entries()) {
      const root = authority({ subject: 'CN=Root', extensions: [nameConstraints(constraints)] });
      const extensions = names.length > 0 ? [subjectAltName(...names)] : [];
      const leaf = certificate({ subject, key: 'leaf', issuer: root, extensions });
      const found = verdict(leaf, [], root);
      if (inside) assert.equal(found, 'valid', `row ${index}`);
      else assert.match(found, /: its .* is outside of the name constraints of CN=Root$/, `row ${index}`);
    }
  });
}

test('constraints of several authorities all hold, whatever the lower one permits', () => {
  const root = authority({
    subject: 'CN=Root',
    extensions: [nameConstraints({ permitted: [dns('a.org')] })],
  });
  const middle = authority({
    subject: 'CN=Middle',
    issuer: root,
    extensions: [nameConstraints({ permitted: [dns('x.a.org'), dns('b.org')] })],
  });
  const leaf = (name: string) =>
    verdict(
      certificate({ subject: 'CN=leaf', issuer: middle, extensions: [subjectAltName(dns(name))] }),
      [middle],
      root,
    );
  assert.equal(leaf('www.x.a.org'), 'valid');
  assert.equal(leaf('b.org'), 'CN=leaf: its dns name "b.org" is outside of the name constraints of CN=Root');
  assert.equal(
    leaf('y.a.org'),
    'CN=leaf: its dns name "y.a.org" is outside of the name constraints of CN=Middle',
  );
});

test('intermediates are held to the constraints unless they are self-issued', () => {
  const root = authority({
    subject: 'CN=Root',
    extensions: [nameConstraints({ permitted: [directory('O=a')] })],
  });
  const rekeyed = authority({ subject: 'CN=Root', key: 'new key', issuer: root });
  const leaf = certificate({ subject: 'O=a, CN=leaf', issuer: rekeyed });
  assert.equal(verdict(leaf, [rekeyed], root), 'valid');
  const middle = authority({ subject: 'O=b', issuer: root });
  assert.equal(
    verdict(certificate({ subject: 'O=a, CN=leaf', issuer: middle }), [middle], root),
    'O=b: its name "O=b" is outside of the name constraints of CN=Root',
  );
});
