// Lists and OCSP responses: whom they speak for, until when, and what each policy makes of silence.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ValidatePathJob } from '../compute.ts';
import {
  authority,
  basicConstraints,
  certificate,
  crlDistributionPoint,
  DAY_MS,
  extension,
  extKeyUsage,
  issuingDistributionPoint,
  keyUsage,
  NOW_MS,
  type OcspFields,
  ocspResponse,
  type RevocationListFields,
  revocationList,
} from './testing/certificate-builder.ts';
import { validatePath } from './validate-path.ts';

const root = authority({ subject: 'CN=Root' });
const URL = 'http://crl.example/root.crl';
const leaf = certificate({ subject: 'CN=leaf', issuer: root, extensions: [crlDistributionPoint(URL)] });
const silentLeaf = certificate({ subject: 'CN=leaf', issuer: root });
const OCSP_SIGNING = '1.3.6.1.5.5.7.3.9';

function verdict(
  revocation: ValidatePathJob['revocation'],
  evidence: Partial<Pick<ValidatePathJob, 'revocationLists' | 'ocspResponses'>>,
  endEntity = leaf,
  anchor = root,
): string {
  const result = validatePath({
    kind: 'validate-path',
    certificates: [endEntity.der],
    trustAnchors: [anchor.der],
    revocationLists: [],
    ocspResponses: [],
    revocation,
    nowMs: NOW_MS,
    ...evidence,
  });
  return result.ok ? 'valid' : result.reason;
}

const list = (fields: Partial<RevocationListFields> = {}) => ({
  revocationLists: [revocationList({ issuer: root, ...fields })],
});
const ocsp = (fields: Partial<OcspFields> = {}) => ({
  ocspResponses: [ocspResponse({ issuer: root, certificate: leaf, signer: root, ...fields })],
});
const unknown = (why: string) => `CN=leaf: its revocation status is unknown (${why})`;
const strict = (evidence: Parameters<typeof verdict>[1]) => verdict('strict', evidence);

test('each policy makes something else of silence', () => {
  const silence = unknown('no revocation list or OCSP response for it');
  assert.equal(verdict('strict', {}), silence);
  assert.equal(verdict('ifuri', {}), silence);
  assert.equal(verdict('relaxed', {}), 'valid');
  assert.equal(verdict('strict', {}, silentLeaf), silence);
  assert.equal(verdict('ifuri', {}, silentLeaf), 'valid');
  assert.equal(verdict('relaxed', {}, silentLeaf), 'valid');
});

test('a current list that does not name it makes it good, one that does makes it revoked', () => {
  assert.equal(strict(list()), 'valid');
  assert.equal(strict(list({ revoked: [{ serial: 7 }] })), 'valid');
  const revoked = (reason?: number) =>
    verdict(
      'relaxed',
      list({ revoked: [reason === undefined ? { serial: leaf.serial } : { serial: leaf.serial, reason }] }),
    );
  assert.equal(revoked(), 'CN=leaf: revoked on 2029-12-31 00:00:00 UTC (unspecified)');
  assert.equal(revoked(1), 'CN=leaf: revoked on 2029-12-31 00:00:00 UTC (key compromise)');
  assert.equal(revoked(6), 'CN=leaf: revoked on 2029-12-31 00:00:00 UTC (certificate hold)');
});

test('one list that revokes outweighs others that do not', () => {
  const good = revocationList({ issuer: root });
  const bad = revocationList({ issuer: root, revoked: [{ serial: leaf.serial }] });
  assert.match(verdict('relaxed', { revocationLists: [good, bad], ...ocsp() }), /^CN=leaf: revoked/);
});

test('a list out of date proves nothing good, but still revokes', () => {
  const stale = { thisUpdateMs: NOW_MS - 3 * DAY_MS, nextUpdateMs: NOW_MS - DAY_MS };
  assert.equal(strict(list(stale)), unknown('its revocation list expired on 2029-12-31 00:00:00 UTC'));
  assert.equal(verdict('relaxed', list(stale)), 'valid');
  assert.match(verdict('relaxed', list({ ...stale, revoked: [{ serial: leaf.serial }] })), /: revoked on/);
  assert.equal(
    strict(list({ thisUpdateMs: NOW_MS + 1000 })),
    unknown('its revocation list is not yet valid'),
  );
  assert.equal(
    strict(list({ nextUpdateMs: 'absent' })),
    unknown('its revocation list does not say how long it is valid'),
  );
});

test('a list counts only if its issuer signed it and may', () => {
  const stranger = authority({ subject: 'CN=Stranger' });
  const forged = list({ signer: stranger, revoked: [{ serial: leaf.serial }] });
  assert.equal(verdict('relaxed', forged), 'valid', 'nobody revokes what another issued');
  assert.equal(strict(forged), unknown('the signature of its revocation list does not verify'));
  assert.equal(strict(list({ issuer: stranger })), unknown('no revocation list or OCSP response for it'));
  const mute = certificate({ subject: 'CN=Root', extensions: [basicConstraints(true), keyUsage(5)] });
  assert.equal(verdict('strict', list(), leaf, mute), unknown('its issuer may not sign revocation lists'));
});

