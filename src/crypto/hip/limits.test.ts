// Where puzzle, KEYMAT and ENCRYPTED end: lengths, unknown algorithms, garbage.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { espSuiteOf, HipKe, isAuthenticationOnly, Ke } from '#sa';
import { HipCipher, type HipParameter, type Hit } from '#wire';
import { CryptoError, type CryptoErrorCode } from '../error.ts';
import { keyExchangeMethod, supportedKeyExchange } from '../key-exchange/key-exchange-method.ts';
import { nodeRandomness } from '../randomness/node-randomness.ts';
import { ascending } from '../testing/octets.ts';
import {
  HipKeymat,
  hipCipherKeyBytes,
  isPuzzleSolved,
  openHipParameters,
  sealHipParameters,
  searchPuzzleSolution,
  supportedHipCipher,
} from './index.ts';

function refused(run: () => unknown, code: CryptoErrorCode): void {
  assert.throws(run, (error) => error instanceof CryptoError && error.code === code);
}

const initiator = '20010022000000000000000000000001' as Hit;
const responder = '20010021000000000000000000000002' as Hit;
const input = {
  initiator,
  responder,
  sharedSecret: ascending(0, 32),
  random: ascending(1, 32),
  solution: ascending(2, 32),
};

// RFC 7401 6.5, RFC 7402 5.1.1
test('KEYMAT ends after 255 hashes', () => {
  const keymat = new HipKeymat(input);
  assert.equal(keymat.lengthMax, 8160);
  assert.equal(keymat.read(8160 - 16, 16).length, 16);
  refused(() => keymat.read(8160 - 16, 17), 'bad-length');
  refused(() => keymat.read(-1, 1), 'bad-length');
  refused(() => keymat.drawEspKeys(espSuiteOf(8)!, 8160 - 95), 'bad-length');
  assert.equal(keymat.drawEspKeys(espSuiteOf(8)!, 8160 - 96).nextIndex, 8160);
});

test('a KEYMAT that was destroyed gives no keys', () => {
  const keymat = new HipKeymat(input);
  keymat.destroy();
  assert.throws(() => keymat.read(0, 1), /destroyed/);
});

// RFC 7401 6.5
test('KEYMAT depends on each of its inputs, and neither on who initiates nor on who asks', () => {
  const octets = new HipKeymat(input).read(0, 64);
  assert.deepEqual(
    new HipKeymat({
      ...input,
      initiator: '20010021000000000000000000000002' as Hit,
      responder: '20010021000000000000000000000001' as Hit,
    }).read(0, 64),
    new HipKeymat({ ...input, initiator: '20010021000000000000000000000001' as Hit }).read(0, 64),
  );
  for (const changed of [
    { sharedSecret: ascending(1, 32) },
    { random: ascending(9, 32) },
    { solution: ascending(9, 32) },
    { initiator: '20010022000000000000000000000003' as Hit },
  ]) {
    assert.notDeepEqual(new HipKeymat({ ...input, ...changed }).read(0, 64), octets);
  }
});

test('#I and #J have the length of RHASH, and the Responder a HIT Suite that we know', () => {
  refused(() => new HipKeymat({ ...input, random: ascending(0, 20) }), 'bad-length');
  refused(() => new HipKeymat({ ...input, solution: ascending(0, 48) }), 'bad-length');
  refused(
    () => new HipKeymat({ ...input, responder: '20010025000000000000000000000002' as Hit }),
    'unsupported',
  );
});

// RFC 7402 7, 5.1.2, 3.3.5
test('each ESP suite draws keys of its natural size', () => {
  const keymat = new HipKeymat(input);
  const perDirection: Record<number, number> = {
    1: 16 + 20,
    7: 32,
    8: 16 + 32,
    9: 32 + 32,
    10: 16 + 3,
    11: 16 + 3,
    12: 16 + 4,
    13: 16 + 4,
    14: 16,
    15: 16 + 4,
  };
  for (const [id, bytes] of Object.entries(perDirection)) {
    assert.equal(keymat.drawEspKeys(espSuiteOf(Number(id))!, 96).nextIndex, 96 + 2 * bytes, `suite ${id}`);
    assert.equal(isAuthenticationOnly(Number(id)), ['7', '14', '15'].includes(id));
  }
  for (const id of [0, 2, 3, 4, 5, 6, 16]) assert.equal(espSuiteOf(id), undefined);
});

