// Messages around SK or SKF: what encryption and integrity need to see of them (RFC 7296 3.14, RFC 5282 5.1).
import { Writer } from '../writer.ts';
import { encodeFragmentNumbers } from './encrypted.ts';
import { encodeIkeHeader } from './header.ts';
import type { IkeHeader, IkeMessage, SkfPayload, SkPayload } from './payloads.ts';
import { PayloadType } from './payloads.ts';

export interface SealedMessageShape {
  readonly header: IkeHeader;
  /** Type of the first payload inside; fragments after the first say 0 (RFC 7383 2.5). */
  readonly firstPayload: number;
  /** Octets of IV, ciphertext (with padding) and ICV together. */
  readonly bodyBytes: number;
  /** Present: SKF instead of SK. */
  readonly fragment?: { readonly fragmentNumber: number; readonly totalFragments: number } | undefined;
}

/** A message whose body is still to be filled in. Both views share memory with `octets`. */
export interface SealedMessageBuffer {
  readonly octets: Uint8Array;
  /** Everything before the body: the additional authenticated data of AEAD suites (RFC 5282 5.1). */
  readonly aad: Uint8Array;
  /** Zeros, to be overwritten with IV, ciphertext and ICV. */
  readonly body: Uint8Array;
}

/** Lays out header and SK (or SKF) with their final lengths, so that they can be authenticated. */
export function encodeSealedMessage(shape: SealedMessageShape): SealedMessageBuffer {
  const { header, fragment, bodyBytes } = shape;
  const writer = new Writer(64 + bodyBytes);
  const lengthAt = encodeIkeHeader(writer, header, fragment ? PayloadType.SKF : PayloadType.SK);
  const payloadAt = writer.length;
  const inside = fragment && fragment.fragmentNumber > 1 ? PayloadType.none : shape.firstPayload;
  writer.u8(inside, 'SK.next payload').zeros(1).u16(0, 'SK.length');
  if (fragment) encodeFragmentNumbers(writer, fragment);
  const bodyAt = writer.length;
  writer.zeros(bodyBytes);
  writer.patchU16(payloadAt + 2, writer.length - payloadAt, 'SK.length');
  writer.patchU32(lengthAt, writer.length, 'IKE.length');
  const octets = writer.finish();
  return { octets, aad: octets.subarray(0, bodyAt), body: octets.subarray(bodyAt) };
}

/** The sealed payload of a received message and the octets before its body, or undefined if it carries none. */
export function sealedPayload(
  message: IkeMessage,
): { readonly payload: SkPayload | SkfPayload; readonly aad: Uint8Array } | undefined {
  const payload = message.payloads.at(-1);
  if (payload?.type !== 'SK' && payload?.type !== 'SKF') return undefined;
  return { payload, aad: message.octets.subarray(0, message.octets.length - payload.body.length) };
}
