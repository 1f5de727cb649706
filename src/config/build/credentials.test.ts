import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { connection, errorsOf, load, warningsOf } from '../testing/load.ts';
import { utf8FromText } from '../values/utf8.ts';

test('a certificate that is not there is an error at the option that names it', () => {
  const text = connection({ local: 'certs = gone.pem', remote: 'cacerts = /ca.pem, x.pem' });
  const files = { '/ca.pem': 'nonsense', '/etc/swanctl/x509ca/x.pem': '!permission denied' };
  assert.deepEqual(errorsOf(text, files), [
    'swanctl.conf:4:9: certs: there is no file x509/gone.pem',
    'swanctl.conf:7:11: /ca.pem: no certificate',
    'swanctl.conf:7:11: /etc/swanctl/x509ca/x.pem: permission denied',
    'x509ca/x.pem: permission denied',
  ]);
});

const withKey = `connections { c {
local { certs = a.pem, b.pem
}
remote { } } }
secrets { private-a { file = a.key
secret = hunter2
} }`;
const certificates = {
  '/etc/swanctl/x509/a.pem': 'certificate a',
  '/etc/swanctl/x509/b.pem': 'certificate b',
};

test('private keys are opened with the passphrase of their file', () => {
  const key = { '/etc/swanctl/private/a.key': 'key a hunter2' };
  assert.equal(load(withKey, { ...certificates, ...key }).configuration.credentials.privateKeys.length, 1);
  assert.deepEqual(errorsOf(withKey, { ...certificates, '/etc/swanctl/private/a.key': 'key a other' }), [
    'swanctl.conf:2:17: certs: there is no private key for /etc/swanctl/x509/a.pem',
    'swanctl.conf:5:30: /etc/swanctl/private/a.key: wrong passphrase',
  ]);
});

test('a private key that is not there is an error at the option that names it, and at the certificate', () => {
  assert.deepEqual(errorsOf(withKey, { ...certificates, '/etc/swanctl/rsa/a.key': 'key z' }), [
    'swanctl.conf:2:17: certs: there is no private key for /etc/swanctl/x509/a.pem',
    'swanctl.conf:5:30: file: there is no file private/a.key',
  ]);
});

test('an encrypted key without a passphrase is an error that names its file', () => {
  const files = { '/etc/swanctl/ecdsa/x.key': 'key x hunter2' };
  assert.deepEqual(errorsOf('', files), ['ecdsa/x.key: passphrase needed']);
});

test('secrets that are incomplete', () => {
  const text =
    'secrets { ike { id = a\n}\nprivate { file = x\n}\nike-2 { secret = 0xq\n}\nike-3 { secret =\n} }';
  assert.deepEqual(errorsOf(text), [
    'swanctl.conf:1:11: section "ike" needs the option "secret"',
    'swanctl.conf:3:1: section "private" needs the option "secret"',
    'swanctl.conf:5:18: secret: expected a secret: text, 0x and hexadecimal digits, or 0s and Base64',
    'swanctl.conf:7:1: section "ike-3" needs the option "secret"',
  ]);
});

test('blanks that quotes protect belong to a secret', () => {
  const [secret] = load('secrets { ike { secret = " a  b "\n} }').configuration.credentials.sharedSecrets;
  assert.deepEqual(secret!.secret, utf8FromText(' a  b '));
});

test('an authority needs its certificate, and a preshared key its secret', () => {
  assert.deepEqual(errorsOf('authorities { ca { cert_uri_base = http://example.org\n} }'), [
    'swanctl.conf:1:15: section "ca" needs the option "cacert"',
  ]);
  assert.deepEqual(warningsOf(connection().split('secrets')[0]!), [
    'swanctl.conf:1:15: connection "c" has auth = psk, and there is no ike secret',
  ]);
});

test('no message shows a secret, however it is written', () => {
  const secret = fc.stringMatching(/^Zq[A-Za-z0-9=+/{}"#:,. \n]{6,20}$/);
  const shapes = [
    (it: string): string => `secrets { ike { secret = ${it}\n} }`,
    (it: string): string => `secrets { ike { secret ${it}\n} }`,
    (it: string): string => `secrets { ike { secret =\n${it}\n} }`,
    (it: string): string => `secrets { ike { secret = 0x${it}\n} }`,
    (it: string): string => `secrets { ike { ${it} = secret\n} }`,
    (it: string): string => `secrets { ${it} { secret = 1\n} }`,
    (it: string): string => `secrets { private { file = a\nsecret = ${it}\n} }`,
    (it: string): string => `secrets { token { pin = 0x${it}\n} }`,
  ];
  fc.assert(
    fc.property(secret, fc.constantFrom(...shapes), (it, shape) => {
      const marker = it.slice(0, 4);
      for (const message of errorsOf(shape(it))) assert.ok(!message.includes(marker), message);
    }),
    { numRuns: 1000 },
  );
});