// RFC 7401 6.3
test('a puzzle of no difficulty is solved by anything of the right length, one beyond the hash by nothing', () => {
  const puzzle = { initiator, responder, random: ascending(0, 32), difficulty: 0 };
  assert.ok(isPuzzleSolved(puzzle, ascending(0, 32)));
  assert.equal(isPuzzleSolved(puzzle, ascending(0, 20)), false);
  assert.equal(isPuzzleSolved({ ...puzzle, random: ascending(0, 20) }, ascending(0, 32)), false);
  assert.equal(isPuzzleSolved({ ...puzzle, responder: initiator }, ascending(0, 32)), false);
  assert.equal(isPuzzleSolved({ ...puzzle, responder: '0'.repeat(32) as Hit }, ascending(0, 32)), false);
  const impossible = { ...puzzle, difficulty: 255 };
  const search = searchPuzzleSolution(impossible, new Uint8Array(32).fill(0xff), 100);
  assert.equal(search.solved, false);
  assert.equal(search.attempts, 100);
  refused(() => searchPuzzleSolution(puzzle, ascending(0, 20), 1), 'bad-length');
});

// RFC 7401 6.3
test('of 4096 solutions about one in 2^#K is right', () => {
  let right = 0;
  const puzzle = { initiator, responder, random: ascending(0, 32), difficulty: 5 };
  for (let i = 0; i < 4096; i++) {
    const solution = new Uint8Array(32);
    new DataView(solution.buffer).setUint32(28, i);
    if (isPuzzleSolved(puzzle, solution)) right++;
  }
  assert.ok(right > 80 && right < 180, `${right}`);
});

const parameters: HipParameter[] = [{ type: 'ECHO_REQUEST_SIGNED', data: ascending(0, 20) }];

// RFC 7401 5.2.8, 5.2.18
test('what a cipher seals it opens, whatever the length; with another key or changed it opens nothing of the kind', () => {
  for (const cipher of Object.values(HipCipher)) {
    assert.ok(supportedHipCipher(cipher));
    const key = nodeRandomness().bytes(hipCipherKeyBytes(cipher));
    for (let length = 0; length < 40; length++) {
      const data = ascending(0, length);
      const inside: HipParameter[] = [{ type: 'ECHO_REQUEST_SIGNED', data }];
      const body = sealHipParameters(cipher, key, inside, nodeRandomness());
      assert.deepEqual(openHipParameters(cipher, key, body), inside);
      if (cipher === HipCipher.NULL_ENCRYPT) continue;
      assert.equal(openHipParameters(cipher, key, body.subarray(0, body.length - 1)), undefined);
      assert.notDeepEqual(openHipParameters(cipher, nodeRandomness().bytes(key.length), body), inside);
    }
    refused(() => sealHipParameters(cipher, new Uint8Array(5), parameters, nodeRandomness()), 'bad-key');
    refused(() => openHipParameters(cipher, new Uint8Array(5), new Uint8Array(48)), 'bad-key');
  }
  assert.equal(supportedHipCipher(3), false);
  refused(() => hipCipherKeyBytes(3), 'unsupported');
  refused(() => openHipParameters(5, new Uint8Array(0), new Uint8Array(0)), 'unsupported');
});

test('garbage inside ENCRYPTED opens to nothing and throws nothing', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.values(HipCipher)),
      fc.uint8Array({ maxLength: 100 }),
      (cipher, body) => {
        const key = ascending(0, hipCipherKeyBytes(cipher));
        const opened = openHipParameters(cipher, key, body);
        assert.ok(opened === undefined || Array.isArray(opened));
      },
    ),
  );
});

// RFC 7401 5.2.7
test("HIP's own groups make key pairs that agree, and are no transforms of IKEv2", () => {
  for (const group of Object.values(HipKe)) {
    assert.equal(supportedKeyExchange(group), false);
    const one = keyExchangeMethod(group).generate();
    const other = keyExchangeMethod(group).generate();
    assert.deepEqual(one.agree(other.publicValue), other.agree(one.publicValue));
    refused(() => one.agree(new Uint8Array(one.publicValue.length)), 'bad-public-value');
    refused(() => one.agree(other.publicValue.subarray(1)), 'bad-public-value');
  }
  assert.ok(supportedKeyExchange(Ke.MODP_2048));
});
