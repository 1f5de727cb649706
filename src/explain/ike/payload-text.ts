// Identities, selectors and notifies in the words that operators know.
import { CryptoError, distinguishedNameToText } from '#crypto';
import { addressFromBytes, formatRange, formatSelector } from '#sa';
import {
  AuthMethod,
  decodeUtf8,
  firstStatusNotify,
  type IdPayload,
  IdType,
  type NotifyPayload,
  notifyTypeName,
  type Payload,
  type WireTrafficSelector,
} from '#wire';

/** A peer's text can be long, and may hold what a terminal would obey. */
const textMax = 120;

export function printable(text: string): string {
  const safe = text.replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/gu, '?');
  return safe.length <= textMax ? safe : `${safe.slice(0, textMax)}...`;
}

export function identityText({ idType, data }: IdPayload): string {
  switch (idType) {
    case IdType.IPV4_ADDR:
    case IdType.IPV6_ADDR:
      return data.length === 4 || data.length === 16 ? addressFromBytes(data) : hex(data);
    case IdType.FQDN:
    case IdType.RFC822_ADDR:
      return printable(decodeUtf8(data));
    case IdType.DER_ASN1_DN:
      return nameText(data);
    case IdType.NULL:
      return '%any';
    default:
      return hex(data);
  }
}

function nameText(der: Uint8Array): string {
  try {
    return printable(distinguishedNameToText(der));
  } catch (error) {
    if (error instanceof CryptoError) return hex(der);
    throw error;
  }
}

function hex(octets: Uint8Array): string {
  const digits = Array.from(octets.subarray(0, 32), (octet) => octet.toString(16).padStart(2, '0')).join('');
  return `0x${digits}${octets.length > 32 ? '...' : ''}`;
}

export function selectorText(selector: WireTrafficSelector): string {
  if ('body' in selector) return `a selector of type ${selector.tsType}`;
  const start = addressFromBytes(selector.startAddress);
  const end = addressFromBytes(selector.endAddress);
  const { protocol, startPort, endPort } = selector;
  // Of a range that ends before it begins, nothing but its ends can be told.
  if (startPort > endPort && !(startPort === 65_535 && endPort === 0)) return formatRange(start, end);
  return formatSelector({ protocol, startPort, endPort, start, end });
}

export function notifies(payloads: readonly Payload[]): NotifyPayload[] {
  return payloads.filter((payload): payload is NotifyPayload => payload.type === 'N');
}

export function errorNotify(payloads: readonly Payload[]): NotifyPayload | undefined {
  return notifies(payloads).find(({ notifyType }) => notifyType < firstStatusNotify);
}

export function hasNotify(payloads: readonly Payload[], notifyType: number): boolean {
  return notifies(payloads).some((one) => one.notifyType === notifyType);
}

export function notifyText({ notifyType }: NotifyPayload): string {
  return notifyTypeName(notifyType);
}

const methods: Readonly<Record<number, string>> = {
  [AuthMethod.RSA_SIGNATURE]: 'RSA signature',
  [AuthMethod.SHARED_KEY]: 'pre-shared key',
  [AuthMethod.ECDSA_P256]: 'ECDSA P-256',
  [AuthMethod.ECDSA_P384]: 'ECDSA P-384',
  [AuthMethod.ECDSA_P521]: 'ECDSA P-521',
  [AuthMethod.NULL]: 'NULL authentication',
  [AuthMethod.DIGITAL_SIGNATURE]: 'digital signature',
};

export function authenticationText(payloads: readonly Payload[]): string {
  const auth = payloads.find((payload) => payload.type === 'AUTH');
  if (auth?.type !== 'AUTH')
    return payloads.some(({ type }) => type === 'EAP') ? 'EAP' : 'EAP, to begin with';
  return methods[auth.method] ?? `method ${auth.method}`;
}
