// npm run check fails on every violation it is there for, planted in a copy of the tree, and when it looked at nothing.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { overrides, table } from './rooms.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const sources = ['src', 'fuzz', 'bench', 'interop', 'tools'];
const left = /^fuzz\/corpus(\/|$)|\.js\.map$|^\.git$|\/node_modules$/;

/** A copy of `parts` of the tree in a folder of its own, with `files` planted in it. */
function plant(parts, files) {
  const folder = mkdtempSync(join(tmpdir(), 'wayward-check-'));
  const inCopy = (path) => !left.test(path.slice(root.length + 1));
  for (const part of parts.filter((name) => existsSync(join(root, name)))) {
    cpSync(join(root, part), join(folder, part), {
      recursive: true,
      force: true,
      preserveTimestamps: true,
      filter: inCopy,
    });
  }
  for (const name of ['biome.json', 'knip.json', 'package.json', 'tsconfig.json', '.gitignore']) {
    cpSync(join(root, name), join(folder, name));
  }
  for (const name of ['base', 'core', 'harness']) {
    cpSync(join(root, `tsconfig.${name}.json`), join(folder, `tsconfig.${name}.json`));
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

function check(folder, ...steps) {
  const result = spawnSync(process.execPath, ['tools/check.mjs', ...steps], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  return { status: result.status, output: `${result.stdout}${result.stderr}` };
}

/** Every `FILE:LINE RULE` that Biome reports as an error. */
function reported(output) {
  const found = new Set();
  for (const [, place, rule] of output.matchAll(/^(\S+?)(?::\d+)? (\S+).* ━{3,}$/gm))
    found.add(`${place} ${rule}`);
  return found;
}

/** A file of lines, each of which breaks `rule`. */
function planted(name, rule, lines) {
  return {
    name,
    text: `${lines.join('\n')}\n`,
    rule,
    places: lines.map((_, index) => `${name}:${index + 1}`),
  };
}

/** Every way to import something. */
function imports(specifier, id) {
  return [
    `import * as bound${id} from '${specifier}';`,
    `import type * as Type${id} from '${specifier}';`,
    `export * as exported${id} from '${specifier}';`,
    `export type { Nothing as Exported${id} } from '${specifier}';`,
    `export const dynamic${id} = import('${specifier}');`,
  ];
}

const { rooms } = table;
const coreRooms = rooms.filter((room) => room.core);

function violations() {
  const all = [];
  for (const room of rooms) {
    const foreign = rooms.filter(({ name }) => name !== room.name && !room.imports.includes(name));
    const lines = foreign.flatMap(({ name }, index) => [
      ...imports(`#${name}`, index),
      `import 'wayward/${name}';`,
    ]);
    lines.push(
      "import '#wire/reader.ts';",
      "import 'wayward/wire/reader';",
      "import '../../dist/wire/reader.js';",
    );
    all.push(planted(`src/${room.name}/planted-import.ts`, 'lint/style/noRestrictedImports', lines));
  }
  for (const room of coreRooms) {
    // Where Biome looks at values only, the types of Node are missing from the core rooms' own type check (below).
    const [bound, , exported, , dynamic] = imports('node:fs', 0);
    all.push(
      room.nodeModules
        ? planted(`src/${room.name}/planted-node.ts`, 'lint/style/noRestrictedImports', imports('node:fs', 0))
        : planted(`src/${room.name}/planted-node.ts`, 'lint/correctness/noNodejsModules', [
            bound,
            exported,
            dynamic,
          ]),
    );
    const globals = table.restrictedGlobals.map(
      (name, index) => `export const a${index}: unknown = ${name};`,
    );
    all.push(planted(`src/${room.name}/planted-global.ts`, 'lint/style/noRestrictedGlobals', globals));
    const random = ['export const a: number = Math.random();'];
    all.push(planted(`src/${room.name}/planted-random.ts`, 'plugin', random));
  }
  all.push(planted('src/crypto/planted-bare.ts', 'lint/style/useNodejsImportProtocol', ["import 'fs';"]));
  all.push(
    planted('src/wire/planted-cycle-a.ts', 'lint/suspicious/noImportCycles', [
      "import './planted-cycle-b.ts';",
    ]),
  );
  all.push(
    planted('src/wire/planted-cycle-b.ts', 'lint/suspicious/noImportCycles', [
      "import './planted-cycle-a.ts';",
    ]),
  );
  all.push(planted('src/wire/planted-any.ts', 'lint/suspicious/noExplicitAny', ['export type A = any;']));
  return all;
}

const format = { name: 'src/wire/planted-format.ts', text: 'export const a: number    = 1\n' };

/** What each room may import. */
const permitted = rooms.map((room) => ({
  name: `src/${room.name}/permitted.ts`,
  text: [...room.imports.map((name) => `import '#${name}';`), ''].join('\n'),
}));

describe('format, lint and rooms', () => {
  const all = violations();
  let folder;
  let result;
  let found;
  before(() => {
    const files = [...all, ...permitted, format].map(({ name, text }) => [name, text]);
    files.push([
      'src/wire/esp/planted-relative.ts',
      "import '../../ike/index.ts';\nimport '../reader.ts';\n",
    ]);
    files.push(['src/wire/planted-relative.ts', "export type T = typeof import('../ike/index.ts');\n"]);
    files.push(['src/crypto/permitted-node.ts', "import 'node:crypto';\n"]);
    // Rules go by path: what else is in the tree does not matter to them.
    folder = plant(['tools'], Object.fromEntries(files));
    result = check(folder, 'format, lint and rooms', 'relative imports');
    found = reported(result.output);
  });
  after(() => rmSync(folder, { recursive: true }));

  test('the check fails', () => {
    assert.equal(result.status, 1);
    assert.match(result.output, /^failed format, lint and rooms \(\d+ files\)$/m);
    assert.match(result.output, /^failed relative imports stay in their room \(\d+ files\)$/m);
  });

  for (const { name, rule, places } of all) {
    test(`${name} breaks ${rule}, each line of it`, () => {
      const missed = places.filter((place) => !found.has(`${place} ${rule}`));
      assert.deepEqual(missed, []);
    });
  }

  test('a badly formatted file is named', () => assert.ok(found.has(`${format.name} format`)));

  test('what the table permits is no violation', () => {
    const wrong = [...found].filter((one) => /\/permitted/.test(one) && /noRestricted|noNodejs/.test(one));
    assert.deepEqual(wrong, []);
  });

  test('a relative import into another room is named, one within the room is none', () => {
    const named = [...result.output.matchAll(/^(\S+relative\S+) \S+ lies outside of room wire$/gm)].map(
      ([, place]) => place,
    );
    assert.deepEqual(named.sort(), ['src/wire/esp/planted-relative.ts:1', 'src/wire/planted-relative.ts:1']);
  });
});

describe('types, environment, dead files and dependencies', () => {
  let folder;
  let result;
  before(() => {
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    manifest.dependencies['undici-types'] = '*';
    // What is built already need not be built again.
    folder = plant([...sources, 'dist', 'build'], {
      'src/wire/planted-type-error.ts': "export const a: number = 'one';\n",
      'src/wire/planted-environment.ts': 'export const a: number = process.pid;\n',
      'src/wire/planted-node-type.ts': "export type { Stats } from 'node:fs';\n",
      'package.json': JSON.stringify(manifest, null, 2),
    });
    result = check(folder, 'types', 'core rooms', 'dead files');
  });
  after(() => rmSync(folder, { recursive: true }));

  test('all three steps fail', () => {
    assert.equal(result.status, 1);
    for (const step of ['types', 'core rooms without environment', 'dead files, exports and dependencies']) {
      assert.match(result.output, new RegExp(`^failed ${step} \\([1-9]\\d* files\\)$`, 'm'));
    }
  });

  test('a type error is named', () => {
    assert.match(result.output, /planted-type-error\.ts\(1,14\): error TS2322/);
  });

  test('a core room that reaches for the environment is named, though it is well typed where Node is known', () => {
    const errors = result.output.match(
      /planted-environment\.ts\(1,26\): error TS\d+: Cannot find name 'process'/g,
    );
    assert.equal(errors?.length, 1);
    assert.match(result.output, /planted-node-type\.ts\(1,28\): error TS\d+: Cannot find name .node:fs./);
  });

  test('a file that nobody imports is named', () => {
    assert.match(result.output, /Unused files[\s\S]*src\/wire\/planted-environment\.ts/);
  });

  test('a dependency that nobody imports is named', () => {
    assert.match(result.output, /Unused dependencies[\s\S]*undici-types/);
  });
});

test('a step that looked at no file has failed', () => {
  const biome = JSON.parse(readFileSync(join(root, 'biome.json'), 'utf8'));
  biome.files.includes = ['nothing/**'];
  biome.formatter.enabled = false;
  const nothing = JSON.stringify({ extends: '../tsconfig.base.json', include: ['nothing'] });
  const core = JSON.stringify({ extends: './tsconfig.base.json', include: ['nothing'] });
  const knip = JSON.stringify({ entry: ['nothing/*.ts'], project: ['nothing/*.ts'] });
  const folder = plant(['tools'], {
    'biome.json': JSON.stringify(biome),
    'src/tsconfig.json': nothing,
    'tsconfig.core.json': core,
    'knip.json': knip,
    // Its scripts would be entries of their own.
    'package.json': JSON.stringify({ name: 'wayward', type: 'module' }),
  });
  try {
    const { status, output } = check(folder);
    assert.equal(status, 1);
    const lines = output.match(/^(ok|failed) .* \(\d+ files\)$/gm);
    assert.equal(lines?.length, 5);
    for (const line of lines) assert.match(line, /^failed .* \(0 files\)$/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the check as it is asked for in package.json is this one', () => {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  assert.equal(manifest.scripts.check, 'node tools/check.mjs');
});

test("biome.json's overrides are those that follow from tools/rooms.json", () => {
  const biome = JSON.parse(readFileSync(join(root, 'biome.json'), 'utf8'));
  assert.deepEqual(biome.overrides, overrides());
});

test('a room imports only rooms above it', () => {
  for (const [index, room] of rooms.entries()) {
    const above = rooms.slice(0, index).map(({ name }) => name);
    assert.deepEqual(
      room.imports.filter((name) => !above.includes(name)),
      [],
    );
  }
});

test('tsconfig.core.json has every core room but those that need node modules', () => {
  const core = JSON.parse(readFileSync(join(root, 'tsconfig.core.json'), 'utf8'));
  const pure = coreRooms.filter((room) => !room.nodeModules).map(({ name }) => `src/${name}`);
  assert.deepEqual(core.include.toSorted(), pure.toSorted());
});
