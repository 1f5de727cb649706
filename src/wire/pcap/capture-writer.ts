// Writes pcapng: a section, its interfaces, then one Enhanced Packet Block per packet.
import { WireError } from '../error.ts';
import { encodeUtf8 } from '../utf8.ts';
import { Writer } from '../writer.ts';
import { captureRecordLengthMax } from './capture-packet.ts';
import { LinkType } from './link-type.ts';
import { byteOrderMagic, PcapngBlock } from './pcapng-blocks.ts';
import { PcapngOption, padded } from './pcapng-options.ts';

export interface WrittenInterface {
  /** `LinkType`; raw IP unless given. */
  readonly linkType?: number;
  readonly name?: string;
}

export interface WrittenPacket {
  /** Since 1970-01-01 UTC. */
  readonly timestampNs: bigint;
  readonly octets: Uint8Array;
  /** Index into the writer's interfaces; 0 unless given. */
  readonly interfaceId?: number;
  /** If more octets were on the wire than are given. */
  readonly originalLength?: number;
  readonly comment?: string;
}

/** Makes the octets of a capture file piece by piece: `start()` once, then `packet()` for each packet, in order. */
export class CaptureWriter {
  readonly #application: string | undefined;
  readonly #interfaces: readonly WrittenInterface[];

  /** One interface of raw IP unless `interfaces` are given. */
  constructor(
    options: { readonly application?: string; readonly interfaces?: readonly WrittenInterface[] } = {},
  ) {
    this.#application = options.application;
    this.#interfaces = options.interfaces ?? [{}];
  }

  /** The section header and the interfaces: the beginning of the file. */
  start(): Uint8Array {
    const writer = new Writer();
    writeBlock(writer, PcapngBlock.SECTION, () => {
      writer.u32(byteOrderMagic, 'pcapng.byteOrderMagic').u16(1, 'pcapng.major').u16(0, 'pcapng.minor');
      // The length of the section is not known: -1.
      writer.u64(0xffff_ffff_ffff_ffffn, 'pcapng.sectionLength');
      writeOptions(writer, [[PcapngOption.APPLICATION, this.#application]]);
    });
    for (const { linkType, name } of this.#interfaces) {
      writeBlock(writer, PcapngBlock.INTERFACE, () => {
        writer.u16(linkType ?? LinkType.RAW, 'pcapng.linkType').zeros(2);
        // No limit on the captured length.
        writer.u32(0, 'pcapng.snapLength');
        writeOptions(writer, [
          [PcapngOption.INTERFACE_NAME, name],
          // Nanoseconds: 10 to the power of -9.
          [PcapngOption.TIMESTAMP_RESOLUTION, Uint8Array.of(9)],
        ]);
      });
    }
    return writer.finish();
  }

  /** The block of one packet. Throws `WireError` on an unknown interface or what does not fit. */
  packet(packet: WrittenPacket): Uint8Array {
    const { timestampNs, octets, comment } = packet;
    const interfaceId = packet.interfaceId ?? 0;
    const originalLength = packet.originalLength ?? octets.length;
    if (this.#interfaces[interfaceId] === undefined) {
      throw new WireError('value', 8, 'pcapng.packet.interface', `${interfaceId}`);
    }
    if (originalLength < octets.length) throw new WireError('value', 24, 'pcapng.packet.originalLength');
    if (timestampNs < 0n || timestampNs >> 64n !== 0n) throw new WireError('value', 12, 'pcapng.timestamp');
    const writer = new Writer(octets.length + 64);
    writeBlock(writer, PcapngBlock.ENHANCED_PACKET, () => {
      writer
        .u32(interfaceId, 'pcapng.packet.interface')
        .u64(timestampNs, 'pcapng.timestamp')
        .u32(octets.length, 'pcapng.packet.capturedLength')
        .u32(originalLength, 'pcapng.packet.originalLength')
        .bytes(octets)
        .zeros(padded(octets.length) - octets.length);
      writeOptions(writer, [[PcapngOption.COMMENT, comment]]);
    });
    if (writer.length > captureRecordLengthMax) throw new WireError('limit', 4, 'pcapng.block.length');
    return writer.finish();
  }
}

function writeBlock(writer: Writer, type: number, writeBody: () => void): void {
  const start = writer.length;
  writer.u32(type, 'pcapng.block.type').zeros(4);
  writeBody();
  const length = writer.length + 4 - start;
  writer.u32(length, 'pcapng.block.length');
  writer.patchU32(start + 4, length, 'pcapng.block.length');
}

function writeOptions(
  writer: Writer,
  options: readonly (readonly [number, string | Uint8Array | undefined])[],
): void {
  const present = options.filter(([, value]) => value !== undefined);
  if (present.length === 0) return;
  for (const [code, value] of present) {
    const octets = typeof value === 'string' ? encodeUtf8(value) : (value ?? new Uint8Array());
    writer.u16(code, 'pcapng.option.code').u16(octets.length, 'pcapng.option.length').bytes(octets);
    writer.zeros(padded(octets.length) - octets.length);
  }
  writer.zeros(4);
}
