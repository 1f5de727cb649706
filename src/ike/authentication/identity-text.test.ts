// What an operator's text means as an identity, and which identities fit a pattern.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { distinguishedNameFromText } from '#crypto';
import { IdType } from '#wire';
import type { Identity } from '../configuration.ts';
import { exactMatch, identityKey, matchIdentity, sameIdentity } from './identity-match.ts';
import {
  formatIdentity,
  formatIdentityPattern,
  IdentityError,
  identityFromText,
  identityPatternFromText,
} from './identity-text.ts';
import { findSharedSecret } from './shared-secret.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const { IPV4_ADDR, FQDN, RFC822_ADDR, IPV6_ADDR, DER_ASN1_DN, KEY_ID } = IdType;

describe('an identity in text', () => {
  // As strongSwan's documentation of identity parsing describes each form.
  const cases: [string, number, Uint8Array][] = [
    ['moon.strongswan.org', FQDN, text('moon.strongswan.org')],
    ['moon', FQDN, text('moon')],
    ['@moon', FQDN, text('moon')],
    ['@192.168.0.1', FQDN, text('192.168.0.1')],
    ['carol@strongswan.org', RFC822_ADDR, text('carol@strongswan.org')],
    ['@@carol@strongswan.org', RFC822_ADDR, text('carol@strongswan.org')],
    ['@@192.168.0.1', RFC822_ADDR, text('192.168.0.1')],
    ['@#0a0B0c', KEY_ID, Uint8Array.of(10, 11, 12)],
    ['192.168.0.1', IPV4_ADDR, Uint8Array.of(192, 168, 0, 1)],
    ['192.168.0.256', FQDN, text('192.168.0.256')],
    ['fe80::1', IPV6_ADDR, Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)],
    ['not:an:address', KEY_ID, text('not:an:address')],
    ['ipv4:10.0.0.1', IPV4_ADDR, Uint8Array.of(10, 0, 0, 1)],
    ['ipv4:#0a000001', IPV4_ADDR, Uint8Array.of(10, 0, 0, 1)],
    ['fqdn:10.0.0.1', FQDN, text('10.0.0.1')],
    ['dns:moon', FQDN, text('moon')],
    ['email:moon', RFC822_ADDR, text('moon')],
    ['rfc822:moon@example.org', RFC822_ADDR, text('moon@example.org')],
    ['keyid:moon.example.org', KEY_ID, text('moon.example.org')],
    ['keyid:#6d6f6f6e', KEY_ID, text('moon')],
    ['{11}:moon', KEY_ID, text('moon')],
    ['{200}:#ff', 200, Uint8Array.of(255)],
    ['C=CH, O=strongSwan, CN=moon', DER_ASN1_DN, distinguishedNameFromText('C=CH, O=strongSwan, CN=moon')],
    ['asn1dn:CN=moon', DER_ASN1_DN, distinguishedNameFromText('CN=moon')],
    ['asn1dn:#3000', DER_ASN1_DN, Uint8Array.of(0x30, 0)],
    ['nonsense=moon', KEY_ID, text('nonsense=moon')],
    ['moon@example.org=x', KEY_ID, text('moon@example.org=x')],
  ];
  for (const [written, idType, data] of cases) {
    it(`${written} has type ${idType}`, () => assert.deepEqual(identityFromText(written), { idType, data }));
  }

  for (const wrong of [
    '%any',
    '',
    '*',
    '0.0.0.0',
    '::',
    'asn1dn:moon',
    'ipv4:moon',
    'ipv6:10.0.0.1',
    '@#abc',
    '{300}:x',
  ]) {
    it(`"${wrong}" is none`, () => assert.throws(() => identityFromText(wrong), IdentityError));
  }

  const types = fc.constantFrom<number>(IPV4_ADDR, FQDN, RFC822_ADDR, IPV6_ADDR, DER_ASN1_DN, KEY_ID, 77);
  const texts = fc.oneof(
    fc.uint8Array({ maxLength: 20 }),
    fc.string({ maxLength: 20 }).map(text),
    fc.constantFrom('10.0.0.1', 'a@b', '@a', '@#00', '#00', 'C=CH', 'fqdn:x', '%any', '*').map(text),
    fc.constantFrom('C=CH, CN=x', 'O=a\\, b, CN=*').map(distinguishedNameFromText),
  );

  // RFC 7296 3.5
  it('is always read as the identity it was printed from, in one line', () => {
    fc.assert(
      fc.property(types, texts, (idType, data) => {
        const printed = formatIdentity({ idType, data });
        assert.ok(sameIdentity(identityFromText(printed), { idType, data }), printed);
        assert.doesNotMatch(printed, /[\p{Cc}]/u);
      }),
    );
  });

  it('is printed as short as it can be', () => {
    for (const written of [
      'moon',
      'a@b',
      '10.0.0.1',
      'fd00::1',
      'C=CH, CN=moon',
      'keyid:moon',
      'fqdn:10.0.0.1',
    ]) {
      assert.equal(formatIdentity(identityFromText(written)), written);
    }
    assert.equal(formatIdentity({ idType: FQDN, data: text('a\nb') }), 'fqdn:#610a62');
  });
});

