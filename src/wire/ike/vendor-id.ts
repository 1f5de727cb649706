// Vendor ID payload (RFC 7296 3.12).
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import type { VendorPayload } from './payloads.ts';

export function decodeVendor(reader: Reader): VendorPayload {
  return { type: 'V', data: reader.rest() };
}

export function encodeVendor(writer: Writer, payload: VendorPayload): void {
  writer.bytes(payload.data);
}
