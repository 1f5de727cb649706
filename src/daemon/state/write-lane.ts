// Writes that are carried out one batch after the other, and tried again when the disk refuses them.

/** How long a disk that refused a record is left alone. */
const retryMs = 1_000;

interface Pending {
  octets: Uint8Array;
  readonly done: (() => void)[];
}

/** Records to write together, in the order in which they were asked for. */
export type Batch = ReadonlyMap<string, { readonly octets: Uint8Array }>;

export class WriteLane {
  readonly #keep: (batch: Batch) => Promise<void>;
  readonly #failed: (error: Error) => void;
  readonly #gatherMs: number;
  #pending = new Map<string, Pending>();
  #writing: Promise<void> | undefined;
  #closing = false;
  #wakeUp: (() => void) | undefined;

  /** @param gatherMs how long the first of a batch waits for more, so that they are written together */
  constructor(keep: (batch: Batch) => Promise<void>, failed: (error: Error) => void, gatherMs = 0) {
    this.#keep = keep;
    this.#failed = failed;
    this.#gatherMs = gatherMs;
  }

  /** Resolves once it is kept. What was not begun yet is overtaken: only the newest of a key is written. */
  write(key: string, octets: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      const waiting = this.#pending.get(key);
      if (waiting === undefined) this.#pending.set(key, { octets, done: [resolve] });
      else {
        waiting.octets = octets;
        waiting.done.push(resolve);
      }
      this.#writing ??= this.#writeAll();
    });
  }

  /** Waits for everything that was asked for. What the disk refuses is given up. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#wakeUp?.();
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    while (this.#pending.size > 0) {
      if (this.#gatherMs > 0 && !this.#closing) await this.#pause(this.#gatherMs);
      const batch = this.#pending;
      this.#pending = new Map();
      try {
        await this.#keep(batch);
        for (const { done } of batch.values()) for (const resolve of done) resolve();
      } catch (error) {
        // Nobody hears that it is kept, and what depends on it stays withheld until a later try succeeds.
        this.#failed(error as Error);
        if (this.#closing) break;
        this.#takeBack(batch);
        await this.#pause(retryMs);
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

  /** Unless all of it is to end. */
  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
