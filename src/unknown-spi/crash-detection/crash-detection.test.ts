// RFC 6290 from both sides: making, keeping, taking and believing tokens.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { seededRandomness } from '#crypto';
import { type IkeSpi, notify } from '#wire';
import { cases } from '../testing/cases.ts';
import { initiatorSpi, responderSpi } from '../testing/facts.ts';
import { CrashDetectionSecrets } from './secrets.ts';
import { makeToken, tokenNotify, tokenOf } from './token.ts';
import { HeldTokens } from './token-taker.ts';

const spis = { initiatorSpi, responderSpi };
const randomness = () => seededRandomness(Uint8Array.of(7));

test('a token is the hash of secret, SPI-I and SPI-R (RFC 6290 5.1), cut to 16 octets', () => {
  const secret = new Uint8Array(32).fill(9);
  const hash = createHash('sha256')
    .update(secret)
    .update(initiatorSpi + responderSpi, 'hex')
    .digest();
  assert.deepEqual(makeToken(secret, spis), Uint8Array.from(hash.subarray(0, 16)));
});

test('a notify holds a token only with Protocol ID 1, no SPI and 16 to 128 octets', () => {
  const token = new Uint8Array(16).fill(3);
  const payload = tokenNotify(token);
  assert.deepEqual(tokenOf(payload), token);
  for (const length of [0, 15, 129]) {
    assert.equal(tokenOf({ ...payload, data: new Uint8Array(length) }), undefined);
  }
  assert.notEqual(tokenOf({ ...payload, data: new Uint8Array(128) }), undefined);
  assert.equal(tokenOf({ ...payload, protocolId: 0 }), undefined);
  assert.equal(tokenOf({ ...payload, spi: new Uint8Array(4) }), undefined);
  assert.equal(tokenOf(notify(16420, { protocolId: 1, data: token })), undefined);
});

test('a restart forgets no secret, and the tokens are the same again', () => {
  const before = CrashDetectionSecrets.fresh(randomness());
  const after = CrashDetectionSecrets.fromRecord(before.record());
  assert.deepEqual(after?.current(spis), before.current(spis));
  assert.deepEqual(after?.tokensFor(spis, 4), [before.current(spis)]);
});

test('every generation is proven with, newest first, and the fifth is forgotten', () => {
  const port = randomness();
  const secrets = CrashDetectionSecrets.fresh(port);
  const given = [secrets.current(spis)];
  for (let i = 0; i < 4; i++) {
    secrets.rotate(port);
    given.unshift(secrets.current(spis));
  }
  const restored = CrashDetectionSecrets.fromRecord(secrets.record());
  assert.equal(restored?.generations, 4);
  assert.deepEqual(restored?.tokensFor(spis, 4), given.slice(0, 4));
  assert.deepEqual(restored?.tokensFor(spis, 2), given.slice(0, 2));
  assert.deepEqual(restored?.tokensFor(spis, 0), []);
});

test('a torn or garbled record holds no secret', () => {
  const secrets = CrashDetectionSecrets.fresh(randomness());
  secrets.rotate(randomness());
  const record = secrets.record();
  for (let length = 0; length < record.length; length++) {
    assert.equal(CrashDetectionSecrets.fromRecord(record.subarray(0, length)), undefined);
  }
  for (let i = 0; i < record.length; i++) {
    const garbled = record.slice();
    garbled[i]! ^= 0x10;
    assert.equal(CrashDetectionSecrets.fromRecord(garbled), undefined);
  }
  assert.equal(CrashDetectionSecrets.fromRecord(Uint8Array.of(...record, 0)), undefined);
});

test('any of four tokens is believed, the fifth is not looked at', () => {
  const held = new HeldTokens();
  const token = new Uint8Array(32).fill(1);
  assert.ok(held.take(tokenNotify(token)));
  const wrong = tokenNotify(new Uint8Array(32).fill(2));
  for (let position = 0; position < 6; position++) {
    const offered = Array.from({ length: 6 }, (_, i) => (i === position ? tokenNotify(token) : wrong));
    assert.equal(held.verify(offered), position < 4);
  }
});

test('up to four earlier tokens stay good, others are overwritten', () => {
  const held = new HeldTokens();
  const tokens = [1, 2, 3, 4, 5].map((fill) => tokenNotify(new Uint8Array(16).fill(fill)));
  for (const token of tokens) held.take(token);
  assert.equal(held.size, 4);
  assert.deepEqual(
    tokens.map((token) => held.verify([token])),
    [false, true, true, true, true],
  );
  assert.equal(held.take(tokens[4]!), true);
  assert.equal(held.size, 4);
});

test('tokens of the wrong length are neither taken nor believed, and none is left after the IKE SA', () => {
  const held = new HeldTokens();
  assert.equal(held.take(tokenNotify(new Uint8Array(15))), false);
  assert.equal(held.verify([]), false);
  const token = tokenNotify(new Uint8Array(16).fill(8));
  held.take(token);
  assert.equal(held.verify([tokenNotify(new Uint8Array(17).fill(8))]), false);
  assert.equal(held.verify([{ ...token, protocolId: 0 }]), false);
  held.destroy();
  assert.equal(held.verify([token]), false);
});

test('random tokens never match', () => {
  const secrets = CrashDetectionSecrets.fresh(randomness());
  const held = new HeldTokens();
  held.take(tokenNotify(secrets.current(spis)));
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ minLength: 0, maxLength: 40 }), { maxLength: 5 }), (tokens) => {
      assert.equal(held.verify(tokens.map(tokenNotify)), false);
    }),
    cases(20_000),
  );
});

test('no two IKE SAs share a token', () => {
  const secrets = CrashDetectionSecrets.fresh(randomness());
  const seen = new Set<string>();
  for (let i = 0; i < 10_000; i++) {
    const spi = i.toString(16).padStart(16, '0') as IkeSpi;
    for (const pair of [
      { initiatorSpi: spi, responderSpi },
      { initiatorSpi: responderSpi, responderSpi: spi },
    ]) {
      seen.add(secrets.current(pair).join());
    }
  }
  assert.equal(seen.size, 20_000);
});
