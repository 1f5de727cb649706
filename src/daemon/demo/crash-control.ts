// Who may crash a gateway of the demonstration: the key `k` in its terminal, and `wayward lab crash` in another one.
import { lstatSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ControlServer } from '../endpoints/control-server.ts';
import type { Side } from './configuration.ts';

/** Of the demonstration of this user. */
export function defaultDemoSocketPath(): string {
  return join(tmpdir(), `wayward-demo-${process.geteuid?.() ?? 0}`, 'control');
}

export interface CrashControl {
  close(): Promise<void>;
}

/** A folder that everybody could make must be ours, and ours alone. @throws Error if it is not */
function ownFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const found = lstatSync(path);
  if (!found.isDirectory() || found.uid !== process.geteuid?.() || (found.mode & 0o022) !== 0)
    throw new Error(`${path} is not a folder of ours alone`);
}

/** Serves `wayward lab crash`. @throws Error if the socket cannot be had, for example while another demonstration runs */
export async function serveCrashes(
  socketPath: string,
  crash: (side: Side) => string | undefined,
): Promise<CrashControl> {
  if (socketPath === defaultDemoSocketPath()) ownFolder(dirname(socketPath));
  return ControlServer.listen(socketPath, async (request) => {
    if (request.kind !== 'crash') return { kind: 'refused', detail: 'this is a demonstration, no daemon' };
    const refusal = crash(request.side);
    return refusal === undefined
      ? { kind: 'result', result: { ok: true, count: 1 } }
      : { kind: 'refused', detail: refusal };
  });
}

const ctrlC = '\u0003';

/** Listens for keys, if there is a keyboard. Returns how to leave the terminal as it was. */
export function watchKeys(on: { crash(): void; end(): void }): () => void {
  const { stdin } = process;
  if (!stdin.isTTY) return () => undefined;
  // Keys come one by one, and Ctrl-C as one of them.
  stdin.setRawMode(true);
  stdin.setEncoding('utf8');
  const read = (keys: string): void => {
    for (const key of keys) {
      if (key === 'k') on.crash();
      if (key === 'q' || key === ctrlC) on.end();
    }
  };
  stdin.on('data', read);
  return () => {
    stdin.off('data', read);
    stdin.setRawMode(false);
    stdin.pause();
  };
}
