// X.501 distinguished names: reading DER, printing, and the comparison of RFC 5280 7.1.
import { DerReader, type Element, malformed, Tag } from '../asn1/der-reader.ts';
import { hexText } from '../asn1/hex-text.ts';
import { attributeTypeName } from './attribute-types.ts';

export interface NameAttribute {
  /** Object identifier in dotted decimal. */
  readonly type: string;
  /** DER of the value. */
  readonly der: Uint8Array;
  /** The value as text; absent for a value that is no character string. */
  readonly text?: string;
}

/** A name as certificates carry it. */
export interface DistinguishedName {
  /** DER Name. */
  readonly der: Uint8Array;
  /** `C=CH, O=strongSwan, CN=moon`, in the order of the encoding. */
  readonly text: string;
  /** Relative distinguished names, each a set of one or more attributes. */
  readonly relativeNames: readonly (readonly NameAttribute[])[];
  /** Equal for two names exactly if they are equal by RFC 5280 7.1. */
  readonly key: string;
}

/** @throws CryptoError `bad-certificate` */
export function parseDistinguishedName(der: Uint8Array, field = 'name'): DistinguishedName {
  const outer = new DerReader(der);
  const sequence = outer.sequence(field);
  outer.end(field);
  const relativeNames: NameAttribute[][] = [];
  while (!sequence.atEnd) {
    const set = sequence.enter(Tag.SET, field);
    const attributes: NameAttribute[] = [];
    while (!set.atEnd) {
      const pair = set.sequence(field);
      const type = pair.objectIdentifier(field);
      const value = pair.any(field);
      pair.end(field);
      const text = characterString(value, field);
      attributes.push(text === undefined ? { type, der: value.der } : { type, der: value.der, text });
    }
    if (attributes.length === 0) throw malformed(field, 'empty relative distinguished name');
    relativeNames.push(attributes);
  }
  const text = relativeNames.map((attributes) => attributes.map(attributeText).join('+')).join(', ');
  return { der, text, relativeNames, key: JSON.stringify(relativeNames.map(relativeNameKey)) };
}

/** @throws CryptoError `bad-certificate` if the octets are no DER Name */
export function distinguishedNameToText(der: Uint8Array): string {
  return parseDistinguishedName(der).text;
}

/**
 * Whether two DER names are the same by RFC 5280 7.1: the kind of string, case and repeated white space do not matter,
 * the order of relative names does.
 * @throws CryptoError `bad-certificate` if either is no DER Name
 */
export function equalDistinguishedNames(a: Uint8Array, b: Uint8Array): boolean {
  return parseDistinguishedName(a).key === parseDistinguishedName(b).key;
}

/**
 * Whether `name` fits `pattern`, a DER name in which a value of `*` stands for any one value of its type
 * (`C=CH, O=strongSwan, CN=*`). Number and order of relative names must agree.
 * @throws CryptoError `bad-certificate` if either is no DER Name
 */
export function distinguishedNameMatches(pattern: Uint8Array, name: Uint8Array): boolean {
  const wanted = parseDistinguishedName(pattern).relativeNames;
  const found = parseDistinguishedName(name).relativeNames;
  return (
    wanted.length === found.length && wanted.every((set, index) => relativeNameMatches(set, found[index]!))
  );
}

function relativeNameMatches(wanted: readonly NameAttribute[], found: readonly NameAttribute[]): boolean {
  if (wanted.length !== found.length) return false;
  if (!wanted.some(isWildcard)) return relativeNameKey(wanted) === relativeNameKey(found);
  // Exact attributes take their partners first, or a wildcard might take one of theirs.
  const left = [...found];
  const take = (fits: (candidate: NameAttribute) => boolean): boolean => {
    const index = left.findIndex(fits);
    if (index < 0) return false;
    left.splice(index, 1);
    return true;
  };
  const exact = wanted.filter((attribute) => !isWildcard(attribute));
  return (
    exact.every((attribute) => take((candidate) => attributeKey(candidate) === attributeKey(attribute))) &&
    wanted.filter(isWildcard).every((attribute) => take((candidate) => candidate.type === attribute.type))
  );
}

function isWildcard(attribute: NameAttribute): boolean {
  return attribute.text === '*';
}

/** Keys of the relative names in order, to compare subtrees by prefix. */
export function relativeNameKeys(name: DistinguishedName): readonly string[] {
  return name.relativeNames.map(relativeNameKey);
}

function relativeNameKey(attributes: readonly NameAttribute[]): string {
  return JSON.stringify(attributes.map(attributeKey).sort());
}

function attributeKey(attribute: NameAttribute): string {
  const { type, der, text } = attribute;
  if (text === undefined) return JSON.stringify([type, 'der', hexText(der)]);
  // The parts of RFC 4518's preparation that matter between certificates: compatibility forms, case, white space.
  return JSON.stringify([type, text.normalize('NFKC').toLowerCase().replace(/\s+/gu, ' ').trim()]);
}

function attributeText(attribute: NameAttribute): string {
  const name = attributeTypeName(attribute.type);
  return attribute.text === undefined
    ? `${name}=#${hexText(attribute.der)}`
    : `${name}=${escapeValue(attribute.text)}`;
}

/** RFC 4514 2.4, as sparingly as reading it back allows. */
function escapeValue(text: string): string {
  const special = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|[,\\]|\+(?=\s*[\w.]+\s*=)|^[\s#]|\s$/gu;
  return text.replace(special, (character) =>
    // Control and formatting characters in hexadecimal, so that no name can forge a log line.
    /[\p{C}\p{Zl}\p{Zp}]/u.test(character)
      ? Array.from(new TextEncoder().encode(character), (octet) => `\\${hexText([octet])}`).join('')
      : `\\${character}`,
  );
}

/** The text of a DirectoryString or IA5String; undefined for other types. */
function characterString({ tag, contents }: Element, field: string): string | undefined {
  switch (tag) {
    case Tag.UTF8_STRING:
      return utf8(contents, field);
    case Tag.PRINTABLE_STRING:
    case Tag.IA5_STRING:
      if (contents.some((octet) => octet > 0x7f)) throw malformed(field, 'not ASCII');
      return utf8(contents, field);
    case Tag.TELETEX_STRING:
      return codePoints(contents, 1, field);
    case Tag.BMP_STRING:
      return codePoints(contents, 2, field);
    case Tag.UNIVERSAL_STRING:
      return codePoints(contents, 4, field);
    default:
      return undefined;
  }
}

function utf8(contents: Uint8Array, field: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(contents);
  } catch {
    throw malformed(field, 'not UTF-8');
  }
}

function codePoints(contents: Uint8Array, width: number, field: string): string {
  if (contents.length % width !== 0) throw malformed(field, 'broken character');
  let text = '';
  for (let offset = 0; offset < contents.length; offset += width) {
    let point = 0;
    for (let index = 0; index < width; index++) point = point * 256 + contents[offset + index]!;
    if (point > 0x10ffff) throw malformed(field, 'no such character');
    text += String.fromCodePoint(point);
  }
  return text;
}
