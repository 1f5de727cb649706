import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  RecordKeyError,
  readCredential,
  readRecordKey,
  recordKeyBytes,
  recordKeyCredential,
} from './record-key.ts';

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

test('a key among the records that it seals is refused', (t) => {
  const path = keyFile(t, octets, 0o600);
  assert.throws(() => readRecordKey(path, join(path, '..')), { message: /it lies among the records/ });
  assert.deepEqual(readRecordKey(path, join(path, '..', 'state')), octets);
});

test('a credential of the service is taken as systemd has it, and none is none', (t) => {
  const folder = join(keyFile(t, octets, 0o600), '..');
  assert.equal(readCredential(undefined), undefined);
  assert.equal(readCredential(folder), undefined);
  writeFileSync(join(folder, recordKeyCredential), octets, { mode: 0o440 });
  assert.deepEqual(readCredential(folder), octets);
  writeFileSync(join(folder, recordKeyCredential), octets.slice(1), { mode: 0o440 });
  assert.throws(() => readCredential(folder), { code: 'record-key', message: /it holds 31 octets/ });
});