describe('an identity pattern', () => {
  const match = (pattern: string, identity: string): number =>
    matchIdentity(identityFromText(identity), identityPatternFromText(pattern));

  const cases: [string, string, boolean][] = [
    ['%any', 'moon', true],
    ['*', 'carol@example.org', true],
    ['', '10.0.0.1', true],
    ['moon.example.org', 'MOON.example.org', true],
    ['moon.example.org', 'keyid:moon.example.org', false],
    ['*.example.org', 'moon.example.org', true],
    ['*.example.org', 'a.b.EXAMPLE.org', true],
    ['*.example.org', 'example.org', false],
    ['*.example.org', '@.example.org', false],
    ['*.example.org', 'a@x.example.org', false],
    ['*@example.org', 'carol@example.org', true],
    ['*@example.org', 'carol@evil-example.org', false],
    ['fqdn:*', 'moon', true],
    ['fqdn:*', 'carol@example.org', false],
    ['m*n.example.org', 'moon.example.org', false],
    ['C=CH, O=strongSwan, CN=*', 'C=CH, O=strongSwan, CN=moon', true],
    ['C=CH, O=*, CN=*', 'C=CH, O=strongSwan, CN=moon', true],
    ['C=CH, O=strongSwan, CN=*', 'C=CH, O=other, CN=moon', false],
    ['C=CH, O=strongSwan, CN=*', 'C=CH, O=strongSwan, OU=x, CN=moon', false],
    ['10.0.0.1', '10.0.0.1', true],
    ['10.0.0.1', '10.0.0.2', false],
  ];
  for (const [pattern, identity, fits] of cases) {
    it(`${pattern || '(empty)'} ${fits ? 'fits' : 'does not fit'} ${identity}`, () => {
      assert.equal(match(pattern, identity) > 0, fits);
    });
  }

  it('counts the more the less it leaves open', () => {
    const name = 'C=CH, O=strongSwan, CN=moon';
    const rising = ['%any', 'C=*, O=*, CN=*', 'C=CH, O=*, CN=*', 'C=CH, O=strongSwan, CN=*', name].map(
      (pattern) => match(pattern, name),
    );
    assert.deepEqual(
      rising,
      [...rising].sort((a, b) => a - b),
    );
    assert.equal(new Set(rising).size, rising.length);
    assert.equal(rising.at(-1), exactMatch);
  });

  it('does not throw for a peer whose name is no DER', () => {
    const garbage = { idType: DER_ASN1_DN, data: Uint8Array.of(0x30, 0x05, 1) };
    assert.equal(matchIdentity(garbage, identityPatternFromText('CN=*')), 0);
    assert.equal(sameIdentity(garbage, identityFromText('CN=moon')), false);
    assert.equal(typeof identityKey(garbage), 'string');
  });

  it('is printed as it was written', () => {
    for (const written of ['%any', '*.example.org', 'C=CH, CN=*', 'moon']) {
      assert.equal(formatIdentityPattern(identityPatternFromText(written)), written);
    }
  });
});

describe('a map key of an identity', () => {
  it('is the same exactly for the same identities', () => {
    const identities = [
      'moon',
      'MOON',
      'keyid:moon',
      'keyid:MOON',
      'C=CH, CN=a',
      'C=ch,  CN=A',
      '10.0.0.1',
    ].map(identityFromText);
    for (const a of identities) {
      for (const b of identities) assert.equal(identityKey(a) === identityKey(b), sameIdentity(a, b));
    }
  });
});

describe('a shared secret', () => {
  const moon: Identity = identityFromText('moon.example.org');
  const sun: Identity = identityFromText('sun.example.org');
  const find = (secrets: [string[], string][], remote = sun): string | undefined => {
    const found = findSharedSecret(
      secrets.map(([owners, secret]) => ({
        owners: owners.map(identityPatternFromText),
        secret: text(secret),
      })),
      moon,
      remote,
    );
    return found && new TextDecoder().decode(found);
  };

  it('is the one that names the peer most closely, whatever the order', () => {
    const secrets: [string[], string][] = [
      [[], 'for everybody'],
      [['%any'], 'for any'],
      [['*.example.org'], 'for the domain'],
      [['sun.example.org'], 'for sun'],
      [['moon.example.org', 'sun.example.org'], 'for both'],
    ];
    for (const list of [secrets, [...secrets].reverse()]) {
      assert.equal(find(list), 'for both');
      assert.equal(find(list.filter(([, secret]) => secret !== 'for both')), 'for sun');
    }
    assert.equal(find(secrets.slice(0, 3)), 'for the domain');
    assert.equal(find(secrets.slice(0, 2)), 'for any');
    assert.equal(find(secrets.slice(0, 1)), 'for everybody');
  });

  it('named after ourselves alone serves all peers, but less than one named after the peer', () => {
    assert.equal(find([[['moon.example.org'], 'ours']]), 'ours');
    const secrets: [string[], string][] = [
      [['moon.example.org'], 'ours'],
      [['*.example.org'], 'domain'],
    ];
    assert.equal(find(secrets), 'domain');
  });

  it('that names another peer is none of this one', () => {
    assert.equal(find([[['moon.example.org', 'venus.example.org'], 'of venus']]), undefined);
    assert.equal(find([[['venus.example.org'], 'of venus']]), undefined);
    assert.equal(find([]), undefined);
  });
});