test('a list of a part of the certificates speaks for that part', () => {
  const point = (...flags: readonly number[]) =>
    list({ extensions: [issuingDistributionPoint(undefined, ...flags)] });
  const partial = unknown('the revocation list does not cover it');
  assert.equal(strict(point(1)), 'valid', 'user certificates only');
  assert.equal(strict(point(2)), partial, 'authorities only');
  assert.equal(strict(point(3)), partial, 'some reasons only');
  assert.equal(strict(point(5)), partial, 'attribute certificates only');
  assert.equal(strict(point(4)), unknown('its revocation list is indirect'));
  assert.equal(strict(list({ extensions: [issuingDistributionPoint(URL)] })), 'valid');
  assert.equal(strict(list({ extensions: [issuingDistributionPoint('http://elsewhere/')] })), partial);
  const delta = extension('2.5.29.27', true, Uint8Array.of(2, 1, 1));
  assert.equal(strict(list({ extensions: [delta] })), partial);
});

test('a list with critical extensions nobody knows is not used', () => {
  const strange = extension('1.2.3.4', true, Uint8Array.of(5, 0));
  const why = unknown('its revocation list has the unknown critical extension 1.2.3.4');
  assert.equal(strict(list({ extensions: [strange] })), why);
  assert.equal(strict(list({ revoked: [{ serial: 7, critical: '1.2.3.4' }] })), why);
});

test('intermediates are asked about too, the trust anchor is not', () => {
  const middle = authority({ subject: 'CN=Middle', issuer: root });
  const below = certificate({ subject: 'CN=leaf', issuer: middle });
  const reason = (revocationLists: readonly Uint8Array[]) => {
    const result = validatePath({
      kind: 'validate-path',
      certificates: [below.der, middle.der],
      trustAnchors: [root.der],
      revocationLists,
      ocspResponses: [],
      revocation: 'strict',
      nowMs: NOW_MS,
    });
    return result.ok ? 'valid' : result.reason;
  };
  const ofMiddle = revocationList({ issuer: middle });
  assert.equal(reason([ofMiddle, revocationList({ issuer: root })]), 'valid');
  assert.match(reason([ofMiddle]), /^CN=Middle: its revocation status is unknown/);
  const revoked = revocationList({ issuer: root, revoked: [{ serial: middle.serial, reason: 2 }] });
  assert.match(reason([ofMiddle, revoked]), /^CN=Middle: revoked on .* \(authority compromise\)$/);
});

test('OCSP responses of the issuer make good, revoke, or do not know', () => {
  assert.equal(strict(ocsp()), 'valid');
  assert.equal(
    verdict('relaxed', ocsp({ status: 'revoked' })),
    'CN=leaf: revoked on 2029-12-31 00:00:00 UTC (unspecified)',
  );
  assert.equal(strict(ocsp({ status: 'unknown' })), unknown('the OCSP responder does not know it'));
  assert.equal(
    strict(ocsp({ certificate: silentLeaf })),
    unknown('no revocation list or OCSP response for it'),
  );
});

test('OCSP responses have their time', () => {
  assert.equal(strict(ocsp({ thisUpdateMs: NOW_MS + 1000 })), unknown('its OCSP response is not yet valid'));
  assert.equal(
    strict(ocsp({ nextUpdateMs: NOW_MS - 1000 })),
    unknown('its OCSP response expired on 2029-12-31 23:59:59 UTC'),
  );
  const undated = { nextUpdateMs: 'absent' } as const;
  assert.equal(strict(ocsp({ ...undated, thisUpdateMs: NOW_MS - 60_000 })), 'valid');
  assert.equal(
    strict(ocsp({ ...undated, thisUpdateMs: NOW_MS - 2 * 3_600_000 })),
    unknown('its OCSP response expired on 2029-12-31 23:00:00 UTC'),
  );
});

test('a responder must be appointed by the issuer', () => {
  const appointed = certificate({
    subject: 'CN=responder',
    issuer: root,
    extensions: [extKeyUsage(OCSP_SIGNING)],
  });
  const by = (signer: typeof root, certificates: readonly Uint8Array[] = [signer.der]) =>
    strict(ocsp({ signer, certificates }));
  const unauthorized = unknown('OCSP responder CN=responder is not authorized by its issuer');
  assert.equal(by(appointed), 'valid');
  assert.equal(by(appointed, []), unknown('the certificate of the OCSP responder is missing'));
  assert.equal(by(certificate({ subject: 'CN=responder', issuer: root })), unauthorized);
  assert.equal(
    by(certificate({ subject: 'CN=responder', extensions: [extKeyUsage(OCSP_SIGNING)] })),
    unauthorized,
  );
  const impostor = authority({ subject: 'CN=Root', key: 'impostor' });
  assert.equal(
    by(certificate({ subject: 'CN=responder', issuer: impostor, extensions: [extKeyUsage(OCSP_SIGNING)] })),
    unauthorized,
  );
  const expired = certificate({
    subject: 'CN=responder',
    issuer: root,
    notAfterMs: NOW_MS - 1000,
    extensions: [extKeyUsage(OCSP_SIGNING)],
  });
  assert.equal(by(expired), unknown('the certificate of OCSP responder CN=responder is not valid now'));
  const forged = ocspResponse({ issuer: root, certificate: leaf, signer: { ...root, key: impostor.key } });
  assert.equal(
    strict({ ocspResponses: [forged] }),
    unknown('the signature of its OCSP response does not verify'),
  );
});
