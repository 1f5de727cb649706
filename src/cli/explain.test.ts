// The command around the room: files and pipes, gzip, keys, the three forms, and what cannot be read.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { folder, wayward } from './testing/wayward-process.ts';

/** Frames of two charons around the moment when one was killed. */
const killed = fileURLToPath(
  new URL('../../fuzz/corpus/explain-capture/seed-charon-killed', import.meta.url),
);

test('a file becomes text, and the same file in gzip the same text', async (t) => {
  const { status, out, err } = await wayward(t, ['explain', killed]);
  assert.deepEqual([status, err], [0, '']);
  assert.match(out, /^The story$/m);
  assert.match(out, /PROBLEM 10\.99\.0\.2 lost its SAs/);
  const packed = join(folder(t), 'packed');
  writeFileSync(packed, gzipSync(readFileSync(killed)));
  const again = await wayward(t, ['explain', packed]);
  const story = (text: string): string => text.slice(text.indexOf('The story'));
  assert.equal(story(again.out), story(out));
});

test('of a file in gzip that was cut off what there is is told, as of any other', async (t) => {
  const packed = gzipSync(readFileSync(killed));
  const cut = join(folder(t), 'cut');
  writeFileSync(cut, packed.subarray(0, packed.length - 40));
  const { status, out, err } = await wayward(t, ['explain', cut]);
  assert.deepEqual([status, err], [0, '']);
  assert.match(out, /PROBLEM 10\.99\.0\.2 lost its SAs/);
  assert.match(out, /About the capture/);
});

test('--json is one object a line, and --html a page beside it', async (t) => {
  const page = join(folder(t), 'story.html');
  const { status, out } = await wayward(t, ['explain', killed, '--json', '--html', page]);
  assert.equal(status, 0);
  const lines = out.trim().split('\n');
  assert.ok(lines.length > 10);
  assert.ok(lines.every((line) => typeof (JSON.parse(line) as { kind: unknown }).kind === 'string'));
  assert.match(readFileSync(page, 'utf8'), /^<!doctype html>/);
});

test('lines of a key file that are none are named, and the rest is used', async (t) => {
  const keys = join(folder(t), 'keys');
  writeFileSync(keys, '# nothing\nnonsense\n');
  const { status, err } = await wayward(t, ['explain', killed, '--keys', keys]);
  assert.equal(err, `wayward: ${keys}:2: left out: 1 fields, where keys of an IKE SA have 8\n`);
  assert.equal(status, 0);
});

test('what is no capture, or is not there, is said in one line', async (t) => {
  const text = join(folder(t), 'text');
  writeFileSync(text, 'no capture at all');
  const absent = join(folder(t), 'absent');
  for (const [words, line] of [
    [[text], `${text} is no capture: capture.magic at octet 0: neither pcap nor pcapng`],
    [[absent], `ENOENT: no such file or directory, stat '${absent}'`],
    [[killed, '--keys', absent], `ENOENT: no such file or directory, stat '${absent}'`],
  ] as const) {
    const { status, out, err } = await wayward(t, ['explain', ...words]);
    assert.deepEqual([status, out, err], [1, '', `wayward: ${line}\n`]);
  }
});
