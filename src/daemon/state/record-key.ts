// The key that seals stored records, read from a file of its own: it must not lie beside what it seals.
import { closeSync, existsSync, fstatSync, openSync, readSync, realpathSync, type Stats } from 'node:fs';
import { join, sep } from 'node:path';

export const recordKeyBytes = 32;

/** The file cannot be the key of this host. The daemon does not start without a key that was asked for. */
export class RecordKeyError extends Error {
  readonly code = 'record-key' as const;
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
};

/** Under this name systemd has it: `LoadCredential=wayward.record-key:/etc/wayward/record.key`. */
export const recordKeyCredential = 'wayward.record-key';

/**
 * 32 octets as they are, for the eyes of their owner alone, who is root or the user of this process.
 * @param statePath where the records are: a key among them would seal nothing
 * @throws RecordKeyError
 */
export function readRecordKey(path: string, statePath?: string): Uint8Array {
  return readKey(path, ({ mode, uid }) => {
    if ((mode & 0o077) !== 0) return 'others can read it (chmod 600)';
    if (uid !== 0 && uid !== process.geteuid?.()) return 'it belongs to another user';
    return statePath !== undefined && isWithin(path, statePath) ? 'it lies among the records' : undefined;
  });
}

/**
 * The key that systemd was given for us, if there is one; who may read it is systemd's business.
 * @throws RecordKeyError
 */
export function readCredential(folder: string | undefined): Uint8Array | undefined {
  if (folder === undefined) return undefined;
  const path = join(folder, recordKeyCredential);
  return existsSync(path) ? readKey(path, () => undefined) : undefined;
}

function isWithin(path: string, folder: string): boolean {
  try {
    return realpathSync(path).startsWith(realpathSync(folder) + sep);
  } catch {
    // A folder that is not there yet holds nothing.
    return false;
  }
}

function readKey(path: string, refusal: (stats: Stats) => string | undefined): Uint8Array {
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
    const { size } = found;
    if (!found.isFile()) return refuse('it is no file');
    const refused = refusal(found);
    if (refused !== undefined) return refuse(refused);
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
