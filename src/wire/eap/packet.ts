// EAP packets (RFC 3748 4): a request, its response, and how it all ended.
import { Reader } from '../reader.ts';
import { Writer } from '../writer.ts';

/** RFC 3748 4 */
export const EapCode = { REQUEST: 1, RESPONSE: 2, SUCCESS: 3, FAILURE: 4 } as const;

/** RFC 3748 5 and what IANA has registered since, as far as IKE meets it. */
export const EapType = {
  IDENTITY: 1,
  NOTIFICATION: 2,
  /** Response only: none of what was asked for; its data are the types that the peer would like. */
  NAK: 3,
  MD5_CHALLENGE: 4,
  OTP: 5,
  GTC: 6,
  TLS: 13,
  SIM: 18,
  TTLS: 21,
  AKA: 23,
  PEAP: 25,
  MSCHAPV2: 26,
  AKA_PRIME: 50,
  EXPANDED: 254,
} as const;

/** A request or a response. */
export interface EapMessage {
  readonly code: typeof EapCode.REQUEST | typeof EapCode.RESPONSE;
  /** A response has that of its request. */
  readonly identifier: number;
  readonly type: number;
  readonly data: Uint8Array;
}

export interface EapOutcome {
  readonly code: typeof EapCode.SUCCESS | typeof EapCode.FAILURE;
  readonly identifier: number;
}

export type EapPacket = EapMessage | EapOutcome;

/** @throws WireError */
export function decodeEapPacket(octets: Uint8Array): EapPacket {
  const reader = new Reader(octets);
  const code = reader.u8('EAP.code');
  const identifier = reader.u8('EAP.identifier');
  const length = reader.u16('EAP.length');
  if (length !== octets.length) throw reader.failAt(2, 'length', 'EAP.length');
  switch (code) {
    case EapCode.REQUEST:
    case EapCode.RESPONSE:
      return { code, identifier, type: reader.u8('EAP.type'), data: reader.rest() };
    case EapCode.SUCCESS:
    case EapCode.FAILURE:
      reader.end('EAP');
      return { code, identifier };
    default:
      throw reader.failAt(0, 'value', 'EAP.code');
  }
}

/** @throws WireError if it would be longer than its length can say */
export function encodeEapPacket(packet: EapPacket): Uint8Array {
  const writer = new Writer().u8(packet.code, 'EAP.code').u8(packet.identifier, 'EAP.identifier');
  writer.zeros(2);
  if ('type' in packet) writer.u8(packet.type, 'EAP.type').bytes(packet.data);
  writer.patchU16(2, writer.length, 'EAP.length');
  return writer.finish();
}

const typeNames: ReadonlyMap<number, string> = new Map([
  [EapType.IDENTITY, 'Identity'],
  [EapType.NOTIFICATION, 'Notification'],
  [EapType.NAK, 'Nak'],
  [EapType.MD5_CHALLENGE, 'EAP-MD5'],
  [EapType.OTP, 'EAP-OTP'],
  [EapType.GTC, 'EAP-GTC'],
  [EapType.TLS, 'EAP-TLS'],
  [EapType.SIM, 'EAP-SIM'],
  [EapType.TTLS, 'EAP-TTLS'],
  [EapType.AKA, 'EAP-AKA'],
  [EapType.PEAP, 'PEAP'],
  [EapType.MSCHAPV2, 'EAP-MSCHAPv2'],
  [EapType.AKA_PRIME, "EAP-AKA'"],
  [EapType.EXPANDED, 'an expanded type'],
]);

/** `EAP-TLS`, `EAP type 99`. */
export function eapTypeName(type: number): string {
  return typeNames.get(type) ?? `EAP type ${type}`;
}
