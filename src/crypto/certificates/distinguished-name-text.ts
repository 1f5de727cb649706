// Distinguished names as operators write them: `C=CH, O=foo, CN=bar` and `/C=CH/O=foo/CN=bar`.
import { DerReader, Tag } from '../asn1/der-reader.ts';
import { derElement, derObjectIdentifier } from '../asn1/der-writer.ts';
import { hexText } from '../asn1/hex-text.ts';
import { CryptoError } from '../error.ts';
import {
  attributeTypeFromName,
  DOMAIN_COMPONENT,
  EMAIL_ADDRESS,
  UNSTRUCTURED_NAME,
} from './attribute-types.ts';

/**
 * The DER Name of a text. Relative names come in the order written, separated by commas, or by slashes if the text
 * begins with one; a `+` before another `type=` joins attributes of one relative name. A backslash takes the
 * separator, or the octet of two hexadecimal digits, literally; a value `#...` is the hexadecimal DER of any type.
 * @throws CryptoError `bad-name` naming the part that was not understood
 */
export function distinguishedNameFromText(text: string): Uint8Array {
  const slashes = text.trimStart().startsWith('/');
  const body = slashes ? text.trimStart().slice(1) : text;
  if (body.trim() === '') return derElement(Tag.SEQUENCE);
  const separator = slashes ? /\// : /,/;
  const relativeNames = splitUnescaped(body, separator).map((part) =>
    derElement(
      Tag.SET,
      ...splitUnescaped(part, /\+(?=\s*[\w.]+\s*=)/)
        .map(attributeFromText)
        .sort(derOrder),
    ),
  );
  return derElement(Tag.SEQUENCE, ...relativeNames);
}

/** Splits where `separator` matches, but not behind a backslash. */
function splitUnescaped(text: string, separator: RegExp): string[] {
  const parts: string[] = [];
  const token = new RegExp(`\\\\.|${separator.source}`, 'gsu');
  let start = 0;
  for (const match of text.matchAll(token)) {
    if (match[0].startsWith('\\')) continue;
    parts.push(text.slice(start, match.index));
    start = match.index + match[0].length;
  }
  parts.push(text.slice(start));
  return parts;
}

function attributeFromText(part: string): Uint8Array {
  const [, name, written] = /^\s*([\w.]+)\s*=\s*(.*)$/su.exec(part) ?? [];
  if (name === undefined || written === undefined) {
    throw new CryptoError('bad-name', `"${part.trim()}" is not of the form type=value`);
  }
  const type = attributeTypeFromName(name);
  if (type === undefined) throw new CryptoError('bad-name', `attribute type "${name}" is unknown`);
  return derElement(Tag.SEQUENCE, derObjectIdentifier(type), valueFromText(type, written));
}

function valueFromText(type: string, written: string): Uint8Array {
  const hex = /^#((?:[0-9a-f]{2})+)\s*$/i.exec(written)?.[1];
  if (hex !== undefined) {
    return wellFormedDer(Uint8Array.from(hex.match(/../g)!, (pair) => Number.parseInt(pair, 16)));
  }
  const octets = unescapeValue(written);
  return derElement(stringTag(type, octets), octets);
}

function wellFormedDer(octets: Uint8Array): Uint8Array {
  try {
    const reader = new DerReader(octets);
    reader.any('value');
    reader.end('value');
    return octets;
  } catch {
    throw new CryptoError('bad-name', `#${hexText(octets)} is not DER`);
  }
}

/** UTF-8 octets of a value without its escapes and without unescaped white space at the end. */
function unescapeValue(written: string): Uint8Array {
  const octets: number[] = [];
  let significant = 0;
  for (const [token] of written.matchAll(/\\[0-9a-f]{2}|\\?./gisu)) {
    if (token.length === 3 && token.startsWith('\\')) octets.push(Number.parseInt(token.slice(1), 16));
    else
      octets.push(
        ...new TextEncoder().encode(token.length > 1 && token.startsWith('\\') ? token.slice(1) : token),
      );
    if (!/^\s$/u.test(token)) significant = octets.length;
  }
  return Uint8Array.from(octets.slice(0, significant));
}

const IA5_TYPES: ReadonlySet<string> = new Set([DOMAIN_COMPONENT, EMAIL_ADDRESS, UNSTRUCTURED_NAME]);

/** RFC 5280 4.1.2.4 and appendix A: IA5String where the type wants it, else the narrowest string that holds it. */
function stringTag(type: string, octets: Uint8Array): number {
  const ascii = octets.every((octet) => octet < 0x80);
  if (IA5_TYPES.has(type) && ascii) return Tag.IA5_STRING;
  const printable = ascii && /^[A-Za-z0-9 '()+,\-./:=?]*$/.test(String.fromCharCode(...octets));
  return printable ? Tag.PRINTABLE_STRING : Tag.UTF8_STRING;
}

/** Ascending order of encodings, as DER wants the members of a SET OF (X.690 11.6). */
function derOrder(a: Uint8Array, b: Uint8Array): number {
  const index = a.findIndex((octet, position) => octet !== b[position]);
  if (index < 0) return a.length - b.length;
  return a[index]! - (b[index] ?? -1);
}
