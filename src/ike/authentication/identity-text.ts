// Identities as swanctl.conf writes them, and back (RFC 7296 3.5).
import { distinguishedNameFromText, distinguishedNameToText } from '#crypto';
import { addressFromBytes, isIpv6, parseAddress } from '#sa';
import { encodeUtf8, IdType } from '#wire';
import type { Identity, IdentityPattern } from '../configuration.ts';
import { countNameWildcards, identityOfAddress, sameIdentity } from './identity-match.ts';
import { octetDigits, octetText } from './identity-octets.ts';

/** Thrown for text that can be no identity, for example a malformed DN behind `asn1dn:`. */
export class IdentityError extends Error {
  override readonly name = 'IdentityError';
  readonly code = 'bad-identity' as const;
}

const typeOfPrefix: Readonly<Record<string, number>> = {
  ipv4: IdType.IPV4_ADDR,
  ipv6: IdType.IPV6_ADDR,
  fqdn: IdType.FQDN,
  dns: IdType.FQDN,
  email: IdType.RFC822_ADDR,
  rfc822: IdType.RFC822_ADDR,
  userfqdn: IdType.RFC822_ADDR,
  asn1dn: IdType.DER_ASN1_DN,
  asn1gn: IdType.DER_ASN1_GN,
  keyid: IdType.KEY_ID,
};

/** The prefix that names a type when an identity is printed. */
const prefixOfType: ReadonlyMap<number, string> = new Map([
  [IdType.IPV4_ADDR, 'ipv4'],
  [IdType.IPV6_ADDR, 'ipv6'],
  [IdType.FQDN, 'fqdn'],
  [IdType.RFC822_ADDR, 'email'],
  [IdType.DER_ASN1_DN, 'asn1dn'],
  [IdType.DER_ASN1_GN, 'asn1gn'],
  [IdType.KEY_ID, 'keyid'],
]);

/** Texts that mean any identity at all. */
const anyTexts: ReadonlySet<string> = new Set(['', '%any', '%any6', '*', '0.0.0.0', '::', '0::0']);

/**
 * `@fqdn`, `@@user@host`, `@#hex`, `fqdn:`, `email:`, `ipv4:`, `ipv6:`, `keyid:`, `asn1dn:` (each also with `#hex`), a DN
 * by its `=`, an address, `user@host`, anything else a FQDN; `{n}:` names the type by its number.
 * @throws IdentityError
 */
export function identityFromText(text: string): Identity {
  const prefixed = prefixedIdentity(text);
  if (prefixed !== undefined) return prefixed;
  if (anyTexts.has(text)) throw new IdentityError(`"${text}" means any identity, not one`);
  // The order of these questions decides what a text means, and is the one operators know from strongSwan.
  if (text.includes('=')) return nameIdentity(text) ?? textIdentity(IdType.KEY_ID, text);
  if (text.startsWith('@#')) return { idType: IdType.KEY_ID, data: octetsFromHex(text.slice(2)) };
  if (text.startsWith('@@')) return textIdentity(IdType.RFC822_ADDR, text.slice(2));
  if (text.startsWith('@')) return textIdentity(IdType.FQDN, text.slice(1));
  if (text.includes('@')) return textIdentity(IdType.RFC822_ADDR, text);
  const address = parseAddress(text);
  if (address !== undefined) return identityOfAddress(address);
  return textIdentity(text.includes(':') ? IdType.KEY_ID : IdType.FQDN, text);
}

/** Like `identityFromText`, but `%any` gives `any`, and a leading `*` in FQDN and RFC822, or a DN value `*`, a wildcard. */
export function identityPatternFromText(text: string): IdentityPattern {
  if (anyTexts.has(text)) return { kind: 'any' };
  const identity = identityFromText(text);
  const { idType, data } = identity;
  const written = octetText(data);
  if ((idType === IdType.FQDN || idType === IdType.RFC822_ADDR) && written.startsWith('*')) {
    return { kind: 'wildcard', idType, pattern: written };
  }
  if (idType === IdType.DER_ASN1_DN) {
    const name = distinguishedNameToText(data);
    if (countNameWildcards(name) > 0) return { kind: 'wildcard', idType, pattern: name };
  }
  return { kind: 'exact', identity };
}

