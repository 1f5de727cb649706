// GeneralName (RFC 5280 4.2.1.6): the typed names of alternative names, constraints and distribution points.
import { context, contextConstructed, type DerReader, type Element, malformed } from '../asn1/der-reader.ts';
import { type DistinguishedName, parseDistinguishedName } from './distinguished-name.ts';

export type GeneralName =
  | { readonly kind: 'email'; readonly value: string }
  | { readonly kind: 'dns'; readonly value: string }
  | { readonly kind: 'uri'; readonly value: string }
  /** 4 or 16 octets; in a name constraint twice that: address and mask. */
  | { readonly kind: 'ip'; readonly value: Uint8Array }
  | { readonly kind: 'directoryName'; readonly value: DistinguishedName }
  /** otherName, x400Address, ediPartyName, registeredID: the DER as it is. */
  | { readonly kind: 'other'; readonly tag: number; readonly der: Uint8Array };

export function readGeneralNames(reader: DerReader, field: string): GeneralName[] {
  const names: GeneralName[] = [];
  while (!reader.atEnd) names.push(generalName(reader.any(field), field));
  return names;
}

export function generalName(element: Element, field: string): GeneralName {
  const { tag, contents, der } = element;
  switch (tag) {
    case context(1):
      return { kind: 'email', value: ia5(contents, field) };
    case context(2):
      return { kind: 'dns', value: ia5(contents, field) };
    case context(6):
      return { kind: 'uri', value: ia5(contents, field) };
    case context(7):
      return { kind: 'ip', value: contents };
    case contextConstructed(4):
      return { kind: 'directoryName', value: parseDistinguishedName(contents, field) };
    case contextConstructed(0):
    case contextConstructed(3):
    case contextConstructed(5):
    case context(8):
      return { kind: 'other', tag, der };
    default:
      throw malformed(field, 'not a general name');
  }
}

function ia5(contents: Uint8Array, field: string): string {
  if (contents.some((octet) => octet > 0x7f)) throw malformed(field, 'not ASCII');
  return new TextDecoder().decode(contents);
}
