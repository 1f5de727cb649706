import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addressFromBytes, compareAddresses, formatSelector, selectorOfRange } from '#sa';
import { didYouMean, suggestion } from '../suggestion.ts';
import { parsePoolAddresses, parseRemoteAddress } from './address.ts';
import { parseAuthentication } from './authentication.ts';
import { BadValue, UnsupportedValue } from './bad-value.ts';
import { parseBoolean, parseBytes, parseCount, parseDuration, parseNumber } from './quantity.ts';
import { parseSecret } from './secret.ts';
import { parseSelector } from './selector.ts';
import { textFromUtf8, utf8Fault, utf8FromText } from './utf8.ts';

function refuses(parse: (text: string) => unknown, texts: readonly string[]): void {
  for (const text of texts) assert.throws(() => parse(text), BadValue, text);
}

test('durations', () => {
  const cases = {
    '0': 0,
    '90': 90_000,
    '10s': 10_000,
    '30m': 1_800_000,
    '1h': 3_600_000,
    '2d': 172_800_000,
    '500ms': 500,
  };
  for (const [text, expected] of Object.entries(cases)) assert.equal(parseDuration(text), expected);
  refuses(parseDuration, ['', '-1', '1.5h', '1w', 'h', '1h30m', '99999999999999999d', '0x10']);
});

test('octets', () => {
  const cases = {
    '0': 0,
    '1500': 1500,
    '64k': 65_536,
    '1M': 1_048_576,
    '1G': 1_073_741_824,
    '2g': 2_147_483_648,
  };
  for (const [text, expected] of Object.entries(cases)) assert.equal(parseBytes(text), expected);
  refuses(parseBytes, ['', '-1', '1T', '1.5G', 'G', '99999999999G']);
});

test('counts and fractions keep to their bounds', () => {
  assert.equal(parseCount('7', 0, 7), 7);
  refuses((text) => parseCount(text, 1, 7), ['', '0', '8', '-1', '1e1', '0x1', ' 3 x']);
  assert.equal(parseNumber('1.8', 1, 10), 1.8);
  refuses((text) => parseNumber(text, 1, 10), ['', '0.9', '10.1', '.5', '1.', 'NaN', 'Infinity']);
});

test('booleans', () => {
  for (const text of ['yes', 'true', 'enabled', '1', 'YES']) assert.equal(parseBoolean(text), true);
  for (const text of ['no', 'false', 'disabled', '0', 'No']) assert.equal(parseBoolean(text), false);
  refuses(parseBoolean, ['', 'on', 'off', '2', 'y']);
});

test('addresses of peers', () => {
  const any = { kind: 'any' };
  assert.deepEqual(parseRemoteAddress('%any'), any);
  assert.deepEqual(parseRemoteAddress('%any6'), { kind: 'prefix', prefix: { address: '::', length: 0 } });
  assert.deepEqual(parseRemoteAddress('0.0.0.0'), {
    kind: 'prefix',
    prefix: { address: '0.0.0.0', length: 0 },
  });
  assert.deepEqual(parseRemoteAddress('2001:DB8::1'), { kind: 'address', address: '2001:db8::1' });
  assert.deepEqual(parseRemoteAddress('10.0.0.0/8'), {
    kind: 'prefix',
    prefix: { address: '10.0.0.0', length: 8 },
  });
  assert.deepEqual(parseRemoteAddress('10.0.0.1 - 10.0.0.9'), {
    kind: 'range',
    start: '10.0.0.1',
    end: '10.0.0.9',
  });
  assert.deepEqual(parseRemoteAddress('vpn-1.example.org'), { kind: 'host', name: 'vpn-1.example.org' });
  refuses(parseRemoteAddress, [
    '',
    '10.0.0.300',
    '10.0.0',
    '10.0.0.0/33',
    '10.0.0.9-10.0.0.1',
    '10.0.0.1-::1',
    '-a',
    'a b',
  ]);
  refuses(parseRemoteAddress, [`${'a'.repeat(64)}.org`, 'a..b', `${'a.'.repeat(130)}a`, 'a/b', '%all']);
});