/** `undefined` if the text begins with no prefix that names a type. */
function prefixedIdentity(text: string): Identity | undefined {
  const [, prefix, number, value] = /^(?:([a-z0-9]+)|\{(\d{1,3})\}):(.*)$/su.exec(text) ?? [];
  const idType = number === undefined ? typeOfPrefix[prefix ?? ''] : Number(number);
  if (idType === undefined || value === undefined) return undefined;
  if (idType > 255) throw new IdentityError(`${idType} is no identity type`);
  if (value.startsWith('#')) return { idType, data: octetsFromHex(value.slice(1)) };
  if (idType === IdType.IPV4_ADDR || idType === IdType.IPV6_ADDR) {
    const address = parseAddress(value);
    if (address === undefined || isIpv6(address) !== (idType === IdType.IPV6_ADDR)) {
      throw new IdentityError(`"${value}" is no address of that family`);
    }
    return identityOfAddress(address);
  }
  if (idType === IdType.DER_ASN1_DN) {
    const identity = nameIdentity(value);
    if (identity === undefined) throw new IdentityError(`"${value}" is no distinguished name`);
    return identity;
  }
  return textIdentity(idType, value);
}

function textIdentity(idType: number, text: string): Identity {
  return { idType, data: encodeUtf8(text) };
}

function nameIdentity(text: string): Identity | undefined {
  try {
    return { idType: IdType.DER_ASN1_DN, data: distinguishedNameFromText(text) };
  } catch {
    return undefined;
  }
}

function octetsFromHex(digits: string): Uint8Array {
  const plain = digits.replaceAll(':', '');
  if (!/^([0-9a-f]{2})*$/i.test(plain)) throw new IdentityError(`"#${digits}" is not hexadecimal`);
  return Uint8Array.from(plain.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/**
 * For logs and `status`: `moon.example.org`, `C=CH, O=x, CN=y`, `192.0.2.1`, `keyid:gateway`, `keyid:#0a0b`. The text is
 * always one that `identityFromText` reads as the same identity.
 */
export function formatIdentity(identity: Identity): string {
  const known = formatted.get(identity);
  if (known !== undefined) return known;
  const prefix = prefixOfType.get(identity.idType) ?? `{${identity.idType}}`;
  const plain = plainText(identity);
  const candidates = plain === undefined ? [] : [plain, `${prefix}:${plain}`];
  const text =
    candidates.find((candidate) => means(candidate, identity)) ?? `${prefix}:#${octetDigits(identity.data)}`;
  formatted.set(identity, text);
  return text;
}

/** Finding the text takes reading it again, and the same identities are told of again and again. */
const formatted = new WeakMap<Identity, string>();

function plainText(identity: Identity): string | undefined {
  const { idType, data } = identity;
  try {
    if (idType === IdType.IPV4_ADDR || idType === IdType.IPV6_ADDR) return addressFromBytes(data);
    if (idType === IdType.DER_ASN1_DN) return distinguishedNameToText(data);
  } catch {
    return undefined;
  }
  // Only what cannot forge a line or a field of a log.
  return data.length > 0 && data.every((octet) => octet > 0x20 && octet < 0x7f) ? octetText(data) : undefined;
}

function means(text: string, identity: Identity): boolean {
  try {
    return sameIdentity(identityFromText(text), identity);
  } catch {
    return false;
  }
}

export function formatIdentityPattern(pattern: IdentityPattern): string {
  switch (pattern.kind) {
    case 'any':
      return '%any';
    case 'exact':
      return formatIdentity(pattern.identity);
    case 'wildcard':
      return pattern.pattern;
  }
}
