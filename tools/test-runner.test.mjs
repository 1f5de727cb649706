// The runner of all tests: who fails, crashes or is skipped decides how it ends, in whichever pool that is.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

const runner = join(import.meta.dirname, 'test.mjs');
const passes = "import { test } from 'node:test';\ntest('passes', () => {});\n";

/** What the runner says of a clone that has just these files. */
function run(t, files, { words = [], env = {} } = {}) {
  const place = mkdtempSync(join(tmpdir(), 'wayward-runner-'));
  t.after(() => rmSync(place, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(place, dirname(path)), { recursive: true });
    writeFileSync(join(place, path), text);
  }
  // Otherwise it would take itself for a part of this test.
  const { NODE_TEST_CONTEXT: _, CI: __, ...clean } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, [runner, ...words], {
    cwd: place,
    env: { ...clean, ...env },
    encoding: 'utf8',
  });
  const read = (name) => readFileSync(join(place, 'test-output', name), 'utf8');
  return { status, stdout, stderr, read };
}

test('files of both pools are told of as one, and how long each took', (t) => {
  const files = {
    'build/interop/scenarios.test.mjs': passes,
    'build/sim/seeds.test.mjs': passes,
    'dist/sa/one.test.mjs': passes + passes.replace(/import.*\n/, ''),
  };
  const { status, stdout, read } = run(t, files);
  assert.equal(status, 0, stdout);
  assert.match(stdout, /tests 4\n[\s\S]*pass 4\n[\s\S]*fail 0\n/);
  assert.match(read('report.tap'), /^ok 1 - passes$[\s\S]*^ok 4 - passes$[\s\S]*^1\.\.4$/m);
  for (const path of Object.keys(files)) assert.ok(read('durations.txt').includes(path), path);
});

test('a test that fails, and a file that cannot even be loaded, fail the run', (t) => {
  for (const folder of ['build/interop', 'dist/sa'])
    for (const text of [
      passes.replace('{}', '{ throw new Error() }'),
      "throw new Error('no test at all');\n",
    ]) {
      const files = { [`${folder}/one.test.mjs`]: text, 'dist/sa/other.test.mjs': passes };
      assert.equal(run(t, files).status, 1, `${folder}: ${text}`);
    }
});

test('files of core rooms share a process, but for those that use what a process has one of, and hooks', (t) => {
  const seen = (more, count) => `import assert from 'node:assert/strict';
    import { test } from 'node:test';
    ${more}
    globalThis.seen = (globalThis.seen ?? 0) + 1;
    test('sees ${count}', () => assert.equal(globalThis.seen, ${count}));\n`;
  const files = {
    'dist/sa/one.test.mjs': seen('', 2),
    'dist/wire/other.test.mjs': seen('', 2),
    'dist/wire/pid.test.mjs': seen('process.pid;', 1),
    'dist/wire/files.test.mjs': seen("import 'node:fs';", 1),
    'dist/sa/hooks.test.mjs': seen("import { before } from 'node:test';\nbefore(() => undefined);", 1),
    'dist/vici/one.test.mjs': seen('', 1),
    'dist/vici/other.test.mjs': seen('', 1),
  };
  const { status, stdout, read } = run(t, files);
  assert.equal(status, 0, stdout);
  assert.match(stdout, /tests 7\n/);
  for (const path of Object.keys(files)) assert.ok(read('durations.txt').includes(path), path);
});

test('what is skipped is named, and a failure with CI=true', (t) => {
  const text = passes.replace("'passes'", "'needs a peer', { skip: 'no peer here' }");
  const files = { 'build/interop/one.test.mjs': text, 'dist/sa/other.test.mjs': passes };
  const here = run(t, files);
  assert.equal(here.status, 0);
  assert.match(here.stdout, /skipped here:\n {2}needs a peer # SKIP no peer here\n/);
  assert.equal(run(t, files, { env: { CI: 'true' } }).status, 1);
});

test('what passed only when it was played once more is named at the end', (t) => {
  const text = passes.replace('() => {}', "(t) => t.diagnostic('a scenario failed at first: no answer')");
  const files = { 'build/interop/one.test.mjs': text, 'dist/sa/other.test.mjs': passes };
  const { status, stdout } = run(t, files);
  assert.equal(status, 0);
  assert.match(stdout, /look into:\n {2}a scenario failed at first: no answer\n$/);
  assert.doesNotMatch(run(t, { 'dist/sa/other.test.mjs': passes }).stdout, /look into/);
});

test('a filter is a part of the path of a source, and one that nothing matches is a failure', (t) => {
  const files = {
    'dist/sa/one.test.js': passes,
    'dist/wire/other.test.js': passes,
    'package.json': '{"type":"module"}',
  };
  const one = run(t, files, { words: ['src/sa/one.test.ts'] });
  assert.equal(one.status, 0, one.stderr);
  assert.match(one.stdout, /tests 1\n/);
  assert.equal(run(t, files, { words: ['src/ike'] }).status, 1);
});
