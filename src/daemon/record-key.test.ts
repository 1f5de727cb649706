import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { RecordKeyError, readRecordKey, recordKeyBytes } from './record-key.ts';

function keyFile(t: TestContext, octets: Uint8Array, mode: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'wayward-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'key');
  writeFileSync(path, octets);
  chmodSync(path, mode);
  return path;
}

const octets: Uint8Array = Uint8Array.from({ length: recordKeyBytes }, (_, i) => i);

test('a key is 32 octets that only their owner can read', (t) => {
  assert.deepEqual(readRecordKey(keyFile(t, octets, 0o600)), octets);
  assert.deepEqual(readRecordKey(keyFile(t, octets, 0o400)), octets);
});

test('a file that others can read, of another length, or none at all is refused by name', (t) => {
  for (const mode of [0o640, 0o604, 0o620]) {
    const path = keyFile(t, octets, mode);
    assert.throws(
      () => readRecordKey(path),
      (error: unknown) => error instanceof RecordKeyError && error.message.includes(path),
    );
  }
  for (const length of [0, 31, 33]) {
    const path = keyFile(t, new Uint8Array(length), 0o600);
    assert.throws(() => readRecordKey(path), { message: new RegExp(`it holds ${length} octets`) });
  }
  const folder = join(keyFile(t, octets, 0o600), '..');
  assert.throws(() => readRecordKey(join(folder, 'other')), { message: /there is no such file/ });
  mkdirSync(join(folder, 'folder'), 0o700);
  assert.throws(() => readRecordKey(join(folder, 'folder')), { code: 'record-key' });
});
