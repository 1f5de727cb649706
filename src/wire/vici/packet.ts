// vici packets: requests, responses, event registrations and events, each in one frame of the stream.
import { Reader } from '../reader.ts';
import { Writer } from '../writer.ts';
import { viciPacketLengthMax } from './limits.ts';
import {
  readName,
  readViciMessage,
  requirePacketLength,
  type ViciMessage,
  writeName,
  writeViciMessage,
} from './message.ts';

export const ViciPacketType = {
  COMMAND_REQUEST: 0,
  COMMAND_RESPONSE: 1,
  COMMAND_UNKNOWN: 2,
  EVENT_REGISTER: 3,
  EVENT_UNREGISTER: 4,
  EVENT_CONFIRM: 5,
  EVENT_UNKNOWN: 6,
  EVENT: 7,
} as const;

export type ViciPacket =
  /** Client to server: one at a time, as responses carry no number. */
  | { readonly kind: 'command-request'; readonly name: string; readonly message: ViciMessage }
  | { readonly kind: 'command-response'; readonly message: ViciMessage }
  | { readonly kind: 'command-unknown' }
  | { readonly kind: 'event-register'; readonly name: string }
  | { readonly kind: 'event-unregister'; readonly name: string }
  /** Answers registrations and their ends. */
  | { readonly kind: 'event-confirm' }
  | { readonly kind: 'event-unknown' }
  | { readonly kind: 'event'; readonly name: string; readonly message: ViciMessage };

/** Reads a packet without its frame. Throws `WireError`. */
export function decodeViciPacket(octets: Uint8Array): ViciPacket {
  const reader = new Reader(octets);
  const packet = readPacket(reader);
  reader.end('packet');
  return packet;
}

function readPacket(reader: Reader): ViciPacket {
  const type = reader.u8('packet.type');
  switch (type) {
    case ViciPacketType.COMMAND_REQUEST:
      return { kind: 'command-request', name: readName(reader), message: readViciMessage(reader) };
    case ViciPacketType.COMMAND_RESPONSE:
      return { kind: 'command-response', message: readViciMessage(reader) };
    case ViciPacketType.COMMAND_UNKNOWN:
      return { kind: 'command-unknown' };
    case ViciPacketType.EVENT_REGISTER:
      return { kind: 'event-register', name: readName(reader) };
    case ViciPacketType.EVENT_UNREGISTER:
      return { kind: 'event-unregister', name: readName(reader) };
    case ViciPacketType.EVENT_CONFIRM:
      return { kind: 'event-confirm' };
    case ViciPacketType.EVENT_UNKNOWN:
      return { kind: 'event-unknown' };
    case ViciPacketType.EVENT:
      return { kind: 'event', name: readName(reader), message: readViciMessage(reader) };
    default:
      throw reader.failAt(0, 'value', 'packet.type', `there is no packet of type ${type}`);
  }
}

/** Writes a packet without its frame. Throws `WireError`. */
export function encodeViciPacket(packet: ViciPacket): Uint8Array {
  return encodeViciFrame(packet).subarray(4);
}

/** Writes a packet in its frame: the length of the packet in four octets, then the packet. Throws `WireError`. */
export function encodeViciFrame(packet: ViciPacket): Uint8Array {
  const writer = new Writer().zeros(4);
  switch (packet.kind) {
    case 'command-request':
      writeName(writer.u8(ViciPacketType.COMMAND_REQUEST, 'packet.type'), packet.name);
      writeViciMessage(writer, packet.message);
      break;
    case 'command-response':
      writeViciMessage(writer.u8(ViciPacketType.COMMAND_RESPONSE, 'packet.type'), packet.message);
      break;
    case 'command-unknown':
      writer.u8(ViciPacketType.COMMAND_UNKNOWN, 'packet.type');
      break;
    case 'event-register':
      writeName(writer.u8(ViciPacketType.EVENT_REGISTER, 'packet.type'), packet.name);
      break;
    case 'event-unregister':
      writeName(writer.u8(ViciPacketType.EVENT_UNREGISTER, 'packet.type'), packet.name);
      break;
    case 'event-confirm':
      writer.u8(ViciPacketType.EVENT_CONFIRM, 'packet.type');
      break;
    case 'event-unknown':
      writer.u8(ViciPacketType.EVENT_UNKNOWN, 'packet.type');
      break;
    case 'event':
      writeName(writer.u8(ViciPacketType.EVENT, 'packet.type'), packet.name);
      writeViciMessage(writer, packet.message);
      break;
  }
  const length = writer.length - 4;
  requirePacketLength(length, viciPacketLengthMax);
  writer.patchU32(0, length, 'frame.length');
  return writer.finish();
}
