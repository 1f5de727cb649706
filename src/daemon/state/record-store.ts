// Records on disk that survive a crash at any instant: each is its old or its new self, never something between.
import {
  closeSync,
  existsSync,
  fstatSync,
  fsync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  unlinkSync,
} from 'node:fs';
import { open, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { lockExclusively } from '#linux';
import { spiHistoryKeyPrefix } from '#unknown-spi';
import { RecordJournal } from './record-journal.ts';
import { type Batch, WriteLane } from './write-lane.ts';

/** Behind a file that was being written when we died. */
const unfinished = '.new';

const syncToDisk = promisify(fsync);

function fileName(key: string): string {
  return encodeURIComponent(key);
}

/** `undefined`: this is the name of no record. */
function keyOf(name: string): string | undefined {
  // What is kept here beside records.
  if (name.startsWith('.')) return undefined;
  try {
    return decodeURIComponent(name);
  } catch {
    return undefined;
  }
}

/** The folder for records cannot be used. */
export class RecordStoreError extends Error {
  override readonly name = 'RecordStoreError';
  readonly code = 'record-store' as const;
}

/** Makes the folder itself, and no other: a mistyped path must not come true. @throws RecordStoreError */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  const parent = dirname(folder);
  if (!existsSync(parent)) throw new RecordStoreError(`state folder ${folder}: there is no folder ${parent}`);
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    throw new RecordStoreError(`state folder ${folder} cannot be made: ${(error as Error).message}`);
  }
}

/** One that was removed meanwhile has nothing to be flushed. */
async function flushFile(path: string): Promise<void> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  try {
    await file?.sync();
  } finally {
    await file?.close();
  }
}

