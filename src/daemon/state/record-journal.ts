// Many small records in one file: what comes together is appended in one go, and is on the disk when that returns.
import { close, closeSync, constants, fstatSync, fsync, open, readFileSync, write } from 'node:fs';
import { readFile, rename } from 'node:fs/promises';
import { promisify } from 'node:util';
import { encodeJournalled, readJournal } from './journal-format.ts';
import type { Batch } from './write-lane.ts';

const openFile = promisify(open);
const closeFile = promisify(close);
const syncToDisk = promisify(fsync);
const writeFile = promisify(write);

/** A write returns when its octets are on the disk: one system call instead of two. */
const durably = constants.O_WRONLY | constants.O_DSYNC;

/** A journal of which more is of no use any more than this, and than what is, is written anew. */
const uselessBytesMin = 512 * 1024;

type Records = Map<string, Uint8Array>;

export class RecordJournal {
  readonly #path: string;
  /** Open: the names in a folder are data of its own. */
  readonly #folder: number;
  /** In force as long as there is no journal, which has all of them. */
  readonly #earlier: ReadonlyMap<string, Uint8Array>;
  /** Absent: it is not known what stands at the end of the journal, or there is none. */
  #file: number | undefined;
  #endBytes = 0;
  /** What the record takes that is in force, by key. */
  readonly #usefulByKey = new Map<string, number>();
  #usefulBytes = 0;

  /** @param earlier what is in force if there is no journal yet, kept elsewhere */
  constructor(path: string, folder: number, earlier: ReadonlyMap<string, Uint8Array>) {
    this.#path = path;
    this.#folder = folder;
    this.#earlier = earlier;
  }

  /** What a former process left; `undefined` if there is no journal. */
  static load(path: string): Records | undefined {
    try {
      return recordsIn(readFileSync(path));
    } catch (error) {
      return unlessMissing(error);
    }
  }

  /** Resolves once all of it is on the disk. After an error it has to be kept again. */
  async keep(batch: Batch): Promise<void> {
    const file = this.#file;
    if (file === undefined || this.#endBytes - this.#usefulBytes > this.#uselessBytesMax) {
      await this.#writeAnew(batch);
      return;
    }
    // What a write or a flush that fails leaves behind is anybody's guess: nothing is appended to it.
    this.#file = undefined;
    try {
      await this.#append(file, batch);
      if (fstatSync(file).nlink === 0) throw new Error(`${this.#path} was removed`);
    } catch (error) {
      await closeFile(file);
      throw error;
    }
    this.#file = file;
  }

  get #uselessBytesMax(): number {
    return Math.max(uselessBytesMin, this.#usefulBytes);
  }

  async #append(file: number, batch: Batch): Promise<void> {
    const records = [...batch].map(([key, { octets }]) => this.#encode(key, octets));
    await writeAll(file, Buffer.concat(records), this.#endBytes);
    for (const { length } of records) this.#endBytes += length;
  }

  /** The record with its frame, which counts from now on. */
  #encode(key: string, octets: Uint8Array): Uint8Array {
    const record = encodeJournalled(key, octets);
    this.#usefulBytes -= this.#usefulByKey.get(key) ?? 0;
    if (octets.length === 0) this.#usefulByKey.delete(key);
    else {
      this.#usefulByKey.set(key, record.length);
      this.#usefulBytes += record.length;
    }
    return record;
  }

  /** A new journal takes the place of the old one, whole or not at all. */
  async #writeAnew(batch: Batch): Promise<void> {
    const records: Records = (await readIfThere(this.#path)) ?? new Map(this.#earlier);
    for (const [key, { octets }] of batch) take(records, key, octets);
    if (this.#file !== undefined) await closeFile(this.#file);
    this.#file = undefined;
    this.#usefulByKey.clear();
    this.#usefulBytes = 0;
    this.#endBytes = 0;
    const flags = durably | constants.O_CREAT | constants.O_TRUNC;
    const file = await openFile(`${this.#path}.new`, flags, 0o600);
    try {
      await this.#append(file, new Map([...records].map(([key, octets]) => [key, { octets }])));
      await rename(`${this.#path}.new`, this.#path);
      await syncToDisk(this.#folder);
    } catch (error) {
      await closeFile(file);
      throw error;
    }
    this.#file = file;
  }

  /** Nothing is being kept. */
  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}

function take(records: Records, key: string, octets: Uint8Array): void {
  if (octets.length === 0) records.delete(key);
  else records.set(key, octets);
}

function recordsIn(file: Buffer): Records {
  const records: Records = new Map();
  for (const { key, octets } of readJournal(new Uint8Array(file))) take(records, key, octets);
  return records;
}

async function readIfThere(path: string): Promise<Records | undefined> {
  try {
    return recordsIn(await readFile(path));
  } catch (error) {
    return unlessMissing(error);
  }
}

function unlessMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}

async function writeAll(file: number, octets: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < octets.length; ) {
    const { bytesWritten } = await writeFile(file, octets, done, octets.length - done, position + done);
    done += bytesWritten;
  }
}
