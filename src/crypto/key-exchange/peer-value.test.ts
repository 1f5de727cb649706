// What a peer may send as its public value, and what is refused.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Ke } from '#sa';
import { CryptoError } from '../error.ts';
import { numberFromOctets, octetsFromNumber } from '../key-material/octets.ts';
import { digits, hex } from '../testing/octets.ts';
import { keyExchangeMethod, supportedKeyExchange } from './key-exchange-method.ts';

const groups = Object.values(Ke).filter((group) => group !== Ke.NONE);
const modular = [Ke.MODP_2048, Ke.MODP_3072, Ke.MODP_4096, Ke.MODP_6144, Ke.MODP_8192];
const curves = [Ke.ECP_256, Ke.ECP_384, Ke.ECP_521, Ke.BRAINPOOL_256, Ke.BRAINPOOL_384, Ke.BRAINPOOL_512];

const refused = (error: unknown): boolean =>
  error instanceof CryptoError && error.code === 'bad-public-value';

for (const group of groups) {
  test(`group ${group}: two fresh pairs agree, and no two pairs are alike`, () => {
    assert.equal(supportedKeyExchange(group), true);
    const method = keyExchangeMethod(group);
    const initiator = method.generate();
    const responder = method.generate();
    assert.notDeepEqual(initiator.publicValue, responder.publicValue);
    const secret = initiator.agree(responder.publicValue);
    assert.deepEqual(responder.agree(initiator.publicValue), secret);
    assert.equal(Object.getPrototypeOf(secret), Uint8Array.prototype);
    assert.equal(Object.getPrototypeOf(initiator.publicValue), Uint8Array.prototype);
  });

  test(`group ${group}: a value of another length is refused`, () => {
    const pair = keyExchangeMethod(group).generate();
    const { length } = pair.publicValue;
    for (const other of [0, 1, length - 1, length + 1, 2 * length]) {
      const value = new Uint8Array(other);
      value.set(pair.publicValue.subarray(0, other));
      assert.throws(() => pair.agree(value), refused);
    }
  });

  test(`group ${group}: the drawn private value is wiped, and a destroyed pair agrees on nothing`, () => {
    const drawn: Uint8Array[] = [];
    const pair = keyExchangeMethod(group).derive((count) => {
      const octets = Uint8Array.from({ length: count }, (_, i) => (i === 0 ? 0x01 : i));
      drawn.push(octets);
      return octets;
    });
    assert.ok(drawn.length > 0);
    for (const octets of drawn) assert.deepEqual(octets, new Uint8Array(octets.length));
    const peer = keyExchangeMethod(group).generate();
    pair.destroy();
    pair.destroy();
    assert.throws(() => pair.agree(peer.publicValue), /destroyed/);
  });
}

for (const group of modular) {
  test(`group ${group}: 0, 1, p - 1 and everything from p on are refused; 2 and p - 2 are in range (RFC 6989 2.1)`, () => {
    const pair = keyExchangeMethod(group).generate();
    const { length } = pair.publicValue;
    const top = 1n << BigInt(8 * length);
    const p = primeOf(group, length);
    for (const value of [0n, 1n, p - 1n, p, p + 1n, top - 1n]) {
      assert.throws(() => pair.agree(octetsFromNumber(value, length)), refused);
    }
    const two = pair.agree(octetsFromNumber(2n, length));
    // g^x again: the group's generator is 2.
    assert.deepEqual(two, pair.publicValue);
    // (p - 2)^x = +-2^x
    const other = numberFromOctets(pair.agree(octetsFromNumber(p - 2n, length)));
    const mine = numberFromOctets(pair.publicValue);
    assert.ok(other === mine || other === p - mine);
  });
}

/** The prime by the formula of RFC 3526, which is how it was found in the first place. */
function primeOf(group: number, length: number): bigint {
  const constants: Record<number, bigint> = {
    [Ke.MODP_2048]: 124476n,
    [Ke.MODP_3072]: 1690314n,
    [Ke.MODP_4096]: 240904n,
    [Ke.MODP_6144]: 929484n,
    [Ke.MODP_8192]: 4743158n,
  };
  const n = BigInt(8 * length);
  return (1n << n) - (1n << (n - 64n)) - 1n + (1n << 64n) * (piTimesPowerOfTwo(n - 130n) + constants[group]!);
}

