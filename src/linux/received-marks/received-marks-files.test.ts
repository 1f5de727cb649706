// Marks of several packet threads: what a start reads of them, and what it leaves of their files.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { SequenceNumber } from '#sa';
import { ReceivedMarksFile } from './received-marks-file.ts';
import {
  readAllReceivedMarks,
  receivedMarksPathOf,
  removeReceivedMarksFrom,
} from './received-marks-files.ts';

const boot = '3f0c2d62-9a48-4cf0-9f1c-8a6b1d1f2b11';

interface Files {
  readonly folder: string;
  /** Of the first thread. */
  readonly path: string;
  /** Makes the file of a thread, with marks by SPI. */
  write(thread: number, marks: readonly (readonly [number, SequenceNumber])[], bootId?: string): void;
}

function filesFor(t: TestContext): Files {
  const folder = mkdtempSync(join(tmpdir(), 'wayward-marks-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, '.received');
  return {
    folder,
    path,
    write(thread, marks, bootId = boot) {
      const file = new ReceivedMarksFile(receivedMarksPathOf(path, thread), bootId);
      for (const [spi, last] of marks) file.open(spi, last);
    },
  };
}

test('the first thread has the name, and each further one has its number behind it', () => {
  assert.equal(receivedMarksPathOf('/state/.received', 0), '/state/.received');
  assert.equal(receivedMarksPathOf('/state/.received', 1), '/state/.received.1');
  assert.equal(receivedMarksPathOf('/state/.received', 15), '/state/.received.15');
});

test('marks of all threads are found, whichever files are missing', (t) => {
  const { folder, path, write } = filesFor(t);
  assert.equal(readAllReceivedMarks(path, boot).size, 0);
  assert.equal(readAllReceivedMarks(join(folder, 'gone', '.received'), boot).size, 0);
  write(2, [[6, { high: 0, low: 1 }]]);
  write(15, [[9, { high: 3, low: 2 }]]);
  const further: readonly (readonly [number, SequenceNumber])[] = [
    [6, { high: 0, low: 1 }],
    [9, { high: 3, low: 2 }],
  ];
  assert.deepEqual(readAllReceivedMarks(path, boot), new Map(further));
  write(0, [[4, { high: 0, low: 0 }]]);
  assert.deepEqual(readAllReceivedMarks(path, boot), new Map([[4, { high: 0, low: 0 }], ...further]));
});

test('an SPI of two files has the higher number, and none if one of them is beyond all numbers', (t) => {
  const { path, write } = filesFor(t);
  const beyond = { high: 2 ** 21, low: 0 };
  write(0, [
    [1, { high: 0, low: 9 }],
    [2, { high: 0, low: 9 }],
    [3, { high: 0, low: 9 }],
    [4, beyond],
  ]);
  write(1, [
    [1, { high: 0, low: 8 }],
    [2, { high: 1, low: 0 }],
    [3, beyond],
    [4, { high: 0, low: 9 }],
  ]);
  assert.deepEqual(
    readAllReceivedMarks(path, boot),
    new Map([
      [1, { high: 0, low: 9 }],
      [2, { high: 1, low: 0 }],
    ]),
  );
});

test('a file of another boot says nothing, and takes nothing from what others say', (t) => {
  const { path, write } = filesFor(t);
  write(0, [[1, { high: 0, low: 9 }]], 'another boot');
  write(1, [[1, { high: 0, low: 3 }]]);
  write(2, [[2, { high: 0, low: 9 }]], 'another boot');
  assert.deepEqual(readAllReceivedMarks(path, boot), new Map([[1, { high: 0, low: 3 }]]));
});

test('files that no thread makes anew go, and nothing else does', (t) => {
  const { folder, path, write } = filesFor(t);
  for (const thread of [0, 1, 2, 3, 12]) write(thread, []);
  const others = ['.journal', '.received.01', '.received.1.new', '.received.one', 'a.received.9', 'record'];
  for (const name of others) writeFileSync(join(folder, name), '');
  const left = (): string[] => readdirSync(folder).filter((name) => !others.includes(name));
  removeReceivedMarksFrom(path, 16);
  assert.deepEqual(left().length, 5);
  removeReceivedMarksFrom(path, 3);
  assert.deepEqual(left().sort(), ['.received', '.received.1', '.received.2']);
  removeReceivedMarksFrom(path, 1);
  assert.deepEqual(left(), ['.received']);
  removeReceivedMarksFrom(path, 1);
  assert.deepEqual(readdirSync(folder).sort(), ['.received', ...others].sort());
  removeReceivedMarksFrom(join(folder, 'gone', '.received'), 1);
});
