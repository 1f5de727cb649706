// Whole IKE messages: the header and its chain of payloads (RFC 7296 3.1, 3.2).
import { WireError } from '../error.ts';
import { Reader } from '../reader.ts';
import { Writer } from '../writer.ts';
import { decodeChain, encodeChain } from './chain.ts';
import { decodeIkeHeader, encodeIkeHeader, headerAlone, ikeHeaderLength } from './header.ts';
import type { IkeHeader, IkeMessage, Payload } from './payloads.ts';

/**
 * Reads one datagram (without the non-ESP marker of UDP 4500). SK and SKF stay sealed. Binary fields are views into
 * `octets`, which the message keeps.
 *
 * Throws `WireError('version')` for a major version other than 2: what follows its header is not ours to read.
 */
export function decodeIkeMessage(octets: Uint8Array): IkeMessage {
  const received = decodeIkeHeader(octets);
  const { majorVersion, nextPayload, length } = received;
  if (majorVersion !== 2) throw new WireError('version', 17, 'IKE.version', `${majorVersion}`);
  if (length !== octets.length) {
    throw new WireError('length', 24, 'IKE.length', `${length} claimed, ${octets.length} received`);
  }
  const payloads = decodeChain(nextPayload, new Reader(octets, ikeHeaderLength));
  return { header: headerAlone(received), payloads, octets };
}

/** The octets of a message; an SK or SKF payload among `payloads` must be sealed already. */
export function encodeIkeMessage(message: {
  readonly header: IkeHeader;
  readonly payloads: readonly Payload[];
}): Uint8Array {
  const writer = new Writer(512);
  const lengthAt = encodeIkeHeader(writer, message.header, 0);
  const firstPayload = encodeChain(writer, message.payloads);
  writer.patchU8(16, firstPayload, 'IKE.next payload');
  writer.patchU32(lengthAt, writer.length, 'IKE.length');
  return writer.finish();
}
