// MS-CHAP version 2 computes what RFC 2759 9.2 and RFC 3079 3.5.3 have.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ascii, digits, hex } from '../testing/octets.ts';
import { authenticatorResponse, msChapSessionKey, ntPasswordHash, ntResponse } from './ms-chap-v2.ts';

/** RFC 2759 9.2, RFC 3079 3.5.3: user "User" with the password "clientPass". */
const challenges = {
  authenticator: hex('5b5d7c7d7b3f2f3e3c2c602132262628'),
  peer: hex('21402324255e262a28295f2b3a337c7e'),
  userName: ascii('User'),
};
const passwordHash = '44ebba8d5312b8d611474411f56989ae';
const response = '82309ecd8d708b5ea08faa3981cd83544233114a3d85d6df';

test('RFC 2759 9.2: hash of the password, NT-Response and the proof of the authenticator', () => {
  const hash = ntPasswordHash(ascii('clientPass'));
  assert.equal(digits(hash), passwordHash);
  assert.equal(digits(ntResponse(challenges, hash)), response);
  assert.equal(
    digits(authenticatorResponse(challenges, hash, hex(response))),
    '407a5589115fd0d6209f510fe9c04566932cda56',
  );
});

test('RFC 3079 3.5.3: the start key of what the authenticator sends is the second part of the session key', () => {
  const key = digits(msChapSessionKey(hex(passwordHash), hex(response)));
  assert.equal(key.slice(32, 64), '8b7cdc149b993a1ba118cb153f56dccb');
  assert.equal(key.length, 128);
  assert.equal(key.slice(64), '0'.repeat(64));
  // No RFC has the other direction: charon and wayward agreeing on AUTH is what shows it (interop, scenarios eap-*).
  assert.notEqual(key.slice(0, 32), key.slice(32, 64));
});

test('a password is UTF-8, and as UTF-16 hashed; octets that are no UTF-8 are characters each', () => {
  // Made with OpenSSL 3.0.19: `printf ... | iconv -t UTF-16LE | openssl dgst -provider legacy -md4`.
  assert.equal(digits(ntPasswordHash(Buffer.from('grüße €𝄞', 'utf8'))), '0509a0820df62ee0c2d6a4326fd574c6');
  assert.equal(digits(ntPasswordHash(Uint8Array.of(0x67, 0xff))), '46129653a879cc022a35ddd53df3967c');
  assert.equal(digits(ntPasswordHash(new Uint8Array(0))), '31d6cfe0d16ae931b73c59d7e0c089c0');
});
