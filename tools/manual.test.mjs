// The manual pages are what --help says now, and groff has nothing against them.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { expected, listed } from './generate-manual.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const folder = join(root, 'docs/man');
const pages = readdirSync(folder);
/** Neither colours nor overstriking. */
const plainly = ['-P-c', '-P-b', '-P-u'];
const groff = spawnSync('groff', ['--version']).error === undefined;

test('docs/man is what node tools/generate-manual.mjs writes', () => {
  assert.deepEqual(pages.toSorted(), [...expected.keys()].toSorted());
  for (const name of pages) assert.equal(readFileSync(join(folder, name), 'utf8'), expected.get(name), name);
});

test('package.json names every page, so that npm installs it', () => {
  assert.deepEqual(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).man, listed);
});

test('groff prints each page without a warning, and the options are there to be read', {
  skip: !groff && 'groff is not installed',
}, () => {
  for (const name of pages) {
    const { status, stdout, stderr } = spawnSync(
      'groff',
      ['-man', '-Tascii', '-ww', ...plainly, join(folder, name)],
      {
        encoding: 'utf8',
      },
    );
    assert.equal(status, 0);
    assert.equal(stderr, '', name);
    assert.match(stdout, /NAME\n +wayward[\w-]* +- /);
    assert.match(stdout, /--help/);
  }
  const run = spawnSync('groff', ['-man', '-Tascii', ...plainly, join(folder, 'wayward-run.1')], {
    encoding: 'utf8',
  });
  assert.match(
    run.stdout,
    /--config file\n +Configuration +in +swanctl\.conf +syntax\. +Default:\s+\/etc\/swanctl/,
  );
});
