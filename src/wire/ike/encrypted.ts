// Encrypted and Encrypted Fragment payloads, still sealed (RFC 7296 3.14, RFC 7383 2.5).
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import type { SkfPayload, SkPayload } from './payloads.ts';

export function decodeSk(reader: Reader, firstPayload: number): SkPayload {
  return { type: 'SK', firstPayload, body: reader.rest() };
}

export function decodeSkf(reader: Reader, firstPayload: number): SkfPayload {
  const numberAt = reader.offset;
  const fragmentNumber = reader.u16('SKF.fragment number');
  const totalFragments = reader.u16('SKF.total fragments');
  if (fragmentNumber === 0 || fragmentNumber > totalFragments) {
    throw reader.failAt(numberAt, 'value', 'SKF.fragment number', `${fragmentNumber} of ${totalFragments}`);
  }
  return { type: 'SKF', firstPayload, fragmentNumber, totalFragments, body: reader.rest() };
}

export function encodeFragmentNumbers(
  writer: Writer,
  fragment: { readonly fragmentNumber: number; readonly totalFragments: number },
): void {
  const { fragmentNumber, totalFragments } = fragment;
  if (fragmentNumber === 0 || fragmentNumber > totalFragments) {
    throw writer.fail('value', 'SKF.fragment number', `${fragmentNumber} of ${totalFragments}`);
  }
  writer.u16(fragmentNumber, 'SKF.fragment number').u16(totalFragments, 'SKF.total fragments');
}