/** floor(2^bits * pi), by Machin's formula with 64 bits to spare. */
function piTimesPowerOfTwo(bits: bigint): bigint {
  const one = 1n << (bits + 64n);
  const arctangentOfInverse = (x: bigint): bigint => {
    let term = one / x;
    let sum = term;
    for (let n = 3n, sign = -1n; term > 0n; n += 2n, sign = -sign) {
      term /= x * x;
      sum += (sign * term) / n;
    }
    return sum;
  };
  return (4n * (4n * arctangentOfInverse(5n) - arctangentOfInverse(239n))) >> 64n;
}

for (const group of curves) {
  test(`group ${group}: points off the curve are refused (RFC 6989 2.3)`, () => {
    const method = keyExchangeMethod(group);
    const pair = method.generate();
    const peer = method.generate().publicValue;
    const half = peer.length / 2;
    const onItsHead = new Uint8Array([...peer.subarray(half), ...peer.subarray(0, half)]);
    for (const value of [new Uint8Array(peer.length), new Uint8Array(peer.length).fill(0xff), onItsHead]) {
      assert.throws(() => pair.agree(value), refused);
    }
    fc.assert(
      fc.property(fc.nat(peer.length - 1), fc.nat(7), (position, bit) => {
        const value = peer.slice();
        value[position]! ^= 1 << bit;
        assert.throws(() => pair.agree(value), refused);
      }),
      { numRuns: 20 },
    );
  });

  test(`group ${group}: private values of zero or beyond the order are drawn again`, () => {
    const draws = [0x00, 0xff];
    let count = 0;
    const pair = keyExchangeMethod(group).derive((length) => {
      count++;
      const octets = new Uint8Array(length).fill(draws[count - 1] ?? 0);
      if (count === 3) octets[length - 1] = 1;
      return octets;
    });
    assert.equal(count, 3);
    const peer = keyExchangeMethod(group).generate().publicValue;
    // The private value 1: the shared secret is the peer's X.
    assert.deepEqual(pair.agree(peer), peer.slice(0, peer.length / 2));
  });
}

/** Points of small order of curve25519: RFC 7748 6.1 wants their all-zero result refused. */
const smallOrder25519 = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
];

test('group 31: values of small order, canonical or not, are refused', () => {
  const pair = keyExchangeMethod(Ke.CURVE25519).generate();
  for (const value of smallOrder25519) {
    assert.throws(() => pair.agree(hex(value)), refused);
    const withHighestBit = hex(value);
    withHighestBit[31]! |= 0x80;
    assert.throws(() => pair.agree(withHighestBit), refused);
  }
});

test('group 32: values of small order are refused', () => {
  const pair = keyExchangeMethod(Ke.CURVE448).generate();
  const p = (1n << 448n) - (1n << 224n) - 1n;
  for (const value of [0n, 1n, p - 1n, p, p + 1n]) {
    assert.throws(() => pair.agree(octetsFromNumber(value, 56).reverse()), refused);
  }
});

test('group 31: the highest bit of a value is masked, and a value beyond the prime is accepted (RFC 8031 3.2)', () => {
  const pair = keyExchangeMethod(Ke.CURVE25519).generate();
  const peer = keyExchangeMethod(Ke.CURVE25519).generate().publicValue;
  const withHighestBit = peer.slice();
  withHighestBit[31]! |= 0x80;
  assert.deepEqual(pair.agree(withHighestBit), pair.agree(peer));
  const nine = new Uint8Array(32);
  nine[0] = 9;
  // 2^255 - 19 + 9
  const nineBeyond = octetsFromNumber((1n << 255n) - 10n, 32).reverse();
  assert.equal(digits(pair.agree(nineBeyond)), digits(pair.agree(nine)));
});

test('NONE and unknown groups are unsupported', () => {
  for (const group of [Ke.NONE, 1, 2, 5, 22, 33, 65535]) {
    assert.equal(supportedKeyExchange(group), false);
    assert.throws(
      () => keyExchangeMethod(group),
      (error) => error instanceof CryptoError && error.code === 'unsupported',
    );
  }
});
