// The table of payloads: which file reads and writes which payload type (RFC 7296 3.2).
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import { decodeAuth, encodeAuth } from './authentication.ts';
import { decodeCert, decodeCertreq, encodeCert, encodeCertreq } from './certificate.ts';
import { decodeCp, encodeCp } from './configuration.ts';
import { decodeDelete, encodeDelete } from './delete.ts';
import { decodeEap, encodeEap } from './eap.ts';
import { decodeSk, decodeSkf, encodeFragmentNumbers } from './encrypted.ts';
import { decodeId, encodeId } from './identification.ts';
import { decodeKe, encodeKe } from './ke.ts';
import { decodeNonce, encodeNonce } from './nonce.ts';
import { decodeNotify, encodeNotify } from './notify.ts';
import type { Payload } from './payloads.ts';
import { PayloadType } from './payloads.ts';
import { decodeSa, encodeSa } from './sa.ts';
import { decodeTs, encodeTs } from './traffic-selectors.ts';
import { decodeVendor, encodeVendor } from './vendor-id.ts';

/** Reads what follows the generic payload header; `next` is that header's Next Payload field. */
type DecodeBody = (reader: Reader, next: number) => Payload;

const decoders: ReadonlyMap<number, DecodeBody> = new Map<number, DecodeBody>([
  [PayloadType.SA, decodeSa],
  [PayloadType.KE, decodeKe],
  [PayloadType.IDi, (reader) => decodeId(reader, 'IDi')],
  [PayloadType.IDr, (reader) => decodeId(reader, 'IDr')],
  [PayloadType.CERT, decodeCert],
  [PayloadType.CERTREQ, decodeCertreq],
  [PayloadType.AUTH, decodeAuth],
  [PayloadType.Nonce, decodeNonce],
  [PayloadType.N, decodeNotify],
  [PayloadType.D, decodeDelete],
  [PayloadType.V, decodeVendor],
  [PayloadType.TSi, (reader) => decodeTs(reader, 'TSi')],
  [PayloadType.TSr, (reader) => decodeTs(reader, 'TSr')],
  [PayloadType.SK, decodeSk],
  [PayloadType.CP, decodeCp],
  [PayloadType.EAP, decodeEap],
  [PayloadType.SKF, decodeSkf],
]);

/** Octets of an unknown payload type are kept as they are. */
export function decodePayloadBody(type: number, reader: Reader, next: number): Payload {
  return decoders.get(type)?.(reader, next) ?? { type: 'unknown', payloadType: type, body: reader.rest() };
}

export function encodePayloadBody(writer: Writer, payload: Payload): void {
  switch (payload.type) {
    case 'SA':
      encodeSa(writer, payload);
      break;
    case 'KE':
      encodeKe(writer, payload);
      break;
    case 'IDi':
    case 'IDr':
      encodeId(writer, payload);
      break;
    case 'CERT':
      encodeCert(writer, payload);
      break;
    case 'CERTREQ':
      encodeCertreq(writer, payload);
      break;
    case 'AUTH':
      encodeAuth(writer, payload);
      break;
    case 'Nonce':
      encodeNonce(writer, payload);
      break;
    case 'N':
      encodeNotify(writer, payload);
      break;
    case 'D':
      encodeDelete(writer, payload);
      break;
    case 'V':
      encodeVendor(writer, payload);
      break;
    case 'TSi':
    case 'TSr':
      encodeTs(writer, payload);
      break;
    case 'CP':
      encodeCp(writer, payload);
      break;
    case 'EAP':
      encodeEap(writer, payload);
      break;
    case 'SK':
      writer.bytes(payload.body);
      break;
    case 'SKF':
      encodeFragmentNumbers(writer, payload);
      writer.bytes(payload.body);
      break;
    case 'unknown':
      writer.bytes(payload.body);
      break;
  }
}

/** The number a payload has on the wire. */
export function payloadTypeOf(payload: Payload): number {
  return payload.type === 'unknown' ? payload.payloadType : PayloadType[payload.type];
}

/** Whether this codec reads that type, so that an `unknown` payload may not claim it. */
export function isKnownPayloadType(type: number): boolean {
  return type === PayloadType.none || decoders.has(type);
}
