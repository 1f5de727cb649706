// The key that seals stored records, read from a file of its own: it must not lie beside what it seals.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

export const recordKeyBytes = 32;

/** The file cannot be the key of this host. The daemon does not start without a key that was asked for. */
export class RecordKeyError extends Error {
  readonly code = 'record-key' as const;
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
};

/**
 * 32 octets as they are, for the eyes of their owner alone, who is root or the user of this process.
 * @throws RecordKeyError
 */
export function readRecordKey(path: string): Uint8Array {
  const refuse = (why: string): never => {
    throw new RecordKeyError(`record key ${path}: ${why}`);
  };
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    return refuse(reasons[code] ?? message);
  }
  try {
    // Of the open file, not of the name: that may lead elsewhere by now.
    const found = fstatSync(file);
    const { mode, uid, size } = found;
    if (!found.isFile()) return refuse('it is no file');
    if ((mode & 0o077) !== 0) return refuse('others can read it (chmod 600)');
    if (uid !== 0 && uid !== process.geteuid?.()) return refuse('it belongs to another user');
    if (size !== recordKeyBytes)
      return refuse(
        `it holds ${size} octets, not ${recordKeyBytes} (head -c ${recordKeyBytes} /dev/urandom)`,
      );
    const key = new Uint8Array(recordKeyBytes);
    if (readSync(file, key, 0, recordKeyBytes, 0) !== recordKeyBytes) return refuse('it ended early');
    return key;
  } finally {
    closeSync(file);
  }
}
