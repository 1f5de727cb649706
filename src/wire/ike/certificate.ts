// Certificate and Certificate Request payloads (RFC 7296 3.6, 3.7).
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import type { CertPayload, CertreqPayload } from './payloads.ts';

export function decodeCert(reader: Reader): CertPayload {
  return { type: 'CERT', encoding: reader.u8('CERT.encoding'), data: reader.rest() };
}

export function encodeCert(writer: Writer, payload: CertPayload): void {
  writer.u8(payload.encoding, 'CERT.encoding').bytes(payload.data);
}

export function decodeCertreq(reader: Reader): CertreqPayload {
  return { type: 'CERTREQ', encoding: reader.u8('CERTREQ.encoding'), authorities: reader.rest() };
}

export function encodeCertreq(writer: Writer, payload: CertreqPayload): void {
  writer.u8(payload.encoding, 'CERTREQ.encoding').bytes(payload.authorities);
}
