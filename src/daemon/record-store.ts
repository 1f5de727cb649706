// Records on disk that survive a crash at any instant: each is its old or its new self, never something between.
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  unlinkSync,
} from 'node:fs';
import { open, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';

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
  readonly done: (() => void)[];
}

/** A folder with a file for each record, for its owner's eyes only: some hold secrets. */
export class RecordStore {
  readonly #folder: string;
  /** What was found at the start. */
  readonly records: ReadonlyMap<string, Uint8Array>;
  #pending = new Map<string, Pending>();
  #writing: Promise<void> | undefined;
  readonly #failed: (error: Error) => void;

  /** @throws RecordStoreError if the folder cannot be made, a system error if it cannot be read */
  constructor(folder: string, failed: (error: Error) => void) {
    this.#folder = folder;
    this.#failed = failed;
    makeFolder(folder);
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

  /** Waits for everything that was asked for. */
  async close(): Promise<void> {
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    while (this.#pending.size > 0) {
      const batch = this.#pending;
      this.#pending = new Map();
      try {
        for (const [key, { octets }] of batch) await this.#writeOne(key, octets);
        this.#syncFolder();
        for (const { done } of batch.values()) for (const resolve of done) resolve();
      } catch (error) {
        // Nobody hears that it is durable, and what depends on it stays withheld.
        this.#failed(error as Error);
      }
    }
    this.#writing = undefined;
  }

  async #writeOne(key: string, octets: Uint8Array): Promise<void> {
    const path = join(this.#folder, fileName(key));
    if (octets.length === 0) {
      await unlink(path).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
      });
      return;
    }
    const file = await open(`${path}${unfinished}`, 'w', 0o600);
    try {
      await file.writeFile(octets);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}${unfinished}`, path);
  }

  /** The names in a folder are data of its own. */
  #syncFolder(): void {
    const folder = openSync(this.#folder, 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  }
}
