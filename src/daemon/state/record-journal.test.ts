// A journal of records: what is read again after any end, and what takes the place of files for each record.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { spiHistoryKeyPrefix } from '#unknown-spi';
import { encodeJournalled, readJournal } from './journal-format.ts';
import { RecordStore } from './record-store.ts';

const none = (error: Error): void => assert.fail(error);

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'wayward-journal-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'state');
}

function slot(n: number): string {
  return `${spiHistoryKeyPrefix}${n.toString().padStart(6, '0')}`;
}

function journalOf(folder: string): Buffer {
  return readFileSync(join(folder, '.journal'));
}

/** What a process finds that starts now. */
async function found(folder: string): Promise<Map<string, Uint8Array>> {
  const store = new RecordStore(folder, none);
  const records = new Map([...store.records].map(([key, octets]) => [key, Uint8Array.from(octets)]));
  await store.close();
  return records;
}

test('records follow each other and are read again, up to the first octet that is missing or wrong', () => {
  const written = [
    { key: slot(1), octets: Uint8Array.of(1, 2, 3) },
    { key: 'Zürich', octets: new Uint8Array(300).fill(7) },
    { key: slot(1), octets: new Uint8Array(0) },
  ];
  const encoded = written.map(({ key, octets }) => encodeJournalled(key, octets));
  const journal = new Uint8Array(Buffer.concat(encoded));
  const read = (octets: Uint8Array) =>
    [...readJournal(octets)].map(({ key, octets: of }) => ({ key, octets: of }));
  assert.deepEqual(read(journal), written);
  const ends = encoded.map((_, i) => Buffer.concat(encoded.slice(0, i + 1)).length);
  for (let length = 0; length < journal.length; length++) {
    const whole = ends.filter((end) => end <= length).length;
    assert.deepEqual(read(journal.subarray(0, length)), written.slice(0, whole));
    const garbled = Uint8Array.from(journal);
    garbled[length]! ^= 0x10;
    assert.deepEqual(read(garbled), written.slice(0, ends.filter((end) => end <= length).length));
  }
});

test('reading a journal never throws, and zeros are no record', () => {
  assert.deepEqual([...readJournal(new Uint8Array(64))], []);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (octets) => {
      for (const { start, end } of readJournal(octets)) assert.ok(start < end && end <= octets.length);
    }),
    { numRuns: 5_000 },
  );
});

test('what is journalled takes no file of its own, and only its owner may read it', async (t) => {
  const folder = folderFor(t);
  const store = new RecordStore(folder, none);
  await Promise.all([store.write(slot(1), Uint8Array.of(1)), store.write('other', Uint8Array.of(2))]);
  await store.write(slot(1), Uint8Array.of(3));
  await store.write(slot(2), Uint8Array.of(4));
  await store.write(slot(2), new Uint8Array(0));
  await store.close();
  assert.deepEqual(readdirSync(folder).sort(), ['.journal', 'other']);
  assert.equal(statSync(join(folder, '.journal')).mode & 0o777, 0o600);
  const expected = new Map([
    ['other', Uint8Array.of(2)],
    [slot(1), Uint8Array.of(3)],
  ]);
  assert.deepEqual(await found(folder), expected);
});

test('a tail that is torn is left behind, and what is kept after it is found', async (t) => {
  const folder = folderFor(t);
  const store = new RecordStore(folder, none);
  await store.write(slot(1), Uint8Array.of(1));
  await store.write(slot(2), Uint8Array.of(2));
  await store.close();
  const whole = journalOf(folder);
  // The same length as the record that comes next: what follows it would look right.
  const torn = encodeJournalled(slot(3), Uint8Array.of(9));
  torn[10]! ^= 1;
  const stale = encodeJournalled(slot(1), Uint8Array.of(8));
  writeFileSync(join(folder, '.journal'), Buffer.concat([whole, torn, stale]));
  const again = new RecordStore(folder, none);
  assert.deepEqual([...again.records.values()], [Uint8Array.of(1), Uint8Array.of(2)]);
  await again.write(slot(3), Uint8Array.of(3));
  await again.close();
  assert.deepEqual(
    [...(await found(folder)).values()],
    [1, 2, 3].map((octet) => Uint8Array.of(octet)),
  );
});

test('a journal is written anew before what is of no use takes over', async (t) => {
  const folder = folderFor(t);
  const store = new RecordStore(folder, none);
  let largest = 0;
  for (let i = 0; i < 60; i++) {
    await Promise.all([
      store.write(slot(i % 4), new Uint8Array(20_000).fill(i)),
      store.write(slot(10), Uint8Array.of(i)),
    ]);
    largest = Math.max(largest, journalOf(folder).length);
  }
  await store.close();
  assert.ok(largest > 500_000 && largest < 700_000, `${largest}`);
  const records = await found(folder);
  assert.deepEqual(
    [0, 1, 2, 3, 10].map((n) => records.get(slot(n))?.[0]),
    [56, 57, 58, 59, 59],
  );
});

test('a folder of a former version is taken over, whenever that is interrupted', async (t) => {
  const folder = folderFor(t);
  mkdirSync(folder);
  const file = (key: string) => join(folder, encodeURIComponent(key));
  const lay = () => {
    writeFileSync(file('boot-epoch'), Uint8Array.of(7));
    for (const n of [1, 2, 3]) writeFileSync(file(slot(n)), Uint8Array.of(n));
  };
  lay();
  // Nothing is written: nothing is lost.
  assert.equal((await found(folder)).size, 4);
  const store = new RecordStore(folder, none);
  await store.write(slot(1), Uint8Array.of(11));
  await store.write(slot(2), new Uint8Array(0));
  await store.close();
  assert.deepEqual(readdirSync(folder).sort(), ['.journal', 'boot-epoch']);
  const expected = new Map([
    ['boot-epoch', Uint8Array.of(7)],
    [slot(1), Uint8Array.of(11)],
    [slot(3), Uint8Array.of(3)],
  ]);
  assert.deepEqual(await found(folder), expected);
  // The process was killed before it had removed the files: the journal knows better.
  lay();
  assert.deepEqual(await found(folder), expected);
  const last = new RecordStore(folder, none);
  await last.write(slot(4), Uint8Array.of(4));
  await last.close();
  assert.deepEqual(readdirSync(folder).sort(), ['.journal', 'boot-epoch']);
  assert.deepEqual(await found(folder), new Map([...expected, [slot(4), Uint8Array.of(4)]]));
});

test('a journal that somebody removes is written anew, and what was not kept is not called durable', async (t) => {
  const folder = folderFor(t);
  const failures: Error[] = [];
  const store = new RecordStore(folder, (error) => failures.push(error));
  await store.write(slot(1), Uint8Array.of(1));
  rmSync(folder, { recursive: true });
  let durable = false;
  const kept = store.write(slot(2), Uint8Array.of(2)).then(() => {
    durable = true;
  });
  while (failures.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.match(failures[0]!.message, /\.journal was removed/);
  assert.equal(durable, false);
  mkdirSync(folder);
  await kept;
  await store.close();
  assert.deepEqual(await found(folder), new Map([[slot(2), Uint8Array.of(2)]]));
});
