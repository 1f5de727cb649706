// `wayward explain`: a capture file in, its story out, as text, as JSON lines, or as a page.
import { createReadStream, readFileSync, writeFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { constants, createGunzip } from 'node:zlib';
import { Explainer, type KeyFile, parseKeyFile, storyHtml, storyJsonLines, storyText } from '#explain';
import { WireError } from '#wire';
import { namedFileBytes } from './named-file.ts';

export interface ExplainWords {
  /** `-` is standard input. */
  readonly file: string;
  readonly keys?: string;
  readonly json: boolean;
  readonly html?: string;
}

interface ExplainTerminal {
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
  /** Overwrites itself; absent: nobody watches. */
  readonly progress?: (text: string) => void;
  readonly columns?: number;
}

const chunkBytes = 1 << 20;
/** Text wider than this is hard to read. */
const columnsMax = 100;
const progressEveryMs = 500;
/** A key file is short; a capture given in its place is not. */
const keyFileBytesMax = 64 << 20;
const problemsTold = 5;

/** Returns whether the file could be explained. */
export async function explain(words: ExplainWords, terminal: ExplainTerminal): Promise<boolean> {
  const { file, json, html } = words;
  const { out, err } = terminal;
  const name = file === '-' ? 'standard input' : file;
  try {
    const keys = words.keys === undefined ? undefined : readKeys(words.keys, err);
    const explainer = new Explainer(keys === undefined ? {} : { keys });
    await feed(explainer, file, terminal.progress);
    const story = explainer.finish();
    if (html !== undefined) writeFileSync(html, storyHtml(story, name));
    if (json) for (const line of storyJsonLines(story)) out(line);
    else
      for (const line of storyText(story, name, Math.min(terminal.columns ?? columnsMax, columnsMax)))
        out(line);
    return true;
  } catch (error) {
    terminal.progress?.('');
    if (error instanceof WireError) err(`${name} is no capture: ${error.message}`);
    else if (isOperational(error)) err(error.message);
    else throw error;
    return false;
  }
}

/** What the system or zlib refuses has a code; mistakes of ours have none. */
function isOperational(error: unknown): error is Error {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).code === 'string';
}

function readKeys(path: string, err: (line: string) => void): KeyFile {
  if (namedFileBytes(path) > keyFileBytesMax) {
    throw Object.assign(new Error(`${path} is too large for a file of keys`), { code: 'EFBIG' });
  }
  const keys = parseKeyFile(readFileSync(path, 'utf8'));
  for (const { line, problem } of keys.problems.slice(0, problemsTold))
    err(`${path}:${line}: left out: ${problem}`);
  const more = keys.problems.length - problemsTold;
  if (more > 0) err(`${path}: ${more} more lines are left out`);
  return keys;
}

async function feed(
  explainer: Explainer,
  file: string,
  progress: ((text: string) => void) | undefined,
): Promise<void> {
  const total = file === '-' ? 0 : namedFileBytes(file);
  const raw: Readable = file === '-' ? process.stdin : createReadStream(file, { highWaterMark: chunkBytes });
  let read = 0;
  let toldAt = performance.now();
  const tell = (chunk: Uint8Array): void => {
    read += chunk.length;
    const now = performance.now();
    if (progress === undefined || now - toldAt < progressEveryMs) return;
    toldAt = now;
    const share = total > 0 ? ` (${Math.floor((100 * read) / total)} %)` : '';
    progress(`${Math.floor(read / 1e6)} MB${share}, ${explainer.frames} frames`);
  };
  for await (const chunk of unpacked(raw, tell)) explainer.push(chunk);
  progress?.('');
}

/** gzip is told by its first octets (RFC 1952 2.3.1). */
async function* unpacked(raw: Readable, tell: (chunk: Uint8Array) => void): AsyncGenerator<Uint8Array> {
  const chunks: AsyncIterator<Uint8Array> = raw[Symbol.asyncIterator]();
  const first = await chunks.next();
  if (first.done === true) return;
  const rest = async function* (): AsyncGenerator<Uint8Array> {
    for (let next: IteratorResult<Uint8Array> = first; next.done !== true; next = await chunks.next()) {
      tell(next.value);
      yield next.value;
    }
  };
  const isGzip = first.value[0] === 0x1f && first.value[1] === 0x8b;
  if (!isGzip) return yield* rest();
  // Of a file that was cut off, what there is: the story says where it ends.
  const gunzip = createGunzip({ finishFlush: constants.Z_SYNC_FLUSH });
  const { Readable: Source } = await import('node:stream');
  const source = Source.from(rest());
  source.on('error', (error) => gunzip.destroy(error));
  yield* source.pipe(gunzip);
}
