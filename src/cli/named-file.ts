// Files that the words of a command name: what cannot be read is told with its name.
import { readFileSync, statSync } from 'node:fs';

/** Octets. @throws Error with a code, and with the name in its message, also if it is a folder, of which reading tells no name */
export function namedFileBytes(path: string): number {
  const stats = statSync(path);
  if (stats.isDirectory()) throw Object.assign(new Error(`${path} is a folder`), { code: 'EISDIR' });
  return stats.size;
}

/** @throws as `namedFileBytes` */
export function readNamedFile(path: string): Buffer {
  namedFileBytes(path);
  return readFileSync(path);
}
