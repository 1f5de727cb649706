// Whether a certificate speaks for an IKE identity (RFC 7296 3.5, RFC 4945 3.1 and 5.1).
import { equalOctets } from '../asn1/equal-octets.ts';
import type { Certificate } from './certificate.ts';
import { parseDistinguishedName } from './distinguished-name.ts';
import type { GeneralName } from './general-name.ts';

/** Identification types (RFC 7296 3.5). */
const IdType = {
  IPV4_ADDR: 1,
  FQDN: 2,
  RFC822_ADDR: 3,
  IPV6_ADDR: 5,
  DER_ASN1_DN: 9,
} as const;

/**
 * A distinguished name is compared with the subject, everything else with the alternative names of its type; a common
 * name never stands in for one. Wildcards in certificates are not expanded (RFC 4945 5.1.3.6). Identities that are
 * malformed, or of a type no certificate can carry (KEY_ID), match nothing.
 */
export function certificateMatchesIdentity(
  certificate: Certificate,
  identity: { readonly idType: number; readonly data: Uint8Array },
): boolean {
  const { idType, data } = identity;
  const anyName = (fits: (name: GeneralName) => boolean): boolean => certificate.subjectAltNames.some(fits);
  switch (idType) {
    case IdType.IPV4_ADDR:
      return data.length === 4 && anyName((name) => name.kind === 'ip' && equalOctets(name.value, data));
    case IdType.IPV6_ADDR:
      return data.length === 16 && anyName((name) => name.kind === 'ip' && equalOctets(name.value, data));
    case IdType.FQDN: {
      const wanted = asciiText(data);
      return wanted !== undefined && anyName((name) => name.kind === 'dns' && equalHosts(name.value, wanted));
    }
    case IdType.RFC822_ADDR: {
      const wanted = asciiText(data);
      return (
        wanted !== undefined && anyName((name) => name.kind === 'email' && equalMail(name.value, wanted))
      );
    }
    case IdType.DER_ASN1_DN: {
      const wanted = nameKeyOf(data);
      // An empty subject names nobody.
      return (
        wanted !== undefined &&
        certificate.subject.relativeNames.length > 0 &&
        certificate.subject.key === wanted
      );
    }
    default:
      return false;
  }
}

function equalHosts(a: string, b: string): boolean {
  return a !== '' && a.toLowerCase() === b.toLowerCase();
}

/** The part before the last `@` is exact, the host is not case-sensitive (RFC 5280 7.5). */
function equalMail(a: string, b: string): boolean {
  const [at, other] = [a.lastIndexOf('@'), b.lastIndexOf('@')];
  return at > 0 && a.slice(0, at) === b.slice(0, other) && equalHosts(a.slice(at + 1), b.slice(other + 1));
}

function asciiText(data: Uint8Array): string | undefined {
  return data.every((octet) => octet > 0x20 && octet < 0x7f) ? new TextDecoder().decode(data) : undefined;
}

function nameKeyOf(der: Uint8Array): string | undefined {
  try {
    return parseDistinguishedName(der).key;
  } catch {
    return undefined;
  }
}
