// Records on disk, also when the process that writes them is killed at any instant.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Durability, RecordStore } from './record-store.ts';

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'wayward-records-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'state');
}

const none = (error: Error): void => assert.fail(error);

test('records are found again, the newest of each key, and removed ones are not', async (t) => {
  const folder = folderFor(t);
  const store = new RecordStore(folder, none);
  assert.equal(store.records.size, 0);
  await Promise.all([
    store.write('checkpoint/1', Uint8Array.of(1)),
    store.write('checkpoint/1', Uint8Array.of(2)),
    store.write('qcd-secrets', Uint8Array.of(3)),
  ]);
  await store.write('qcd-secrets', new Uint8Array(0));
  await store.close();
  const again = new RecordStore(folder, none);
  t.after(() => again.close());
  assert.deepEqual([...again.records], [['checkpoint/1', Uint8Array.of(2)]]);
});

test('only the owner may read, and what was unfinished is swept away', async (t) => {
  const folder = folderFor(t);
  const store = new RecordStore(folder, none);
  await store.write('a', Uint8Array.of(1));
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  assert.equal(statSync(join(folder, 'a')).mode & 0o777, 0o600);
  writeFileSync(join(folder, 'b.new'), 'half');
  await store.close();
  const again = new RecordStore(folder, none);
  t.after(() => again.close());
  assert.deepEqual([...again.records.keys()], ['a']);
  assert.deepEqual(readdirSync(folder), ['a']);
});

test('what is none of ours is left alone, as the lost+found of a file system of its own', async (t) => {
  const folder = folderFor(t);
  mkdirSync(join(folder, 'lost+found'), { recursive: true, mode: 0o700 });
  mkdirSync(join(folder, 'copies.new'));
  writeFileSync(join(folder, '100%'), 'a note');
  writeFileSync(join(folder, 'boot-epoch'), Uint8Array.of(7));
  const store = new RecordStore(folder, none);
  t.after(() => store.close());
  assert.deepEqual([...store.records], [['boot-epoch', Uint8Array.of(7)]]);
  assert.deepEqual(readdirSync(folder).sort(), ['100%', 'boot-epoch', 'copies.new', 'lost+found']);
});

test('a write that fails is not called durable, and is tried again until it succeeds', async (t) => {
  const folder = folderFor(t);
  const failures: Error[] = [];
  const store = new RecordStore(folder, (error) => failures.push(error));
  rmSync(folder, { recursive: true });
  let durable = '';
  const first = store.write('a', Uint8Array.of(1)).then(() => {
    durable += 'a';
  });
  while (failures.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(durable, '');
  mkdirSync(folder);
  const second = store.write('a', Uint8Array.of(2));
  await Promise.all([first, second]);
  assert.equal(durable, 'a');
  assert.deepEqual(readFileSync(join(folder, 'a')), Buffer.of(2));
  await store.close();
});

test('a store that is closed gives up what a broken disk refuses', async (t) => {
  const folder = folderFor(t);
  const failures: Error[] = [];
  const store = new RecordStore(folder, (error) => failures.push(error));
  rmSync(folder, { recursive: true });
  let durable = false;
  void store.write('a', Uint8Array.of(1)).then(() => {
    durable = true;
  });
  await store.close();
  assert.ok(failures.length > 0);
  assert.equal(durable, false);
});

test('a folder has one store at a time, also in other processes, until that one is closed or killed', async (t) => {
  const folder = folderFor(t);
  const store = new RecordStore(folder, none);
  assert.throws(() => new RecordStore(folder, none), {
    code: 'record-store',
    message: /is in use by another process/,
  });
  await store.close();
  const child = spawn(process.execPath, ['--input-type=module', '-e', writer, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  assert.throws(() => new RecordStore(folder, none), { code: 'record-store' });
  const closed = new Promise((resolve) => child.once('close', resolve));
  child.kill('SIGKILL');
  await closed;
  const last = new RecordStore(folder, none);
  assert.deepEqual([...last.records.keys()], ['record']);
  await last.close();
});

test('a copy of a folder is another place', async (t) => {
  const folder = folderFor(t);
  const store = new RecordStore(folder, none);
  await store.write('a', Uint8Array.of(1));
  await store.close();
  cpSync(folder, `${folder}-copy`, { recursive: true, preserveTimestamps: true });
  const again = new RecordStore(folder, none);
  const copy = new RecordStore(`${folder}-copy`, none);
  assert.equal(again.place, store.place);
  assert.notEqual(copy.place, store.place);
  assert.deepEqual(copy.records, again.records);
  await again.close();
  await copy.close();
});

test('a record that is flushed later is there at once, and closing waits for the flush', async (t) => {
  const folder = folderFor(t);
  const store = new RecordStore(folder, none);
  await store.write('a', Uint8Array.of(1), 'process-first');
  assert.deepEqual(readFileSync(join(folder, 'a')), Buffer.of(1));
  await Promise.all([
    store.write('a', new Uint8Array(0), 'process-first'),
    store.write('b', Uint8Array.of(2), 'process-first'),
  ]);
  await store.close();
  assert.deepEqual(readdirSync(folder), ['b']);
});

/** Writes a record of equal octets over and over, and prints each value that would survive. */
const writer = `
import { RecordStore } from ${JSON.stringify(new URL('./record-store.js', import.meta.url).href)};
const [, folder, durability, key = 'record', length = 4096] = process.argv;
const store = new RecordStore(folder, (error) => { throw error; });
for (let value = 1; ; value = (value % 255) + 1) {
  await store.write(key, new Uint8Array(Number(length)).fill(value), durability);
  process.stdout.write(value + '\\n');
}
`;

/** Each takes a start of Node: `npm run soak -- records` kills more often. */
const kills = Number(process.env['WAYWARD_KILLS'] ?? 20);

/** Starts a writer and kills it `afterMs` after its first word; the last value that it called durable. */
function killedWriter(
  folder: string,
  lane: readonly [Durability, string, number],
  afterMs: number,
): Promise<number> {
  const words = ['--input-type=module', '-e', writer, folder, ...lane.map(String)];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
    if (printed.length === text.length) setTimeout(() => child.kill('SIGKILL'), afterMs);
  });
  return new Promise((resolve) =>
    child.once('close', () => resolve(Number(printed.trimEnd().split('\n').at(-1)))),
  );
}

const lanes = [
  ['machine', 'record', 4_096],
  ['process', 'record', 4_096],
  ['process-first', 'record', 4_096],
  // Long enough that the journal is written anew under way.
  ['machine', 'spi-history/000001', 60_000],
] as const;

for (const lane of lanes) {
  const [durability, key, length] = lane;
  test(`killed at random instants, a record is its old or its new self, and never older than what was durable (${durability}, ${key})`, async (t) => {
    const folder = folderFor(t);
    // The lanes share the kills.
    for (let round = 0; round < kills / lanes.length; round++) {
      const durable = await killedWriter(folder, lane, (round * 13) % 50);
      assert.ok(existsSync(folder));
      const found = new RecordStore(folder, none);
      const record = found.records.get(key);
      await found.close();
      assert.equal(record?.length, length);
      const [value] = record!;
      assert.ok(record!.every((octet) => octet === value));
      assert.ok(value === durable || value === (durable % 255) + 1, `${value} after ${durable}`);
    }
  });
}
