// The `wayward` command as operators start it: a process of its own, watched by the lines it prints.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

/** The command as it is installed: bundled. A start of the files that it is made of takes three times as long. */
export const waywardCommand: string = fileURLToPath(new URL('../../bundle/main.js', import.meta.url));

/** Reasons for which a test cannot run here; `false` if it can. */
export const needsRoot: string | false = process.getuid?.() === 0 ? false : 'needs root';

export interface StartOptions {
  /** Words in front of the command, for example `ip netns exec NAME`. */
  readonly within?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** What a process printed and how it ended. */
export interface Ending {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

const cleanups = new WeakMap<TestContext, (() => Promise<void>)[]>();

/** Does something at the end of a test, the latest first: a daemon must be gone before its folder goes. */
function afterwards(t: TestContext, work: () => Promise<void>): void {
  const known = cleanups.get(t);
  if (known !== undefined) {
    known.push(work);
    return;
  }
  const works = [work];
  cleanups.set(t, works);
  t.after(async () => {
    for (const one of works.reverse()) await one();
  });
}

/** The machine may be busy with other tests. */
const patienceMs = 60_000;

/** Waits until there is one. @throws Error if it takes too long */
export async function eventually<Value>(
  look: () => Value | undefined | Promise<Value | undefined>,
): Promise<Value> {
  for (const until = performance.now() + patienceMs; ; ) {
    const value = await look();
    if (value !== undefined) return value;
    if (performance.now() > until) throw new Error('it did not come');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export class WaywardProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<Ending>;
  readonly #watchers = new Set<() => void>();
  out = '';
  err = '';

  /** Ends with the test at the latest. */
  constructor(t: TestContext, words: readonly string[], options: StartOptions = {}) {
    const [command = process.execPath, ...rest] = [
      ...(options.within ?? []),
      process.execPath,
      '--enable-source-maps',
      waywardCommand,
      ...words,
    ];
    this.#child = spawn(command, rest, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...options.env },
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.out += text;
      for (const watcher of this.#watchers) watcher();
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.err += text;
      for (const watcher of this.#watchers) watcher();
    });
    this.#ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (status, signal) =>
        resolve({ status, signal, out: this.out, err: this.err }),
      );
    });
    afterwards(t, async () => {
      this.#child.kill('SIGKILL');
      await this.#ended.catch(() => undefined);
    });
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('the process did not start');
    return this.#child.pid;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  ended(): Promise<Ending> {
    return this.#ended;
  }

  /** Waits until everything printed so far matches. @throws Error with what was printed, if that does not happen */
  async printed(expected: RegExp, timeoutMs: number = patienceMs): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        clearTimeout(timer);
        this.#watchers.delete(look);
      };
      const look = (): void => {
        const match = expected.exec(this.out) ?? expected.exec(this.err);
        if (match === null) return;
        finish();
        resolve(match);
      };
      const fail = (why: string): void => {
        finish();
        reject(new Error(`${why} without ${expected}\n${this.out}${this.err}`));
      };
      const timer = setTimeout(() => fail(`${timeoutMs} ms passed`), timeoutMs);
      this.#watchers.add(look);
      this.#ended.then(
        () => fail('the process ended'),
        (error: Error) => fail(error.message),
      );
      look();
    });
  }
}

/** Runs a command to its end. */
export function wayward(t: TestContext, words: readonly string[], options?: StartOptions): Promise<Ending> {
  return new WaywardProcess(t, words, options).ended();
}

/** A folder that goes with the test; others may enter it. */
export function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'wayward-'));
  afterwards(t, async () => rmSync(path, { recursive: true, force: true }));
  return path;
}
