// Records on disk that survive a crash at any instant: each is its old or its new self, never something between.
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  unlinkSync,
} from 'node:fs';
import { open, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { lockExclusively } from '#linux';

/** How long a disk that refused a record is left alone. */
const retryMs = 1_000;

/** Behind a file that was being written when we died. */
const unfinished = '.new';

function fileName(key: string): string {
  return encodeURIComponent(key);
}

/** The folder for records cannot be used. */
export class RecordStoreError extends Error {
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

interface Pending {
  octets: Uint8Array;
  done: (() => void)[];
}

/** A folder with a file for each record, for its owner's eyes only: some hold secrets. */
export class RecordStore {
  readonly #folder: string;
  /** What was found at the start. */
  readonly records: ReadonlyMap<string, Uint8Array>;
  #pending = new Map<string, Pending>();
  #writing: Promise<void> | undefined;
  readonly #failed: (error: Error) => void;
  /** Open as long as the store is, and locked. */
  readonly #lock: number;
  #closing = false;
  #wakeUp: (() => void) | undefined;

  /** Names this folder and no copy of it, on this machine. */
  readonly place: string;

  /** @throws RecordStoreError if the folder cannot be made or is another process's, a system error if it cannot be read */
  constructor(folder: string, failed: (error: Error) => void) {
    this.#folder = folder;
    this.#failed = failed;
    makeFolder(folder);
    this.#lock = openSync(folder, 'r');
    if (!lockExclusively(this.#lock)) {
      closeSync(this.#lock);
      throw new RecordStoreError(`state folder ${folder} is in use by another process`);
    }
    const { dev, ino } = fstatSync(this.#lock);
    this.place = `${dev}:${ino}`;
    const records = new Map<string, Uint8Array>();
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      if (name.endsWith(unfinished)) unlinkSync(path);
      else records.set(decodeURIComponent(name), new Uint8Array(readFileSync(path)));
    }
    this.records = records;
  }

  /** Keeps a record in place of the former one, of no octets: removes it. Resolves once that would survive a power cut. */
  write(key: string, octets: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      const waiting = this.#pending.get(key);
      // What was not begun yet is overtaken: only the newest of a key is written.
      if (waiting === undefined) this.#pending.set(key, { octets, done: [resolve] });
      else {
        waiting.octets = octets;
        waiting.done.push(resolve);
      }
      this.#writing ??= this.#writeAll();
    });
  }

  /** Waits for everything that was asked for, and lets go of the folder. What a broken disk refuses is given up. */
  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    this.#wakeUp?.();
    await this.#writing;
    closeSync(this.#lock);
  }

  async #writeAll(): Promise<void> {
    while (this.#pending.size > 0) {
      const batch = this.#pending;
      this.#pending = new Map();
      try {
        // Side by side, so that the disk can do them in one go; they come into force in the order in which they were asked for.
        await Promise.all([...batch].map(([key, { octets }]) => this.#prepare(key, octets)));
        for (const [key, { octets }] of batch) await this.#putInForce(key, octets);
        this.#syncFolder();
        for (const { done } of batch.values()) for (const resolve of done) resolve();
      } catch (error) {
        // Nobody hears that it is durable, and what depends on it stays withheld until a later try succeeds.
        this.#failed(error as Error);
        if (this.#closing) break;
        this.#takeBack(batch);
        await this.#pause();
      }
    }
    this.#writing = undefined;
  }

  /** What came for the same key meanwhile is newer. */
  #takeBack(batch: ReadonlyMap<string, Pending>): void {
    const newer = this.#pending;
    this.#pending = new Map(batch);
    for (const [key, { octets, done }] of newer) {
      const older = batch.get(key)?.done ?? [];
      this.#pending.delete(key);
      this.#pending.set(key, { octets, done: [...older, ...done] });
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, retryMs);
      this.#wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #prepare(key: string, octets: Uint8Array): Promise<void> {
    if (octets.length === 0) return;
    const file = await open(`${join(this.#folder, fileName(key))}${unfinished}`, 'w', 0o600);
    try {
      await file.writeFile(octets);
      await file.sync();
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
    await unlink(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
  }

  /** The names in a folder are data of its own. */
  #syncFolder(): void {
    fsyncSync(this.#lock);
  }
}
