import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { readConfigurationFiles } from './configuration-files.ts';
import { loadConfigurationFile } from './load-configuration-file.ts';

test('patterns name files as a shell would, sorted, beside the file that includes them', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'wayward-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'conf.d'));
  mkdirSync(join(folder, 'a.conf.d'));
  for (const name of [
    'a.conf',
    'b.conf',
    'conf.d/x1.conf',
    'conf.d/x2.conf',
    'conf.d/.hidden.conf',
    'aXconf',
    'c[.conf',
  ])
    writeFileSync(join(folder, name), name);
  symlinkSync('nowhere', join(folder, 'conf.d', 'dangling.conf'));
  const named = (pattern: string): string[] =>
    readConfigurationFiles(pattern, join(folder, 'swanctl.conf')).map(({ path }) => relative(folder, path));

  assert.deepEqual(named('a.conf'), ['a.conf']);
  assert.deepEqual(named('none.conf'), []);
  assert.deepEqual(named('*.conf'), ['a.conf', 'b.conf', 'c[.conf']);
  assert.deepEqual(named('?.conf'), ['a.conf', 'b.conf']);
  assert.deepEqual(named('[b-c].conf'), ['b.conf']);
  assert.deepEqual(named('[!b]*conf'), ['a.conf', 'aXconf', 'c[.conf']);
  assert.deepEqual(named('[^b]*conf'), ['a.conf', 'aXconf', 'c[.conf']);
  assert.deepEqual(named('c[.*'), ['c[.conf']);
  assert.deepEqual(named('[z-a]*'), []);
  assert.deepEqual(named('conf.?/*.conf'), ['conf.d/x1.conf', 'conf.d/x2.conf']);
  assert.deepEqual(named('*/.*.conf'), ['conf.d/.hidden.conf']);
  assert.deepEqual(named(join(folder, 'conf.d', 'x[12].conf')), ['conf.d/x1.conf', 'conf.d/x2.conf']);
});

test('what a file holds comes with it', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'wayward-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'key.der');
  writeFileSync(path, Uint8Array.of(0, 255, 128));
  assert.deepEqual(readConfigurationFiles('*.der', join(folder, 'x')), [
    { path, octets: Uint8Array.of(0, 255, 128) },
  ]);
});

test('what may not be read is a problem, also a folder that a pattern looks into', {
  skip: process.getuid?.() === 0 ? false : 'needs root to become somebody else',
}, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'wayward-'));
  t.after(() => {
    process.seteuid!(0);
    rmSync(folder, { recursive: true, force: true });
  });
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, 'conf.d'));
  for (const name of ['conf.d/a.conf', 'b.conf', 'swanctl.conf']) writeFileSync(join(folder, name), '');
  chmodSync(join(folder, 'conf.d'), 0o700);
  chmodSync(join(folder, 'b.conf'), 0o600);
  process.seteuid!(65_534);
  const found = (pattern: string): unknown => readConfigurationFiles(pattern, join(folder, 'swanctl.conf'));
  assert.deepEqual(found('conf.d/*.conf'), [
    { path: join(folder, 'conf.d'), problem: 'permission denied', folder: true },
  ]);
  assert.deepEqual(found('b.*'), [{ path: join(folder, 'b.conf'), problem: 'permission denied' }]);
  assert.deepEqual(found('conf.d/a.conf'), [
    { path: join(folder, 'conf.d/a.conf'), problem: 'permission denied' },
  ]);
  assert.deepEqual(found('nowhere/*.conf'), []);
  assert.deepEqual(found('swanctl.conf/*'), []);
  // A daemon without a connection would be the worst that could come of it; keys are missed by who needs them.
  const configuration = join(folder, 'swanctl.conf');
  process.seteuid!(0);
  writeFileSync(configuration, 'include conf.d/*.conf\n');
  mkdirSync(join(folder, 'private'), { mode: 0o700 });
  process.seteuid!(65_534);
  assert.throws(() => loadConfigurationFile(configuration), {
    message: `${configuration}:1:1: ${join(folder, 'conf.d')}: permission denied`,
  });
});
