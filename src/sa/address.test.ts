import assert from 'node:assert/strict';
import { isIPv4, isIPv6 } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  address,
  addressBytes,
  addressFromBytes,
  compareAddresses,
  coveringPrefix,
  formatEndpoint,
  type IpAddress,
  parseAddress,
  parsePrefix,
  prefixesOfRange,
  prefixRange,
} from './address.ts';

const octets = fc.oneof(
  fc.uint8Array({ minLength: 4, maxLength: 4 }),
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
  // Runs of zeros, which the short form is about.
  fc
    .array(fc.constantFrom(0, 0, 0, 1), { minLength: 16, maxLength: 16 })
    .map((list) => Uint8Array.from(list)),
);

test('octets -> text -> octets is the identity, and the text is an address to Node too', () => {
  fc.assert(
    fc.property(octets, (bytes) => {
      const text = addressFromBytes(bytes);
      assert.ok(bytes.length === 4 ? isIPv4(text) : isIPv6(text), text);
      assert.deepEqual(addressBytes(text), bytes);
      assert.equal(parseAddress(text), text);
    }),
  );
});

test('text that Node takes for an address is one here, and no other', () => {
  const character = fc.constantFrom(...'0123456789abcdefF:.');
  fc.assert(
    fc.property(fc.array(character, { maxLength: 20 }), (characters) => {
      const text = characters.join('');
      assert.equal(parseAddress(text) !== undefined, isIPv4(text) || isIPv6(text), text);
    }),
    {
      numRuns: 5000,
      examples: [[[...'0.0.0.0::']], [[...'::0.0.0.0']], [[...'1::1.2.3.4']], [[...'1.2.3.4::1']]],
    },
  );
});

// The examples of RFC 5952 sections 1 and 4.
for (const [given, canonical] of [
  ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['2001:0db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['2001:db8::0:1', '2001:db8::1'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['2001:db8:0:0:0:0:2:1', '2001:db8::2:1'],
  ['2001:DB8::1', '2001:db8::1'],
  ['0:0:0:0:0:0:0:0', '::'],
  ['::ffff:192.0.2.1', '::ffff:c000:201'],
] as const) {
  test(`${given} is ${canonical}`, () => assert.equal(parseAddress(given), canonical));
}

test('what is no address is refused by name', () => {
  const detail = { name: 'AddressError', code: 'bad-address', message: '10.0.0.256 is not an IP address' };
  assert.throws(() => address('10.0.0.256'), detail);
  assert.throws(() => addressFromBytes(new Uint8Array(5)));
  for (const text of [
    '',
    '1.2.3',
    '01.2.3.4',
    '1.2.3.4.5',
    ':::',
    '1::2::3',
    'fe80::1%eth0',
    '1:2:3:4:5:6:7::8:9',
  ]) {
    assert.equal(parseAddress(text), undefined, text);
  }
});

test('a block has its first and its last address', () => {
  assert.deepEqual(prefixRange(parsePrefix('10.1.2.3/20')!), { start: '10.1.0.0', end: '10.1.15.255' });
  assert.deepEqual(prefixRange(parsePrefix('2001:db8::1/127')!), { start: '2001:db8::', end: '2001:db8::1' });
  assert.deepEqual(parsePrefix('192.0.2.1'), { address: '192.0.2.1', length: 32 });
  for (const text of ['10.0.0.0/33', '10.0.0.0/', '10.0.0.0/-1', 'x/8'])
    assert.equal(parsePrefix(text), undefined);
});

test('a range is cut into blocks that touch, cover it, and do not overlap', () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat({ max: 5000 }), (from, size) => {
      const text = (value: number): IpAddress =>
        addressFromBytes(Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value));
      const prefixes = prefixesOfRange(text(from), text(from + size));
      let next = from;
      for (const prefix of prefixes) {
        const { start, end } = prefixRange(prefix);
        assert.equal(start, text(next));
        next += compareIpv4(end, start) + 1;
      }
      assert.equal(next, from + size + 1);
      assert.ok(prefixes.length <= 26);
    }),
  );
  assert.deepEqual(prefixesOfRange(address('::'), address('ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff')), [
    { address: '::', length: 0 },
  ]);
});

function compareIpv4(a: IpAddress, b: IpAddress): number {
  const value = (one: IpAddress): number => new DataView(addressBytes(one).buffer).getUint32(0);
  return value(a) - value(b);
}

test('addresses are ordered as their octets', () => {
  assert.ok(compareAddresses(address('10.0.0.2'), address('10.0.0.10')) < 0);
  assert.ok(compareAddresses(address('2001:db8::ff'), address('2001:db8::1')) > 0);
  assert.equal(compareAddresses(address('::1'), address('::1')), 0);
});

test('an endpoint is written as in a URL', () => {
  assert.equal(formatEndpoint({ address: address('192.0.2.1'), port: 500 }), '192.0.2.1:500');
  assert.equal(formatEndpoint({ address: address('2001:db8::1'), port: 4500 }), '[2001:db8::1]:4500');
});

test('the smallest block that holds a range', () => {
  const covering = (start: string, end: string): string => {
    const { address: first, length } = coveringPrefix(address(start), address(end));
    return `${first}/${length}`;
  };
  assert.equal(covering('10.1.0.0', '10.1.255.255'), '10.1.0.0/16');
  assert.equal(covering('10.1.0.3', '10.1.0.9'), '10.1.0.0/28');
  assert.equal(covering('10.1.0.3', '10.1.0.3'), '10.1.0.3/32');
  assert.equal(covering('0.0.0.1', '255.0.0.0'), '0.0.0.0/0');
  assert.equal(covering('2001:db8::1', '2001:db8::1:0'), '2001:db8::/111');
  assert.equal(covering('::', '::'), '::/128');
});
