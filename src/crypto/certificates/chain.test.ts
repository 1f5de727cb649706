// The chain we would send, out of a heap of certificates.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Certificate } from './certificate.ts';
import { certificatesFromPem } from './certificate-file.ts';
import { orderChain } from './chain.ts';
import { parseCertificate } from './recent-certificates.ts';
import { authority } from './testing/certificate-builder.ts';
import * as fixtures from './testing/fixtures.ts';

const one = (pem: string): Certificate => certificatesFromPem(pem)[0]!;

test('issuers follow the end entity up to the root, which stays at home', () => {
  const [moon, gateways, root, mars] = [fixtures.moon, fixtures.gateways, fixtures.root, fixtures.mars].map(
    one,
  );
  assert.deepEqual(orderChain(moon!, [root!, mars!, moon!, gateways!]), [moon, gateways]);
  assert.deepEqual(orderChain(mars!, [root!, gateways!]), [mars]);
});

test('the issuer with the right key is preferred, and loops end', () => {
  const impostor = parseCertificate(
    authority({
      subject: 'C=CH, O=strongSwan Project, CN=Gateways',
      issuer: authority({ subject: 'CN=Other' }),
    }).der,
  );
  assert.deepEqual(
    orderChain(one(fixtures.moon), [impostor, one(fixtures.gateways)])[1],
    one(fixtures.gateways),
  );
  const forth = parseCertificate(authority({ subject: 'CN=A', issuer: authority({ subject: 'CN=B' }) }).der);
  const back = parseCertificate(authority({ subject: 'CN=B', issuer: authority({ subject: 'CN=A' }) }).der);
  assert.deepEqual(orderChain(forth, [back, forth]), [forth, back]);
});
