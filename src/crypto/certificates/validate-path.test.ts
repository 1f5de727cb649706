// Paths made by strongSwan and OpenSSL: each kind of signature, revocation by list and OCSP, and tampering.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { runComputeJob, type ValidatePathJob } from '../compute.ts';
import { certificatesFromPem, revocationListsFromPem } from './certificate-file.ts';
import { NOW_MS } from './testing/certificate-builder.ts';
import * as fixtures from './testing/fixtures.ts';
import { validatePath } from './validate-path.ts';

const der = (pem: string): Uint8Array => certificatesFromPem(pem)[0]!.der;
const listDer = (pem: string): Uint8Array => revocationListsFromPem(pem)[0]!.der;
const base64 = (text: string): Uint8Array =>
  Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

function job(leaf: string, changes: Partial<ValidatePathJob> = {}): ValidatePathJob {
  return {
    kind: 'validate-path',
    certificates: [der(leaf), der(fixtures.gateways)],
    trustAnchors: [der(fixtures.root)],
    revocationLists: [],
    ocspResponses: [],
    revocation: 'relaxed',
    nowMs: NOW_MS,
    ...changes,
  };
}

const lists = { revocationLists: [listDer(fixtures.gatewaysList), listDer(fixtures.rootList)] };

function reasonOf(input: ValidatePathJob): string {
  const result = validatePath(input);
  return result.ok ? 'valid' : result.reason;
}

test('a path over an intermediate is found and returned', async () => {
  const result = await runComputeJob(job(fixtures.moon));
  assert.deepEqual(result, {
    kind: 'validate-path',
    ok: true,
    path: [der(fixtures.moon), der(fixtures.gateways), der(fixtures.root)],
  });
});

test('RSA, RSA-PSS, ECDSA, Ed25519 and Ed448 signatures are verified', () => {
  assert.equal(reasonOf(job(fixtures.venus)), 'valid', 'RSA-PSS with SHA-384');
  assert.equal(reasonOf(job(fixtures.sun)), 'valid', 'RSA with SHA-256 over ECDSA');
  const ed25519 = { certificates: [der(fixtures.mars)], trustAnchors: [der(fixtures.edwards)] };
  assert.equal(reasonOf(job(fixtures.mars, ed25519)), 'valid');
  const ed448 = { certificates: [der(fixtures.pluto)], trustAnchors: [der(fixtures.goldilocks)] };
  assert.equal(reasonOf(job(fixtures.pluto, ed448)), 'valid');
});

test('a SHA-1 signature is refused below the trust anchor', () => {
  assert.equal(
    reasonOf(job(fixtures.old)),
    'C=CH, O=strongSwan Project, CN=old: its signature uses SHA-1, which is no longer accepted',
  );
  assert.equal(reasonOf(job(fixtures.old, { trustAnchors: [der(fixtures.old)] })), 'valid');
});

test('a missing intermediate is named', () => {
  assert.equal(
    reasonOf(job(fixtures.sun, { certificates: [der(fixtures.sun)] })),
    'C=CH, O=strongSwan Project, CN=sun: no trusted issuer "C=CH, O=strongSwan Project, CN=Gateways" found',
  );
});

test('name constraints of OpenSSL hold what is inside and refuse what is outside', () => {
  const anchors = { trustAnchors: [der(fixtures.jupiter)] };
  assert.equal(reasonOf(job(fixtures.inside, anchors)), 'valid');
  assert.equal(
    reasonOf(job(fixtures.outside, anchors)),
    'C=CH, CN=outside: its dns name "io.example.org" is outside of the name constraints of C=CH, CN=Jupiter',
  );
});

test('lists of strongSwan: the good is good, the revoked is refused under every policy', () => {
  assert.equal(reasonOf(job(fixtures.moon, { ...lists, revocation: 'strict' })), 'valid');
  for (const revocation of ['strict', 'ifuri', 'relaxed'] as const) {
    assert.match(
      reasonOf(job(fixtures.sun, { ...lists, revocation })),
      /^C=CH, O=strongSwan Project, CN=sun: revoked on 2026-.* UTC \(key compromise\)$/,
    );
  }
});

test('OCSP responses of OpenSSL: by an appointed responder and by the issuer', () => {
  const strict = { revocationLists: [listDer(fixtures.rootList)], revocation: 'strict' } as const;
  for (const response of [fixtures.moonGood, fixtures.moonGoodDirect]) {
    assert.equal(reasonOf(job(fixtures.moon, { ...strict, ocspResponses: [base64(response)] })), 'valid');
  }
  assert.equal(
    reasonOf(job(fixtures.sun, { ocspResponses: [base64(fixtures.sunRevoked)] })),
    'C=CH, O=strongSwan Project, CN=sun: revoked on 2026-01-01 00:00:00 UTC (superseded)',
  );
  assert.equal(
    reasonOf(job(fixtures.venus, { ...strict, ocspResponses: [base64(fixtures.venusUnknown)] })),
    'C=CH, O=strongSwan Project, CN=venus: its revocation status is unknown (the OCSP responder does not know it)',
  );
});

test('octets that are no certificate, and no certificate at all, are refused', () => {
  assert.equal(
    reasonOf(job(fixtures.moon, { certificates: [Uint8Array.of(0x30, 0)] })),
    'the end-entity certificate cannot be read: certificate: truncated',
  );
  assert.equal(reasonOf(job(fixtures.moon, { certificates: [] })), 'no certificate to validate');
  const garbage = [Uint8Array.of(1), new Uint8Array()];
  assert.equal(
    reasonOf(
      job(fixtures.moon, {
        certificates: [der(fixtures.moon), ...garbage, der(fixtures.gateways)],
        trustAnchors: [...garbage, der(fixtures.root)],
        revocationLists: garbage,
        ocspResponses: garbage,
      }),
    ),
    'valid',
    'what cannot be read beside the end entity is passed over',
  );
});

for (const position of [0, 1] as const) {
  test(`a certificate changed in any octet never validates (${position === 0 ? 'end entity' : 'intermediate'})`, () => {
    const original = job(fixtures.moon).certificates[position]!;
    fc.assert(
      fc.property(fc.nat(original.length - 1), fc.integer({ min: 1, max: 255 }), (offset, difference) => {
        const changed = Uint8Array.from(original);
        changed[offset] = changed[offset]! ^ difference;
        const certificates = [...job(fixtures.moon).certificates];
        certificates[position] = changed;
        assert.equal(validatePath(job(fixtures.moon, { certificates })).ok, false);
      }),
      { numRuns: 400 },
    );
  });
}

test('a list or response changed in any octet never proves a certificate good', () => {
  const rootList = listDer(fixtures.rootList);
  const evidence = [
    {
      original: listDer(fixtures.gatewaysList),
      place: (octets: Uint8Array) => ({ revocationLists: [rootList, octets] }),
    },
    {
      original: base64(fixtures.moonGood),
      place: (octets: Uint8Array) => ({ revocationLists: [rootList], ocspResponses: [octets] }),
    },
  ];
  for (const { original, place } of evidence) {
    assert.equal(reasonOf(job(fixtures.moon, { ...place(original), revocation: 'strict' })), 'valid');
    fc.assert(
      fc.property(fc.nat(original.length - 1), fc.integer({ min: 1, max: 255 }), (offset, difference) => {
        const changed = Uint8Array.from(original);
        changed[offset] = changed[offset]! ^ difference;
        assert.equal(validatePath(job(fixtures.moon, { ...place(changed), revocation: 'strict' })).ok, false);
      }),
      { numRuns: 200 },
    );
  }
});
