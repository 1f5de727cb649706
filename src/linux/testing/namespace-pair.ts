// Two network namespaces joined by a veth pair, for tests and benchmarks with real traffic. Needs root.
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';

export type Side = 'left' | 'right';

export const outerAddresses = {
  4: { left: '192.0.2.1', right: '192.0.2.2' },
  6: { left: '2001:db8:ffff::1', right: '2001:db8:ffff::2' },
} as const;

let pairs = 0;

/** What a finished command said. */
export interface Finished {
  readonly status: number;
  readonly output: string;
}

export class NamespacePair {
  readonly #names: Readonly<Record<Side, string>>;
  readonly #processes: ChildProcess[] = [];

  constructor(mtuBytes = 1500) {
    const id = `${process.pid}-${pairs++}`;
    this.#names = { left: `wwdp${id}l`, right: `wwdp${id}r` };
    const { left, right } = this.#names;
    ip('netns', 'add', left);
    ip('netns', 'add', right);
    ip('link', 'add', 'veth0', 'netns', left, 'type', 'veth', 'peer', 'name', 'veth0', 'netns', right);
    for (const side of ['left', 'right'] as const) {
      const name = this.#names[side];
      ip('-n', name, 'link', 'set', 'lo', 'up');
      ip('-n', name, 'address', 'add', `${outerAddresses[4][side]}/24`, 'dev', 'veth0');
      ip('-n', name, 'address', 'add', `${outerAddresses[6][side]}/64`, 'dev', 'veth0', 'nodad');
      ip('-n', name, 'link', 'set', 'veth0', 'mtu', String(mtuBytes), 'up');
    }
  }

  /** A process that runs until it ends by itself or the pair is closed. */
  start(side: Side, ...command: string[]): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', this.#names[side], ...command], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#processes.push(child);
    return child;
  }

  /** Runs a command to its end. */
  run(side: Side, ...command: string[]): Promise<Finished> {
    return new Promise((resolve) => {
      execFile('ip', ['netns', 'exec', this.#names[side], ...command], (error, stdout, stderr) => {
        const code = error === null ? 0 : error.code;
        resolve({ status: typeof code === 'number' ? code : 1, output: `${stdout}${stderr}` });
      });
    });
  }

  close(): void {
    for (const child of this.#processes) if (child.exitCode === null) child.kill('SIGKILL');
    for (const name of Object.values(this.#names)) ip('netns', 'del', name);
  }
}

function ip(...words: string[]): void {
  execFileSync('ip', words, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** Waits until the process says a line that begins so. */
export function said(child: ChildProcess, beginning: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const hear = (octets: Buffer): void => {
      text += octets.toString();
      const line = text.split('\n').find((one) => one.startsWith(beginning));
      if (line === undefined) return;
      child.stdout?.off('data', hear);
      child.off('close', fail);
      resolve(line);
    };
    const fail = (code: number | null): void => reject(new Error(`ended with ${code} after saying: ${text}`));
    child.stdout?.on('data', hear);
    // Not `exit`: what it said last may still be on its way.
    child.once('close', fail);
  });
}