test('pools are blocks or ranges', () => {
  assert.deepEqual(parsePoolAddresses('10.3.0.0/24'), { address: '10.3.0.0', length: 24 });
  assert.deepEqual(parsePoolAddresses('fd00::10-fd00::20'), { start: 'fd00::10', end: 'fd00::20' });
  refuses(parsePoolAddresses, ['', 'dhcp', '10.3.0.9-10.3.0.1', '10.3.0.0/24,10.4.0.0/24']);
});

test('traffic selectors', () => {
  const all = { protocol: 0, startPort: 0, endPort: 65535 };
  assert.deepEqual(parseSelector('dynamic'), { dynamic: true, ...all });
  assert.deepEqual(parseSelector('dynamic[udp]'), { dynamic: true, ...all, protocol: 17 });
  const block = { start: '10.0.0.0', end: '10.0.0.255' };
  assert.deepEqual(parseSelector('10.0.0.0/24'), { ...all, ...block });
  assert.deepEqual(parseSelector('10.0.0.7/24[tcp/80]'), {
    protocol: 6,
    startPort: 80,
    endPort: 80,
    ...block,
  });
  assert.deepEqual(parseSelector('10.0.0.0/24[6/https]'), {
    protocol: 6,
    startPort: 443,
    endPort: 443,
    ...block,
  });
  assert.deepEqual(parseSelector('10.0.0.0/24[/53]'), { protocol: 0, startPort: 53, endPort: 53, ...block });
  assert.deepEqual(parseSelector('10.0.0.0/24[udp/1000-2000]'), {
    protocol: 17,
    startPort: 1000,
    endPort: 2000,
    ...block,
  });
  assert.deepEqual(parseSelector('10.0.0.0/24[sctp/opaque]'), {
    protocol: 132,
    startPort: 65535,
    endPort: 0,
    ...block,
  });
  assert.deepEqual(parseSelector('10.0.0.5-10.0.0.9'), { ...all, start: '10.0.0.5', end: '10.0.0.9' });
  assert.deepEqual(parseSelector('::/0[ipv6-icmp]'), {
    ...all,
    protocol: 58,
    start: '::',
    end: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
  });
});

test('for ICMP a small port is a type with all of its codes', () => {
  const echo = { protocol: 1, startPort: 0x0800, endPort: 0x08ff, start: '10.0.0.1', end: '10.0.0.1' };
  assert.deepEqual(parseSelector('10.0.0.1[icmp/8]'), echo);
  assert.deepEqual(parseSelector('10.0.0.1[icmp/2048-2303]'), echo);
});

test('malformed traffic selectors', () => {
  refuses(parseSelector, [
    '',
    '[tcp]',
    '10.0.0.0/24[',
    '10.0.0.0/24]',
    '10.0.0.0/24[tcp/80/1]',
    '10.0.0.0/24[256]',
  ]);
  refuses(parseSelector, [
    'host.example',
    '10.0.0.0/24[tcp/99999]',
    '10.0.0.0/24[tcp/9-8]',
    '10.0.0.0/24[constructor]',
  ]);
  refuses(parseSelector, ['10.0.0.0/24[tcp/constructor]', '10.0.0.0/24[tcp][udp]', 'dynamic/24']);
});

test('a printed selector reads back as itself', () => {
  const octets = fc.uint8Array({ minLength: 4, maxLength: 4 });
  const ports = fc
    .tuple(fc.nat(65535), fc.nat(65535))
    .map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
  const protocol = fc.nat(255).filter((number) => number !== 1 && number !== 58);
  fc.assert(
    fc.property(octets, octets, protocol, ports, (one, other, number, [startPort, endPort]) => {
      const [start, end] = [addressFromBytes(one), addressFromBytes(other)].sort(compareAddresses);
      const selector = { ...selectorOfRange(start!, end!), protocol: number, startPort, endPort };
      assert.deepEqual(parseSelector(formatSelector(selector).replace('..', '-')), selector);
    }),
  );
});

