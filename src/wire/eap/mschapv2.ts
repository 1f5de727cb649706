// What packets of EAP type 26 carry: MS-CHAP version 2 (draft-kamath-pppext-eap-mschapv2 2, RFC 2759 3 to 6).
//
// Its own length says what that of the EAP packet says; some peers count it wrongly, and so it is written and not looked at.
import { Reader } from '../reader.ts';
import { Writer } from '../writer.ts';

const OpCode = { CHALLENGE: 1, RESPONSE: 2, SUCCESS: 3, FAILURE: 4 } as const;

const challengeBytes = 16;
/** Challenge of the peer, eight zeros, NT-Response, flags. */
const responseBytes = 49;
const ntResponseBytes = 24;

/** From the authenticator. */
export type MsChapRequest =
  | {
      readonly kind: 'challenge';
      readonly identifier: number;
      readonly challenge: Uint8Array;
      readonly name: Uint8Array;
    }
  /** `S=...` or `E=... R=...` (RFC 2759 5, 6). */
  | {
      readonly kind: 'success' | 'failure';
      readonly identifier: number;
      readonly message: Uint8Array;
    };

/** From the peer. */
export type MsChapResponse =
  | {
      readonly kind: 'response';
      readonly identifier: number;
      readonly peerChallenge: Uint8Array;
      readonly ntResponse: Uint8Array;
      readonly name: Uint8Array;
    }
  /** It has seen the like of the authenticator. */
  | { readonly kind: 'success' | 'failure' };

/** @throws WireError */
export function decodeMsChapRequest(data: Uint8Array): MsChapRequest {
  const reader = new Reader(data);
  const opCode = reader.u8('MSCHAPv2.opcode');
  const identifier = reader.u8('MSCHAPv2.identifier');
  reader.skip(2, 'MSCHAPv2.length');
  switch (opCode) {
    case OpCode.CHALLENGE:
      readValueSize(reader, challengeBytes);
      return {
        kind: 'challenge',
        identifier,
        challenge: reader.bytes(challengeBytes, 'MSCHAPv2.challenge'),
        name: reader.rest(),
      };
    case OpCode.SUCCESS:
      return { kind: 'success', identifier, message: reader.rest() };
    case OpCode.FAILURE:
      return { kind: 'failure', identifier, message: reader.rest() };
    default:
      throw reader.failAt(0, 'value', 'MSCHAPv2.opcode');
  }
}

/** @throws WireError */
export function decodeMsChapResponse(data: Uint8Array): MsChapResponse {
  const reader = new Reader(data);
  const opCode = reader.u8('MSCHAPv2.opcode');
  if (opCode === OpCode.SUCCESS) return { kind: 'success' };
  if (opCode === OpCode.FAILURE) return { kind: 'failure' };
  if (opCode !== OpCode.RESPONSE) throw reader.failAt(0, 'value', 'MSCHAPv2.opcode');
  const identifier = reader.u8('MSCHAPv2.identifier');
  reader.skip(2, 'MSCHAPv2.length');
  readValueSize(reader, responseBytes);
  const peerChallenge = reader.bytes(challengeBytes, 'MSCHAPv2.peer challenge');
  reader.skip(8, 'MSCHAPv2.reserved');
  const ntResponse = reader.bytes(ntResponseBytes, 'MSCHAPv2.NT-Response');
  reader.skip(1, 'MSCHAPv2.flags');
  return { kind: 'response', identifier, peerChallenge, ntResponse, name: reader.rest() };
}

export function encodeMsChapRequest(packet: MsChapRequest): Uint8Array {
  const writer = new Writer();
  switch (packet.kind) {
    case 'challenge':
      begin(writer, OpCode.CHALLENGE, packet.identifier);
      writer.u8(packet.challenge.length, 'MSCHAPv2.value size').bytes(packet.challenge).bytes(packet.name);
      break;
    case 'success':
    case 'failure':
      begin(writer, packet.kind === 'success' ? OpCode.SUCCESS : OpCode.FAILURE, packet.identifier);
      writer.bytes(packet.message);
      break;
  }
  return end(writer);
}

export function encodeMsChapResponse(packet: MsChapResponse): Uint8Array {
  if (packet.kind !== 'response') {
    return Uint8Array.of(packet.kind === 'success' ? OpCode.SUCCESS : OpCode.FAILURE);
  }
  const writer = new Writer();
  begin(writer, OpCode.RESPONSE, packet.identifier);
  writer.u8(responseBytes, 'MSCHAPv2.value size').bytes(packet.peerChallenge).zeros(8);
  writer.bytes(packet.ntResponse).u8(0, 'MSCHAPv2.flags').bytes(packet.name);
  return end(writer);
}

function begin(writer: Writer, opCode: number, identifier: number): void {
  writer.u8(opCode, 'MSCHAPv2.opcode').u8(identifier, 'MSCHAPv2.identifier').zeros(2);
}

function end(writer: Writer): Uint8Array {
  writer.patchU16(2, writer.length, 'MSCHAPv2.length');
  return writer.finish();
}

function readValueSize(reader: Reader, bytes: number): void {
  const at = reader.offset;
  if (reader.u8('MSCHAPv2.value size') !== bytes) throw reader.failAt(at, 'length', 'MSCHAPv2.value size');
}
