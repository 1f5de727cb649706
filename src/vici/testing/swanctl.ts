// Debian's swanctl, unmodified, asking a vici socket.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export const noSwanctl: string | false =
  spawnSync('swanctl', ['--help']).error === undefined ? false : 'swanctl is not installed';

export interface SwanctlResult {
  readonly status: number | null;
  readonly output: string;
}

/** Once it waits for a signal: a moment after it has registered for events. */
async function interrupt({ pid }: ChildProcess): Promise<void> {
  while (!readFileSync(`/proc/${pid}/wchan`, 'utf8').includes('sigtimedwait')) await sleep(5);
  process.kill(pid!, 'SIGINT');
}

/** Runs to its end. A command that has none is interrupted once what it has printed matches `until`. */
export function swanctl(
  socket: string,
  words: readonly string[],
  options: { readonly until?: RegExp } = {},
): Promise<SwanctlResult> {
  return new Promise((resolve) => {
    // Into a pipe it would print at its end only.
    const child = spawn('stdbuf', ['-oL', 'swanctl', ...words, '--uri', `unix://${socket}`], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 60_000,
      killSignal: 'SIGKILL',
    });
    let output = '';
    let interrupted = false;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        if (options.until?.test(output) !== true || interrupted) return;
        interrupted = true;
        void interrupt(child);
      });
    }
    child.on('close', (status) => resolve({ status, output }));
  });
}
