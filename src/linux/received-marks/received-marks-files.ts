// Marks of several packet threads: each has a file of its own, since a file has one writer.
import { readdirSync, rmSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { receivedSequence } from '#ipsec';
import type { SequenceNumber } from '#sa';
import { readMarks } from './received-marks-file.ts';

/**
 * Where a thread keeps its marks: the first one in the file of this name, and the others beside it.
 * @param thread counted from 0
 */
export function receivedMarksPathOf(path: string, thread: number): string {
  return thread === 0 ? path : `${path}.${thread}`;
}

/** Threads after the first whose files are there: the start before this one may have had more than this one. */
function furtherThreads(path: string): readonly number[] {
  let names: readonly string[];
  try {
    names = readdirSync(dirname(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  const begin = `${basename(path)}.`;
  return names
    .filter((name) => name.startsWith(begin) && /^[1-9]\d*$/.test(name.slice(begin.length)))
    .map((name) => Number(name.slice(begin.length)));
}

/**
 * What the threads of a process of this boot had received, by SPI. Files that are missing, or of another boot or format,
 * add nothing.
 * @param path the file of the first thread
 * @throws a system error if a file that is there cannot be read
 */
export function readAllReceivedMarks(path: string, bootId: string): ReadonlyMap<number, SequenceNumber> {
  const marks = new Map<number, number>();
  for (const thread of [0, ...furtherThreads(path)]) {
    for (const [spi, mark] of readMarks(receivedMarksPathOf(path, thread), bootId)) {
      // The higher one of two, for one that is too low accepts replays. One that is beyond all numbers is the highest, and
      // nothing is known of the SA.
      marks.set(spi, Math.max(mark, marks.get(spi) ?? mark));
    }
  }
  const received = new Map<number, SequenceNumber>();
  for (const [spi, mark] of marks) {
    const sequence = receivedSequence(mark);
    if (sequence !== undefined) received.set(spi, sequence);
  }
  return received;
}

/**
 * Removes the files that none of so many threads makes anew, once they have been read: an old mark that stayed would be
 * lower than the truth one day.
 * @param path the file of the first thread, which stays
 * @throws a system error if a file cannot be removed
 */
export function removeReceivedMarksFrom(path: string, threads: number): void {
  for (const thread of furtherThreads(path)) {
    if (thread >= threads) rmSync(receivedMarksPathOf(path, thread), { force: true });
  }
}
