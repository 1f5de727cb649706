// Marks in a file: another process finds them after a SIGKILL at any instant, and nobody finds those of another boot.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ReceivedMarksFile } from './received-marks-file.ts';
import { readAllReceivedMarks } from './received-marks-files.ts';

function fileFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'wayward-marks-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, '.received');
}

const boot = '3f0c2d62-9a48-4cf0-9f1c-8a6b1d1f2b11';

test('marks are found by SPI, those of SAs that are gone are not, and a new file has none', (t) => {
  const path = fileFor(t);
  assert.equal(readAllReceivedMarks(path, boot).size, 0);
  const file = new ReceivedMarksFile(path, boot);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const first = file.open(0xfff0_0001, { high: 0, low: 0 });
  file.open(2, { high: 1, low: 5 });
  file.open(3, { high: 0, low: 7 });
  first?.raise(3, 9);
  file.close(3);
  file.open(4, { high: 0, low: 1 });
  assert.deepEqual(
    readAllReceivedMarks(path, boot),
    new Map([
      [0xfff0_0001, { high: 3, low: 9 }],
      [2, { high: 1, low: 5 }],
      [4, { high: 0, low: 1 }],
    ]),
  );
  new ReceivedMarksFile(path, boot);
  assert.equal(readAllReceivedMarks(path, boot).size, 0);
});

test('an SA of a number that a double does not hold has no mark that anybody believes', (t) => {
  const path = fileFor(t);
  new ReceivedMarksFile(path, boot).open(5, { high: 2 ** 21, low: 0 });
  assert.equal(readAllReceivedMarks(path, boot).size, 0);
});

test('a file of another boot, of another length or of another format says nothing', (t) => {
  const path = fileFor(t);
  new ReceivedMarksFile(path, boot).open(5, { high: 0, low: 1 });
  assert.equal(readAllReceivedMarks(path, boot).size, 1);
  assert.equal(readAllReceivedMarks(path, 'another boot').size, 0);
  const octets = readFileSync(path);
  writeFileSync(path, octets.subarray(0, -1));
  assert.equal(readAllReceivedMarks(path, boot).size, 0);
  octets[17] = 0x32;
  writeFileSync(path, octets);
  assert.equal(readAllReceivedMarks(path, boot).size, 0);
});

test('there is room for so many SAs, and what finds none has no mark', (t) => {
  const path = fileFor(t);
  const file = new ReceivedMarksFile(path, boot);
  let spi = 1;
  while (file.open(spi, { high: 0, low: spi }) !== undefined) spi++;
  assert.equal(spi, 16_385);
  assert.equal(readAllReceivedMarks(path, boot).size, 16_384);
  file.close(100);
  assert.notEqual(file.open(spi, { high: 0, low: 1 }), undefined);
  assert.equal(readAllReceivedMarks(path, boot).get(100), undefined);
  assert.deepEqual(readAllReceivedMarks(path, boot).get(spi), { high: 0, low: 1 });
});

/** Raises a mark and says so, over and over: what it has said is what somebody was given. */
const writer = `
import { writeSync } from 'node:fs';
import { ReceivedMarksFile } from ${JSON.stringify(new URL('./received-marks-file.js', import.meta.url).href)};
const mark = new ReceivedMarksFile(process.argv[1], process.argv[2]).open(7, { high: 0, low: 0 });
for (let low = 1; ; low++) {
  mark.raise(1, low);
  writeSync(1, low + '\\n');
}
`;

test('killed at random instants, the mark is the last number that was given to anybody, or the next one', async (t) => {
  const path = fileFor(t);
  for (let round = 0; round < 5; round++) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', writer, path, boot], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed = printed.slice(-64) + text;
      if (!child.killed) setTimeout(() => child.kill('SIGKILL'), (round * 7) % 20);
    });
    await new Promise((resolve) => child.once('close', resolve));
    const said = Number(printed.trimEnd().split('\n').at(-1));
    assert.ok(existsSync(path));
    const found = readAllReceivedMarks(path, boot).get(7);
    assert.equal(found?.high, 1);
    assert.ok(found!.low === said || found!.low === said + 1, `${found!.low} after ${said}`);
  }
});

test('where the disk has room for a part of it only, it is refused before any of it is used', {
  skip: process.getuid?.() === 0 ? false : 'needs root to mount a small file system',
}, (t) => {
  const folder = dirname(fileFor(t));
  const script = `
    const { ReceivedMarksFile } = await import(${JSON.stringify(new URL('./received-marks-file.js', import.meta.url).href)});
    try {
      const file = new ReceivedMarksFile(${JSON.stringify(join(folder, '.received'))}, 'x');
      for (let spi = 1; spi < 10_000; spi++) file.open(spi, { high: 0, low: 0 });
    } catch ({ code }) {
      console.log(code);
    }`;
  const inside = `mount -t tmpfs -o size=16k none ${folder} && exec "$@"`;
  const words = ['--mount', 'sh', '-c', inside, 'sh', process.execPath, '--input-type=module', '-e', script];
  const { stdout, signal, stderr } = spawnSync('unshare', words, { encoding: 'utf8' });
  assert.deepEqual([stdout, signal], ['ENOSPC\n', null], stderr);
});
