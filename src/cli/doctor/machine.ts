// What the doctor looks at: a machine through a keyhole, so that a test can be any machine. Nothing here changes anything.
import { execFileSync } from 'node:child_process';
import { accessSync, constants, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { delimiter, join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** What was looked at, or the code of the error, as ENOENT or EACCES. */
export type Seen<T> = { readonly value: T } | { readonly code: string };

export interface FileFacts {
  readonly kind: 'file' | 'folder' | 'socket' | 'device' | 'other';
  /** Permission bits alone. */
  readonly mode: number;
  readonly uid: number;
  readonly sizeBytes: number;
}

/** Every path is absolute. */
export interface Machine {
  readonly uid: number;
  readonly nodeVersion: string;
  readonly openSslVersion: string;
  /** That this process may use. */
  readonly processors: number;
  /** Milliseconds since 1970. */
  nowMs(): number;
  text(path: string): Seen<string>;
  /** Of a folder; sorted. */
  names(path: string): Seen<readonly string[]>;
  link(path: string): Seen<string>;
  facts(path: string): Seen<FileFacts>;
  /** Whether a program of this name is in PATH, or where operators' programs are. */
  hasProgram(name: string): boolean;
  /** What a program that only reads prints. */
  output(program: string, words: readonly string[]): Seen<string>;
}

function seen<T>(look: () => T): Seen<T> {
  try {
    return { value: look() };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const { code } = error as NodeJS.ErrnoException;
    return { code: typeof code === 'string' ? code : 'failed' };
  }
}

const programTimeoutMs = 5_000;
const gzipMagic = 0x1f8b;

/** The machine that we run on. */
export const thisMachine: Machine = {
  uid: process.geteuid?.() ?? -1,
  nodeVersion: process.versions.node,
  openSslVersion: process.versions.openssl,
  processors: availableParallelism(),
  nowMs: () => Date.now(),
  text: (path) =>
    seen(() => {
      const octets = readFileSync(path);
      // The kernel's own configuration comes compressed.
      const compressed = octets.length > 2 && octets.readUInt16BE(0) === gzipMagic;
      return (compressed ? gunzipSync(octets) : octets).toString('utf8');
    }),
  names: (path) => seen(() => readdirSync(path).sort()),
  link: (path) => seen(() => readlinkSync(path)),
  facts: (path) =>
    seen(() => {
      const stats = statSync(path);
      const kind = stats.isFile()
        ? 'file'
        : stats.isDirectory()
          ? 'folder'
          : stats.isSocket()
            ? 'socket'
            : stats.isCharacterDevice()
              ? 'device'
              : 'other';
      return { kind, mode: stats.mode & 0o7777, uid: stats.uid, sizeBytes: stats.size };
    }),
  hasProgram: (name) =>
    [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'].some((folder) => {
      try {
        accessSync(join(folder, name), constants.X_OK);
        return true;
      } catch {
        return false;
      }
    }),
  output: (program, words) =>
    seen(() =>
      execFileSync(program, words, {
        encoding: 'utf8',
        timeout: programTimeoutMs,
        stdio: ['ignore', 'pipe', 'ignore'],
        env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
      }),
    ),
};
