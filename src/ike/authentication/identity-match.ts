// Whether an identity is the one meant, exactly or by a pattern, and how specific that match is (RFC 4301 4.4.3.1).
import {
  distinguishedNameFromText,
  distinguishedNameMatches,
  distinguishedNameToText,
  equalDistinguishedNames,
} from '#crypto';
import { addressBytes, type IpAddress, isIpv6 } from '#sa';
import { IdType, sameOctets } from '#wire';
import type { Identity, IdentityPattern } from '../configuration.ts';
import { foldCase, octetDigits, octetText } from './identity-octets.ts';

/** What equality counts for; wildcards count less, the more of them the less, and `%any` counts 1. */
export const exactMatch = 20;
const oneWildcard = exactMatch - 1;
const manyWildcards = 2;
const anyMatch = 1;

/** Exact comparison; FQDN and RFC822 without regard to case, distinguished names as RFC 5280 7.1 compares them. */
export function sameIdentity(a: Identity, b: Identity): boolean {
  if (a.idType !== b.idType) return false;
  if (sameOctets(a.data, b.data)) return true;
  // Another case is as long as the one it stands for.
  if (isText(a.idType)) return a.data.length === b.data.length && folded(a) === folded(b);
  if (a.idType !== IdType.DER_ASN1_DN) return false;
  return ifName(() => equalDistinguishedNames(a.data, b.data));
}

/** How well an identity fits a pattern: 0 not at all, `exactMatch` for equality, see there for what lies between. */
export function matchIdentity(identity: Identity, pattern: IdentityPattern): number {
  switch (pattern.kind) {
    case 'any':
      return anyMatch;
    case 'exact':
      return sameIdentity(identity, pattern.identity) ? exactMatch : 0;
    case 'wildcard':
      if (identity.idType !== pattern.idType) return 0;
      return pattern.idType === IdType.DER_ASN1_DN
        ? matchName(identity.data, pattern.pattern)
        : matchText(folded(identity), foldCase(pattern.pattern));
  }
}

/** `*.example.org`: the asterisk stands for one character or more at the head, dots included. */
function matchText(text: string, pattern: string): number {
  if (pattern === '*') return manyWildcards;
  const tail = pattern.slice(1);
  return text.length > tail.length && text.endsWith(tail) ? oneWildcard : 0;
}

function matchName(der: Uint8Array, pattern: string): number {
  const fits = ifName(() => distinguishedNameMatches(distinguishedNameFromText(pattern), der));
  return fits ? Math.max(manyWildcards, exactMatch - countNameWildcards(pattern)) : 0;
}

/** How many values of a distinguished name in text are `*`. */
export function countNameWildcards(text: string): number {
  return text.match(/=\s*\*\s*(?=[,/+]|$)/g)?.length ?? 0;
}

/** The identity an address gives: our default with a pre-shared key. */
export function identityOfAddress(address: IpAddress): Identity {
  return {
    idType: isIpv6(address) ? IdType.IPV6_ADDR : IdType.IPV4_ADDR,
    data: addressBytes(address),
  };
}

/** A map key, equal for identities that `sameIdentity` finds equal. */
export function identityKey(identity: Identity): string {
  const known = keys.get(identity);
  if (known !== undefined) return known;
  const key = keyOf(identity);
  keys.set(identity, key);
  return key;
}

const keys = new WeakMap<Identity, string>();

function keyOf(identity: Identity): string {
  const { idType, data } = identity;
  if (isText(idType)) return `${idType}:${folded(identity)}`;
  if (idType !== IdType.DER_ASN1_DN) return `${idType}:${octetDigits(data)}`;
  try {
    const text = distinguishedNameToText(data).normalize('NFKC').toLowerCase();
    return `${idType}:${text.replace(/\s+/gu, ' ')}`;
  } catch {
    return `${idType}:#${octetDigits(data)}`;
  }
}

function isText(idType: number): boolean {
  return idType === IdType.FQDN || idType === IdType.RFC822_ADDR;
}

function folded(identity: Identity): string {
  return foldCase(octetText(identity.data));
}

/** A peer's name may be no DER at all: then it is nobody's. */
function ifName(test: () => boolean): boolean {
  try {
    return test();
  } catch {
    return false;
  }
}
