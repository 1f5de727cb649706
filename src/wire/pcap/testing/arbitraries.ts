// Arbitrary capture files: packets for our writer, and files of either byte order as other programs may write them.
import fc from 'fast-check';
import { plainRecord } from '../../testing/plain-record.ts';
import type { WrittenPacket } from '../capture-writer.ts';

export interface CaptureFile {
  readonly octets: Uint8Array;
  /** What a reader should find in it. */
  readonly packets: readonly { readonly timestampNs: bigint; readonly octets: Uint8Array }[];
}

export const writtenPackets: fc.Arbitrary<WrittenPacket> = plainRecord<WrittenPacket>({
  timestampNs: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  octets: fc.uint8Array({ maxLength: 80, size: 'max' }),
});

const samples = fc.array(
  plainRecord<{ seconds: number; fraction: number; octets: Uint8Array }>({
    seconds: fc.nat(0xffff_ffff),
    fraction: fc.nat(999_999),
    octets: fc.uint8Array({ maxLength: 40, size: 'max' }),
  }),
  { maxLength: 5, size: 'max' },
);

class OrderedWriter {
  readonly #octets: number[] = [];
  readonly #littleEndian: boolean;

  constructor(littleEndian: boolean) {
    this.#littleEndian = littleEndian;
  }

  #number(value: number, count: number): this {
    const octets = Array.from({ length: count }, (_, i) => Math.floor(value / 256 ** i) % 256);
    this.#octets.push(...(this.#littleEndian ? octets : octets.reverse()));
    return this;
  }

  u16(value: number): this {
    return this.#number(value, 2);
  }

  u32(value: number): this {
    return this.#number(value, 4);
  }

  bytes(octets: Iterable<number>): this {
    this.#octets.push(...octets);
    return this;
  }

  finish(): Uint8Array {
    return Uint8Array.from(this.#octets);
  }
}

/** pcap files with microseconds and nanoseconds, written from the format's description. */
export const pcapFiles: fc.Arbitrary<CaptureFile> = fc
  .tuple(fc.boolean(), fc.boolean(), samples)
  .map(([littleEndian, nano, packets]) => {
    const writer = new OrderedWriter(littleEndian).u32(nano ? 0xa1b23c4d : 0xa1b2c3d4);
    writer.u16(2).u16(4).u32(0).u32(0).u32(65_535).u32(101);
    for (const { seconds, fraction, octets } of packets) {
      writer.u32(seconds).u32(fraction).u32(octets.length).u32(octets.length).bytes(octets);
    }
    const unit = nano ? 1n : 1000n;
    return {
      octets: writer.finish(),
      packets: packets.map(({ seconds, fraction, octets }) => ({
        timestampNs: BigInt(seconds) * 1_000_000_000n + BigInt(fraction) * unit,
        octets,
      })),
    };
  });

function block(littleEndian: boolean, type: number, body: Uint8Array): Uint8Array {
  const padding = new Uint8Array((4 - (body.length % 4)) % 4);
  const length = 12 + body.length + padding.length;
  return new OrderedWriter(littleEndian)
    .u32(type)
    .u32(length)
    .bytes(body)
    .bytes(padding)
    .u32(length)
    .finish();
}

/** One section of a pcapng file with microseconds, an unknown block, and Enhanced or obsolete Packet Blocks. */
function section(
  littleEndian: boolean,
  obsolete: boolean,
  packets: readonly { readonly seconds: number; readonly fraction: number; readonly octets: Uint8Array }[],
): Uint8Array {
  const writer = (): OrderedWriter => new OrderedWriter(littleEndian);
  const header = writer().u32(0x1a2b3c4d).u16(1).u16(0).u32(0xffffffff).u32(0xffffffff).finish();
  const whole = new OrderedWriter(littleEndian)
    .bytes(block(littleEndian, 0x0a0d0d0a, header))
    .bytes(block(littleEndian, 1, writer().u16(101).u16(0).u32(0).finish()))
    .bytes(block(littleEndian, 0x0bad, new Uint8Array(21)));
  for (const { seconds, fraction, octets } of packets) {
    const time = BigInt(seconds) * 1_000_000n + BigInt(fraction);
    const body = obsolete ? writer().u16(0).u16(0xffff) : writer().u32(0);
    body.u32(Number(time >> 32n)).u32(Number(time & 0xffff_ffffn));
    body.u32(octets.length).u32(octets.length).bytes(octets);
    whole.bytes(block(littleEndian, obsolete ? 2 : 6, body.finish()));
  }
  return whole.finish();
}

/** pcapng files of up to three sections, each in a byte order of its own, written from the format's description. */
export const pcapngFiles: fc.Arbitrary<CaptureFile> = fc
  .array(fc.tuple(fc.boolean(), fc.boolean(), samples), { minLength: 1, maxLength: 3 })
  .map((sections) => ({
    octets: Uint8Array.from(
      sections.flatMap(([littleEndian, obsolete, packets]) => [...section(littleEndian, obsolete, packets)]),
    ),
    packets: sections.flatMap(([, , packets]) =>
      packets.map(({ seconds, fraction, octets }) => ({
        timestampNs: BigInt(seconds) * 1_000_000_000n + BigInt(fraction) * 1000n,
        octets,
      })),
    ),
  }));

export const captureFiles: fc.Arbitrary<CaptureFile> = fc.oneof(pcapFiles, pcapngFiles);
