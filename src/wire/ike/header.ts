// The 28 octets in front of every IKE message (RFC 7296 3.1).
import { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import type { IkeHeader } from './payloads.ts';
import { ikeSpiBytes, ikeSpiFromBytes } from './spi.ts';

export const ikeHeaderLength = 28;

const flagInitiator = 0x08;
const flagHigherVersion = 0x10;
const flagResponse = 0x20;

/** What the header says beside what encoders compute. */
export interface ReceivedIkeHeader extends IkeHeader {
  /** Type of the first payload; 0 for a message without any. */
  readonly nextPayload: number;
  /** Octets of the whole message, as claimed. */
  readonly length: number;
}

/**
 * Reads the header alone. Any major version is reported as it stands, so that the caller can answer
 * INVALID_MAJOR_VERSION (RFC 7296 2.5); `length` is not compared with the input.
 */
export function decodeIkeHeader(octets: Uint8Array): ReceivedIkeHeader {
  const reader = new Reader(octets);
  const initiatorSpi = ikeSpiFromBytes(reader.bytes(8, 'IKE.initiator SPI'));
  const responderSpi = ikeSpiFromBytes(reader.bytes(8, 'IKE.responder SPI'));
  const nextPayload = reader.u8('IKE.next payload');
  const version = reader.u8('IKE.version');
  const exchangeType = reader.u8('IKE.exchange type');
  const flags = reader.u8('IKE.flags');
  const messageId = reader.u32('IKE.message ID');
  const length = reader.u32('IKE.length');
  return {
    initiatorSpi,
    responderSpi,
    majorVersion: version >> 4,
    minorVersion: version & 0x0f,
    exchangeType,
    initiator: (flags & flagInitiator) !== 0,
    response: (flags & flagResponse) !== 0,
    higherVersion: (flags & flagHigherVersion) !== 0,
    messageId,
    nextPayload,
    length,
  };
}

/** Without what encoders compute. Field by field: a rest pattern leaves it to V8's runtime, for every message. */
export function headerAlone(received: ReceivedIkeHeader): IkeHeader {
  return {
    initiatorSpi: received.initiatorSpi,
    responderSpi: received.responderSpi,
    majorVersion: received.majorVersion,
    minorVersion: received.minorVersion,
    exchangeType: received.exchangeType,
    initiator: received.initiator,
    response: received.response,
    higherVersion: received.higherVersion,
    messageId: received.messageId,
  };
}

/** Writes the header with a length of zero; returns where that length stands, for patching. */
export function encodeIkeHeader(writer: Writer, header: IkeHeader, nextPayload: number): number {
  if (header.majorVersion > 15 || header.minorVersion > 15) throw writer.fail('value', 'IKE.version');
  writer.bytes(ikeSpiBytes(header.initiatorSpi)).bytes(ikeSpiBytes(header.responderSpi));
  writer.u8(nextPayload, 'IKE.next payload');
  writer.u8(header.majorVersion * 16 + header.minorVersion, 'IKE.version');
  writer.u8(header.exchangeType, 'IKE.exchange type');
  writer.u8(
    (header.initiator ? flagInitiator : 0) |
      (header.higherVersion ? flagHigherVersion : 0) |
      (header.response ? flagResponse : 0),
    'IKE.flags',
  );
  writer.u32(header.messageId, 'IKE.message ID');
  const lengthAt = writer.length;
  writer.u32(0, 'IKE.length');
  return lengthAt;
}
