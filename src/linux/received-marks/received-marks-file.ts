// Marks of what was received, in a file that is mapped into memory: what a process wrote there stays when it is killed,
// since the pages are the kernel's. A machine that stops loses them, so that they count only within one boot.
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { ReceivedMark, type ReceivedMarks } from '#ipsec';
import type { SequenceNumber } from '#sa';
import { mapShared } from '../libc/libc.ts';

const headerBytes = 128;
/** Of an SA: its SPI, four octets of nothing, and the mark. */
const slotBytes = 16;
const slots = 16_384;
const fileBytes = headerBytes + slots * slotBytes;

/** The last letter is the format's number. */
function headerOf(bootId: string): string {
  return `wayward received 1\n${bootId}\n`;
}

/**
 * The marks of what a thread of this boot had received, by SPI, also those that stand for no number. Empty if there is no
 * such file, or if it is of another boot or format.
 * @throws a system error if the file cannot be read
 */
export function readMarks(path: string, bootId: string): ReadonlyMap<number, number> {
  const received = new Map<number, number>();
  let octets: Uint8Array;
  try {
    octets = readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return received;
    throw error;
  }
  const header = new TextDecoder().decode(octets.subarray(0, headerBytes)).replace(/\0*$/, '');
  if (octets.length !== fileBytes || header !== headerOf(bootId)) return received;
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  for (let at = headerBytes; at < fileBytes; at += slotBytes) {
    const spi = view.getUint32(at, true);
    if (spi !== 0) received.set(spi, view.getFloat64(at + 8, true));
  }
  return received;
}

/** One thread at a time, of a process that has read what the one before left there. */
export class ReceivedMarksFile implements ReceivedMarks {
  /** What a file takes. */
  static readonly bytes: number = fileBytes;
  readonly #spis: Int32Array;
  readonly #marks: Float64Array;
  readonly #slotOf = new Map<number, number>();
  #unused = 0;
  readonly #freed: number[] = [];

  /**
   * Makes the file anew: an old mark that stayed would be lower than the truth one day.
   * @throws a system error if that cannot be done
   */
  constructor(path: string, bootId: string) {
    rmSync(path, { force: true });
    const fd = openSync(path, 'wx+', 0o600);
    try {
      // Written and not just stretched: a page that finds no room on the disk later on ends the process.
      const octets = new Uint8Array(fileBytes);
      octets.set(new TextEncoder().encode(headerOf(bootId)));
      writeFileSync(fd, octets);
      const memory = mapShared(fd, fileBytes);
      this.#spis = new Int32Array(memory, headerBytes);
      this.#marks = new Float64Array(memory, headerBytes);
    } finally {
      closeSync(fd);
    }
  }

  open(spi: number, { high, low }: SequenceNumber): ReceivedMark | undefined {
    const slot = this.#slotOf.get(spi) ?? this.#freed.pop() ?? this.#unused++;
    if (slot >= slots) {
      this.#unused = slots;
      return undefined;
    }
    this.#slotOf.set(spi, slot);
    const mark = new ReceivedMark(this.#marks, 2 * slot + 1);
    // The number before the SPI, so that there is no instant at which an SA has the number of another one.
    Atomics.store(this.#spis, 4 * slot, 0);
    mark.raise(high, low);
    Atomics.store(this.#spis, 4 * slot, spi);
    return mark;
  }

  close(spi: number): void {
    const slot = this.#slotOf.get(spi);
    if (slot === undefined) return;
    this.#slotOf.delete(spi);
    Atomics.store(this.#spis, 4 * slot, 0);
    this.#freed.push(slot);
  }
}
