// Whether a folder takes so much more: asked before anything depends on it.
import { rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** In a folder for records, but none of them. */
const probeName = '.room';

/** Why so many octets cannot be written to a folder. */
export function roomProblem(folder: string, bytes: number): Error | undefined {
  const probe = join(folder, probeName);
  try {
    // Written and not just asked for: quotas and reserved blocks are nobody's business but the kernel's.
    writeFileSync(probe, new Uint8Array(bytes), { mode: 0o600 });
    return undefined;
  } catch (error) {
    return error as Error;
  } finally {
    rmSync(probe, { force: true });
  }
}

/** Octets of a file; 0 if there is none. */
export function bytesOfFile(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
