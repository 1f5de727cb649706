// Programs that run beside a scenario: each is known by its process id and none outlives the process that started it.
import { type ChildProcess, spawn } from 'node:child_process';
import { patienceMs } from './eventually.ts';

/** A program did not do what it should; the message holds what it printed. */
export class ProcessError extends Error {
  readonly code = 'process' as const;
}

export interface ProcessOptions {
  /** Network namespace to run in; absent: the one of this process. */
  readonly namespace?: string | undefined;
  readonly environment?: Readonly<Record<string, string>>;
  /** Written to standard input, which is then closed. */
  readonly input?: Uint8Array | string;
  /** Standard input stays open for `write`. */
  readonly listens?: boolean;
}

/** A running program and all that it has printed, on both of its outputs. */
export class RunningProcess {
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #watchers = new Set<() => void>();
  readonly ended: Promise<void>;
  /** Standard output and standard error. */
  output = '';
  /** Standard output alone. */
  standardOutput = '';

  constructor(command: readonly string[], options: ProcessOptions = {}) {
    this.#name = command[0]!;
    // setpriv, env and `ip netns exec` all become the program, so that our child's process id is the program's. If we
    // are killed, the kernel ends the program.
    const inNamespace = options.namespace === undefined ? [] : ['ip', 'netns', 'exec', options.namespace];
    const words = ['--pdeathsig', 'KILL', ...inNamespace, ...command];
    this.#child = spawn('setpriv', words, {
      env: { ...process.env, ...options.environment },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.setEncoding('utf8');
      stream.on('data', (text: string) => {
        this.output += text;
        this.#wake();
      });
    }
    this.#child.stdout!.on('data', (text: string) => {
      this.standardOutput += text;
    });
    // A program that ends without reading its input is no failure of ours.
    this.#child.stdin!.on('error', () => undefined);
    if (options.listens !== true) this.#child.stdin!.end(options.input);
    this.ended = new Promise((resolve) => {
      this.#child.on('error', (error) => {
        this.output += error.message;
        resolve();
      });
      this.#child.on('close', () => resolve());
    });
    void this.ended.then(() => this.#wake());
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Of the program itself; `undefined` if it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  get exitStatus(): number | null {
    return this.#child.exitCode;
  }

  #wake(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }

  /** Waits until the output, from `from` characters on, matches. @throws ProcessError after `timeoutMs` or its end */
  waitForOutput(
    pattern: RegExp,
    { timeoutMs = patienceMs, from = 0 }: { readonly timeoutMs?: number; readonly from?: number } = {},
  ): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        this.#watchers.delete(look);
        clearTimeout(timer);
        settle();
      };
      const fail = (why: string): void =>
        finish(() =>
          reject(new ProcessError(`${this.#name} ${why} without printing ${pattern}:\n${this.output}`)),
        );
      const look = (): void => {
        const match = pattern.exec(this.output.slice(from));
        if (match !== null) finish(() => resolve(match));
        else if (!this.running) fail('ended');
      };
      const timer = setTimeout(() => fail(`ran for ${timeoutMs} ms`), timeoutMs);
      this.#watchers.add(look);
      look();
    });
  }

  /** To the standard input of one that listens. */
  write(text: string): void {
    this.#child.stdin!.write(text);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Asks it to end, and ends it if it takes longer than `graceMs`. */
  async end(signal: NodeJS.Signals = 'SIGTERM', graceMs: number = patienceMs): Promise<void> {
    if (!this.running) return this.ended;
    this.#child.kill(signal);
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), graceMs);
    await this.ended;
    clearTimeout(timer);
  }
}

/** Runs a program to its end and returns its standard output. @throws ProcessError if it fails or takes too long */
export async function runProgram(
  command: readonly string[],
  options: ProcessOptions & { readonly timeoutMs?: number } = {},
): Promise<string> {
  const program = new RunningProcess(command, options);
  const timer = setTimeout(() => program.signal('SIGKILL'), options.timeoutMs ?? patienceMs);
  await program.ended;
  clearTimeout(timer);
  if (program.exitStatus !== 0) {
    throw new ProcessError(
      `${command.join(' ')} ended with ${program.exitStatus ?? 'a signal'}:\n${program.output}`,
    );
  }
  return program.standardOutput;
}
