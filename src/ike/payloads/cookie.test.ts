// Given a flood of IKE_SA_INIT requests: cookies that only their own request brings back, and only for a while.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seededRandomness } from '#crypto';
import { address } from '#sa';
import type { IkeSpi } from '#wire';
import { CookieIssuer, type CookieSubject } from './cookie.ts';

const issuer = (seed = 1): CookieIssuer => new CookieIssuer(seededRandomness(Uint8Array.of(seed)), 60_000);
const subject: CookieSubject = {
  initiatorSpi: '0123456789abcdef' as IkeSpi,
  source: { address: address('192.0.2.1'), port: 500 },
  nonce: new Uint8Array(32).fill(7),
};

describe('a cookie (RFC 7296 2.6)', () => {
  it('comes back for the same request', () => {
    const cookies = issuer();
    const cookie = cookies.issue(0, subject);
    assert.ok(cookie.length >= 1 && cookie.length <= 64);
    assert.equal(cookies.check(1, cookie, subject), true);
    assert.deepEqual(cookies.issue(2, subject), cookie);
  });

  const others: [string, CookieSubject][] = [
    ['SPI', { ...subject, initiatorSpi: '0123456789abcdee' as IkeSpi }],
    ['address', { ...subject, source: { address: address('192.0.2.2'), port: 500 } }],
    ['port', { ...subject, source: { ...subject.source, port: 501 } }],
    ['nonce', { ...subject, nonce: new Uint8Array(32).fill(8) }],
    ['length of nonce', { ...subject, nonce: new Uint8Array(33).fill(7) }],
  ];
  for (const [name, other] of others) {
    it(`is worthless for another ${name}`, () => {
      const cookies = issuer();
      assert.equal(cookies.check(0, cookies.issue(0, subject), other), false);
    });
  }

  it('is worthless with any bit changed, cut, extended, or made elsewhere', () => {
    const cookies = issuer();
    const cookie = cookies.issue(0, subject);
    for (let bit = 0; bit < 8 * cookie.length; bit++) {
      const forged = cookie.slice();
      forged[bit >> 3]! ^= 1 << (bit & 7);
      assert.equal(cookies.check(0, forged, subject), false);
    }
    for (const forged of [
      new Uint8Array(),
      cookie.subarray(1),
      Uint8Array.of(...cookie, 0),
      issuer(2).issue(0, subject),
    ]) {
      assert.equal(cookies.check(0, forged, subject), false);
    }
  });

  it('outlives one change of the secret, not two', () => {
    const cookies = issuer();
    const cookie = cookies.issue(0, subject);
    const later = cookies.issue(60_000, subject);
    assert.notDeepEqual(later, cookie);
    assert.equal(cookies.check(119_999, cookie, subject), true);
    assert.equal(cookies.check(120_000, cookie, subject), false);
    assert.equal(cookies.check(179_999, later, subject), true);
    assert.equal(cookies.check(180_000, later, subject), false);
  });

  it('is unknown before one was issued', () => {
    assert.equal(issuer().check(0, new Uint8Array(17), subject), false);
  });
});
