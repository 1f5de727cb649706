// Name constraints (RFC 5280 4.2.1.10): whether the names of a certificate lie within its authority's subtrees.

import { EMAIL_ADDRESS } from './attribute-types.ts';
import type { Certificate } from './certificate.ts';
import { relativeNameKeys } from './distinguished-name.ts';
import type { NameConstraints } from './extensions.ts';
import type { GeneralName } from './general-name.ts';

/** Which name of the certificate lies outside of the constraints, for people; undefined if none does. */
export function nameOutsideConstraints(
  certificate: Certificate,
  constraints: NameConstraints,
): string | undefined {
  for (const name of namesOf(certificate)) {
    const sameForm = (base: GeneralName): boolean =>
      base.kind === name.kind && (base.kind !== 'other' || name.kind !== 'other' || base.tag === name.tag);
    const permitted = constraints.permitted.filter(sameForm);
    const excluded = constraints.excluded.filter(sameForm);
    // A form that is constrained but cannot be compared must not pass.
    const incomparable = name.kind === 'other' || (name.kind === 'uri' && uriHost(name.value) === undefined);
    if (incomparable && permitted.length + excluded.length > 0) return describe(name);
    if (permitted.length > 0 && !permitted.some((base) => within(name, base))) return describe(name);
    if (excluded.some((base) => within(name, base))) return describe(name);
  }
  return undefined;
}

function namesOf(certificate: Certificate): GeneralName[] {
  const { subject, subjectAltNames } = certificate;
  const names: GeneralName[] = [...subjectAltNames];
  if (subject.relativeNames.length > 0) names.push({ kind: 'directoryName', value: subject });
  for (const { type, text } of subject.relativeNames.flat()) {
    if (type === EMAIL_ADDRESS && text !== undefined) names.push({ kind: 'email', value: text });
  }
  return names;
}

function within(name: GeneralName, base: GeneralName): boolean {
  switch (name.kind) {
    case 'dns':
      return base.kind === 'dns' && hostWithin(name.value, base.value, true);
    case 'email':
      return base.kind === 'email' && mailWithin(name.value, base.value);
    case 'uri':
      return base.kind === 'uri' && hostWithin(uriHost(name.value) ?? '', base.value, false);
    case 'ip':
      return base.kind === 'ip' && addressWithin(name.value, base.value);
    case 'directoryName': {
      if (base.kind !== 'directoryName') return false;
      const keys = relativeNameKeys(name.value);
      return relativeNameKeys(base.value).every((key, index) => keys[index] === key);
    }
    default:
      return false;
  }
}

/** A base that begins with a period holds hosts below it; any other holds itself and, for DNS names, what is below. */
function hostWithin(host: string, base: string, below: boolean): boolean {
  const [found, wanted] = [withoutRootPeriod(host.toLowerCase()), withoutRootPeriod(base.toLowerCase())];
  if (wanted === '') return true;
  if (wanted.startsWith('.')) return found.endsWith(wanted) && found.length > wanted.length;
  return found === wanted || (below && found.endsWith(`.${wanted}`));
}

function withoutRootPeriod(host: string): string {
  return host.length > 1 && host.endsWith('.') ? host.slice(0, -1) : host;
}

function mailWithin(mail: string, base: string): boolean {
  const at = mail.lastIndexOf('@');
  if (at < 0) return false;
  const baseAt = base.lastIndexOf('@');
  if (baseAt < 0) return hostWithin(mail.slice(at + 1), base, false);
  return (
    mail.slice(0, at) === base.slice(0, baseAt) &&
    mail.slice(at).toLowerCase() === base.slice(baseAt).toLowerCase()
  );
}

/** The host of a URI's authority; undefined if it has none, or an address instead of a name. */
function uriHost(uri: string): string | undefined {
  const host = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#]*@)?([^/?#:@[\]]+)(?::\d*)?(?:[/?#]|$)/i.exec(uri)?.[1];
  return host === undefined || /^[\d.]+$/.test(host) ? undefined : host;
}

/** `base` is an address and its mask. Families do not contain each other. */
function addressWithin(address: Uint8Array, base: Uint8Array): boolean {
  const length = base.length / 2;
  return (
    address.length === length &&
    address.every((octet, index) => ((octet ^ base[index]!) & base[length + index]!) === 0)
  );
}

function describe(name: GeneralName): string {
  switch (name.kind) {
    case 'directoryName':
      return `name "${name.value.text}"`;
    case 'ip':
      return `address ${addressText(name.value)}`;
    case 'other':
      return 'alternative name of an unsupported form';
    default:
      return `${name.kind} name ${JSON.stringify(name.value)}`;
  }
}

function addressText(address: Uint8Array): string {
  if (address.length === 4) return address.join('.');
  const groups = Array.from(
    { length: 8 },
    (_, index) => (address[2 * index]! << 8) | address[2 * index + 1]!,
  );
  return groups.map((group) => group.toString(16)).join(':');
}