test('secrets are text, hexadecimal or Base64', () => {
  const octets = (text: string): number[] => [...parseSecret(text)];
  assert.deepEqual(octets('päss'), [0x70, 0xc3, 0xa4, 0x73, 0x73]);
  assert.deepEqual(octets('0x0aFF'), [0x0a, 0xff]);
  assert.deepEqual(octets('0xabc'), [0x0a, 0xbc]);
  assert.deepEqual(octets('0X0a:FF'), [0x0a, 0xff]);
  assert.deepEqual(octets('0saGVsbG8='), [...utf8FromText('hello')]);
  assert.deepEqual(octets('0SaGVsbG8='), [...utf8FromText('hello')]);
  refuses(parseSecret, ['', '0x', '0s', '0xzz', '0s===', '0sa', '0s*', '0saGVsbG9=']);
  // Of these swanctl makes other octets than one would think.
  refuses(parseSecret, ['0saGVsbG8', '0saGVs bG8=', '0x0a 0b']);
});

test('no error about a secret repeats it', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 4 }), (tail) => {
      for (const text of [`0x${tail}`, `0s${tail}`]) {
        try {
          parseSecret(text);
        } catch (error) {
          assert.ok(error instanceof BadValue);
          assert.equal(error.message, 'a secret: text, 0x and hexadecimal digits, or 0s and Base64');
        }
      }
    }),
  );
});

test('methods of authentication', () => {
  assert.equal(parseAuthentication('PSK', ['psk', 'pubkey']), 'psk');
  for (const text of [
    'eap',
    'eap-tls:ecdsa-384-sha384',
    'xauth-pam',
    'rsa-2048-sha256',
    'ike:pubkey-sha384',
    'rsa/pss-sha256',
  ]) {
    assert.throws(() => parseAuthentication(text, ['psk', 'pubkey']), UnsupportedValue, text);
  }
  refuses((text) => parseAuthentication(text, ['psk', 'pubkey']), ['', 'any', 'secret', 'psk-sha256']);
});

test('UTF-8 goes both ways, and what is none is refused', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.deepEqual(utf8FromText(text), new Uint8Array(new TextEncoder().encode(text)));
      assert.equal(textFromUtf8(utf8FromText(text)), text);
    }),
  );
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 6 }), (octets) => {
      let expected: string | undefined;
      try {
        expected = decoder.decode(octets);
      } catch {
        expected = undefined;
      }
      assert.equal(textFromUtf8(octets), expected);
      assert.equal(utf8Fault(octets) === undefined, expected !== undefined);
    }),
    { numRuns: 2000 },
  );
});

test('of a file that is no UTF-8, the line with the first octet that is none is told', () => {
  const octetsOf = (text: string): Uint8Array =>
    Uint8Array.from(text, (character) => character.charCodeAt(0));
  assert.equal(utf8Fault(octetsOf('p\xe4ss')), 'line 1 is no UTF-8 text');
  assert.equal(utf8Fault(octetsOf('a\r\nb\nid = caf\xe9\nid = p\xe4')), 'line 3 is no UTF-8 text');
  // The line of the character that is cut short, not of what comes in its place.
  assert.equal(utf8Fault(octetsOf('\n\xc3\n')), 'line 2 is no UTF-8 text');
});

test('suggestions are close or not made', () => {
  const names = ['remote_addrs', 'remote_ts', 'rekey_time', 'mode'];
  assert.equal(suggestion('remote_adrs', names), 'remote_addrs');
  assert.equal(suggestion('Rekey_Tiem', names), 'rekey_time');
  assert.equal(suggestion('mod', names), 'mode');
  assert.equal(suggestion('entirely', names), undefined);
  assert.equal(didYouMean('entirely', names), '');
  assert.equal(suggestion('x'.repeat(100_000), names), undefined);
});
