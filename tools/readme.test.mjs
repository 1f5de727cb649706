// The programs and configurations of README.md and docs/ do what they say, and links lead somewhere.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadConfigurationFile } from '../dist/daemon/index.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const blocks = (language, name = 'README.md') =>
  [...readFileSync(join(root, name), 'utf8').matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)]
    .filter(([, found]) => found === language)
    .map(([, , text]) => text);

test('every program compiles under the strictest types and prints what stands below it', () => {
  const programs = ['README.md', 'docs/library.md'].flatMap((name) => blocks('ts', name));
  const printed = ['README.md', 'docs/library.md'].flatMap((name) => blocks('text', name));
  assert.ok(programs.length >= 8);
  assert.equal(printed.length, programs.length);
  // Inside the package, so that it finds itself by its name as it would in somebody's node_modules.
  mkdirSync(join(root, 'test-output'), { recursive: true });
  const folder = mkdtempSync(join(root, 'test-output', 'readme-'));
  try {
    for (const [index, text] of programs.entries()) writeFileSync(join(folder, `program-${index}.ts`), text);
    const compilerOptions = { composite: false, declaration: false, isolatedDeclarations: false };
    const configuration = { extends: '../../tsconfig.base.json', compilerOptions, include: ['*.ts'] };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(configuration));
    const tsc = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder], {
      encoding: 'utf8',
    });
    assert.equal(tsc.status, 0, tsc.stdout);
    for (const [index, expected] of printed.entries()) {
      const words = [process.execPath, join(folder, `program-${index}.js`)];
      // A device of the kernel is for root, in a network of its own.
      if (programs[index].includes("'wayward/linux'")) {
        if (process.getuid() !== 0) continue;
        words.unshift('unshare', '--net');
      }
      const run = spawnSync(words[0], words.slice(1), { encoding: 'utf8', timeout: 60_000 });
      assert.equal(run.stderr, '');
      assert.equal(run.stdout, expected);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the configuration loads without a warning', () => {
  const configurations = blocks('swanctl');
  assert.equal(configurations.length, 1);
  const folder = mkdtempSync(join(tmpdir(), 'wayward-readme-'));
  try {
    const file = join(folder, 'swanctl.conf');
    writeFileSync(file, configurations[0]);
    const { configuration, warnings } = loadConfigurationFile(file);
    assert.deepEqual(warnings, []);
    assert.equal(configuration.connections.length, 1);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe('links', () => {
  for (const name of [
    'README.md',
    'CONTRIBUTING.md',
    'docs/architecture.md',
    'docs/dependencies.md',
    'docs/library.md',
    'docs/operate.md',
  ]) {
    test(`of ${name} lead to files`, () => {
      const text = readFileSync(join(root, name), 'utf8');
      const targets = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, target]) => target);
      const dead = targets.filter((target) => !existsSync(join(root, dirname(name), target)));
      assert.deepEqual(dead, []);
    });
  }
});

test('the commands that README.md and docs/operate.md name exist', () => {
  const help = spawnSync(process.execPath, [join(root, 'dist/bundle/main.js'), '--help'], {
    encoding: 'utf8',
  });
  const operate = readFileSync(join(root, 'docs/operate.md'), 'utf8');
  const named = [
    ...[...readme.matchAll(/^ {4}wayward (\w+)/gm)].map(([, command]) => command),
    ...[...operate.matchAll(/(?:^ *# |`)wayward ([a-z]+)/gm)].map(([, command]) => command),
  ];
  assert.ok(named.length >= 15);
  for (const command of named) assert.match(help.stdout, new RegExp(`^ {2}${command} `, 'm'));
});
