// Debian's swanctl, unmodified, asking a vici socket.
import { spawn, spawnSync } from 'node:child_process';

export const noSwanctl: string | false =
  spawnSync('swanctl', ['--help']).error === undefined ? false : 'swanctl is not installed';

export interface SwanctlResult {
  readonly status: number | null;
  readonly output: string;
}

/** Runs to its end. A command that has none is interrupted as soon as `interrupt` says; only then its output is whole. */
export function swanctl(
  socket: string,
  words: readonly string[],
  options: { readonly interrupt?: Promise<void> } = {},
): Promise<SwanctlResult> {
  return new Promise((resolve) => {
    const child = spawn('swanctl', [...words, '--uri', `unix://${socket}`], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 20_000,
      killSignal: 'SIGKILL',
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString();
      });
    }
    void options.interrupt?.then(() => child.kill('SIGINT'));
    child.on('close', (status) => resolve({ status, output }));
  });
}