async function unlinkIfThere(path: string): Promise<void> {
  await unlink(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}

/** What a record must survive. */
export type Durability =
  /** The machine stops at any instant, as in a power cut. */
  | 'machine'
  /** The process ends at any instant: what the kernel was given stays. */
  | 'process'
  /** The end of the process at once, and a stop of the machine as soon as the disk is done with it. */
  | 'process-first';

/** The records of which many come at a time. */
const journalName = '.journal';
/** A write costs the same for one record and for twenty. Nothing waits for these, and so much of them a killed process loses. */
const journalGatherMs = 20;

/**
 * In a folder for records, but none of them: what inbound SAs of the first packet thread have received. Those of further
 * threads lie beside it. Only for whoever has the folder's lock.
 */
export function receivedMarksPath(folder: string): string {
  return join(folder, '.received');
}

/** Records of which many come at a time, and of which a handful is read at a start. */
function isJournalled(key: string): boolean {
  return key.startsWith(spiHistoryKeyPrefix);
}

/** A folder with a file for each record, or a journal for many, for its owner's eyes only: some hold secrets. */
export class RecordStore {
  readonly #folder: string;
  /** What was found at the start. */
  readonly records: ReadonlyMap<string, Uint8Array>;
  /** Open as long as the store is, and locked. */
  readonly #lock: number;
  readonly #lanes: Readonly<Record<Durability | 'journal', WriteLane>>;
  readonly #journal: RecordJournal;
  #closed = false;
  /** Files that are in force and not flushed, and whoever flushes them. */
  readonly #unflushed = new Set<string>();
  #flushing: Promise<void> | undefined;
  /** Files of records that are journalled nowadays: of use only as long as there is no journal. */
  readonly #leftover = new Set<string>();

  /** Names this folder and no copy of it, on this machine. */
  readonly place: string;

  /** @throws RecordStoreError if the folder cannot be made or is another process's, a system error if it cannot be read */
  constructor(folder: string, failed: (error: Error) => void) {
    this.#folder = folder;
    makeFolder(folder);
    this.#lock = openSync(folder, 'r');
    if (!lockExclusively(this.#lock)) {
      closeSync(this.#lock);
      throw new RecordStoreError(`state folder ${folder} is in use by another process`);
    }
    const { dev, ino } = fstatSync(this.#lock);
    this.place = `${dev}:${ino}`;
    const journalPath = join(folder, journalName);
    const journalled = RecordJournal.load(journalPath);
    const files = new Map<string, Uint8Array>();
    const earlier = new Map<string, Uint8Array>();
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const { name } = entry;
      const path = join(folder, name);
      const key = keyOf(name);
      if (key === undefined || !entry.isFile()) continue;
      if (name.endsWith(unfinished)) unlinkSync(path);
      else if (!isJournalled(key)) files.set(key, new Uint8Array(readFileSync(path)));
      else {
        this.#leftover.add(path);
        if (journalled === undefined) earlier.set(key, new Uint8Array(readFileSync(path)));
      }
    }
    this.records = new Map([...files, ...(journalled ?? earlier)]);
    this.#journal = new RecordJournal(journalPath, this.#lock, earlier);
    this.#lanes = {
      journal: new WriteLane(
        async (batch) => {
          await this.#journal.keep(batch);
          await this.#sweep();
        },
        failed,
        journalGatherMs,
      ),
      machine: new WriteLane((batch) => this.#keep(batch, true), failed),
      process: new WriteLane((batch) => this.#keep(batch, false), failed),
      'process-first': new WriteLane(async (batch) => {
        await this.#keep(batch, false);
        for (const key of batch.keys()) this.#unflushed.add(key);
        this.#flushing ??= this.#flushAll().catch(failed);
      }, failed),
    };
  }

  /**
   * Keeps a record in place of the former one, of no octets: removes it. Resolves once that would survive.
   * @param durability always the same for one key; what is journalled survives everything
   */
  write(key: string, octets: Uint8Array, durability: Durability = 'machine'): Promise<void> {
    return this.#lanes[isJournalled(key) ? 'journal' : durability].write(key, octets);
  }

  /** Waits for everything that was asked for, and lets go of the folder. What a broken disk refuses is given up. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.all(Object.values(this.#lanes).map((lane) => lane.close()));
    await this.#flushing;
    this.#journal.close();
    closeSync(this.#lock);
  }

  async #keep(batch: Batch, sync: boolean): Promise<void> {
    // Side by side, so that the disk can do them in one go; they come into force in the order in which they were asked for.
    await Promise.all([...batch].map(([key, { octets }]) => this.#prepare(key, octets, sync)));
    for (const [key, { octets }] of batch) await this.#putInForce(key, octets);
    // The names in a folder are data of its own.
    if (sync) await syncToDisk(this.#lock);
  }

  /** Before anything is called kept that the journal has and these have not. */
  async #sweep(): Promise<void> {
    if (this.#leftover.size === 0) return;
    await Promise.all([...this.#leftover].map((path) => unlinkIfThere(path)));
    await syncToDisk(this.#lock);
    this.#leftover.clear();
  }

  async #flushAll(): Promise<void> {
    try {
      while (this.#unflushed.size > 0) {
        const keys = [...this.#unflushed];
        this.#unflushed.clear();
        await Promise.all(keys.map((key) => flushFile(join(this.#folder, fileName(key)))));
        await flushFile(this.#folder);
      }
    } finally {
      this.#flushing = undefined;
    }
  }

  async #prepare(key: string, octets: Uint8Array, sync: boolean): Promise<void> {
    if (octets.length === 0) return;
    const file = await open(`${join(this.#folder, fileName(key))}${unfinished}`, 'w', 0o600);
    try {
      await file.writeFile(octets);
      if (sync) await file.sync();
    } finally {
      await file.close();
    }
  }

  async #putInForce(key: string, octets: Uint8Array): Promise<void> {
    const path = join(this.#folder, fileName(key));
    if (octets.length > 0) {
      await rename(`${path}${unfinished}`, path);
      return;
    }
    await unlinkIfThere(path);
  }
}
