// How records follow each other in a journal. The reader is total: it ends at the first octet that was not written whole.
import { crc32 } from 'node:zlib';
import { decodeUtf8, encodeUtf8, Reader, WireError, Writer } from '#wire';

/** A length and a checksum stand before what they are of. */
const frameBytes = 8;

/** Of one record; without octets it says that the key has none any more. */
export function encodeJournalled(key: string, octets: Uint8Array): Uint8Array {
  const name = encodeUtf8(key);
  const writer = new Writer(frameBytes + 2 + name.length + octets.length);
  writer.zeros(frameBytes).u16(name.length, 'key.length').bytes(name).bytes(octets);
  writer.patchU32(0, writer.length - frameBytes, 'length');
  const record = writer.finish();
  new DataView(record.buffer).setUint32(4, crc32(record.subarray(frameBytes)));
  return record;
}

/** One record where it stands in a journal. */
export interface Journalled {
  readonly key: string;
  readonly octets: Uint8Array;
  /** Of all of it. */
  readonly start: number;
  readonly end: number;
}

/** Every record that is whole, oldest first, up to the first that is not: a process or a machine stopped there. */
export function* readJournal(journal: Uint8Array): Generator<Journalled> {
  for (let next = readAt(journal, 0); next !== undefined; next = readAt(journal, next.end)) yield next;
}

function readAt(journal: Uint8Array, start: number): Journalled | undefined {
  try {
    const reader = new Reader(journal, start);
    const length = reader.u32('length');
    const checksum = reader.u32('checksum');
    const content = reader.bytes(length, 'content');
    if (crc32(content) !== checksum) return undefined;
    // Zeros, which a machine that stopped may leave behind, end here: they have no key.
    const body = new Reader(content);
    const key = decodeUtf8(body.bytes(body.u16('key.length'), 'key'));
    return { key, octets: body.rest(), start, end: reader.offset };
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
