// The package as it would be published: every export resolves and is in it, and nothing is in it that nobody needs.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const read = (name) => readFileSync(join(root, name), 'utf8');
const manifest = JSON.parse(read('package.json'));
const rooms = readdirSync(join(root, 'src')).filter((name) =>
  existsSync(join(root, 'src', name, 'index.ts')),
);
const exported = Object.keys(manifest.exports).filter((name) => name !== './package.json');

describe('exports', () => {
  test('every room is exported by its name and nothing else is', () => {
    assert.deepEqual(exported.toSorted(), rooms.map((room) => `./${room}`).toSorted());
  });

  for (const room of rooms) {
    test(`wayward/${room} resolves to its values and its types`, async () => {
      const values = await import(`wayward/${room}`);
      assert.ok(Object.keys(values).length > 0);
      const types = manifest.exports[`./${room}`].replace(/\.js$/, '.d.ts');
      assert.match(read(types), /export/);
    });
  }

  test('files inside a room cannot be imported', async () => {
    await assert.rejects(import('wayward/wire/reader.js'), { code: 'ERR_PACKAGE_PATH_NOT_EXPORTED' });
  });
});

describe('the packed package', () => {
  let files;
  before(() => {
    const result = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
    });
    assert.equal(result.status, 0, result.stderr);
    const [{ files: packed }] = Object.values(JSON.parse(result.stdout));
    files = packed.map(({ path }) => path);
  });

  test('holds programs, types, documents and the licence, and nothing else', () => {
    const wanted =
      /^(LICENSE|README\.md|CHANGELOG\.md|package\.json|docs\/.+\.(md|json)|docs\/man\/.+\.1|packaging\/systemd\/wayward\.(service|sysusers)|dist\/[a-z-]+\/.+\.(js|d\.ts)|dist\/dashboard\/(index\.html|assets\/[\w-]+\.(js|css|svg)))$/;
    assert.deepEqual(
      files.filter((file) => !wanted.test(file)),
      [],
    );
    assert.deepEqual(
      files.filter((file) => /\.test\.|\/testing\//.test(file)),
      [],
    );
  });

  test('holds the unit that its documents tell how to install', () => {
    for (const name of ['wayward.service', 'wayward.sysusers'])
      assert.ok(files.includes(`packaging/systemd/${name}`), name);
  });

  test('holds what exports and bin name', () => {
    const named = rooms.map((room) => manifest.exports[`./${room}`]);
    for (const target of [...named, ...Object.values(manifest.bin)]) {
      assert.ok(files.includes(target.slice(2)), `${target} is not in the package`);
    }
  });

  test('holds every file that is built from a source which is no test', () => {
    const sources = readdirSync(join(root, 'src'), { recursive: true })
      .map(String)
      .filter((name) => name.endsWith('.ts') && !/\.test\.ts$|\/testing\//.test(name))
      // The command is in the package as it is bundled.
      .filter((name) => !name.startsWith('cli/'));
    assert.ok(sources.length > 100);
    for (const source of sources) {
      assert.ok(files.includes(`dist/${source.replace(/\.ts$/, '.js')}`), `${source} is not in the package`);
    }
  });
});

describe('links to source maps', () => {
  const place = mkdtempSync(join(tmpdir(), 'wayward-pack-'));
  after(() => rmSync(place, { recursive: true, force: true }));
  const programs = () =>
    readdirSync(join(place, 'dist'), { recursive: true })
      .map((name) => join(place, 'dist', String(name)))
      .filter((name) => name.endsWith('.js'))
      .toSorted()
      .map((name) => readFileSync(name, 'utf8'));

  test('are not in what is packed, whose maps are not, and are in the clone afterwards as they were before', () => {
    for (const name of ['package.json', 'tools/source-map-links.mjs', 'dist/wire', 'dist/bundle'])
      cpSync(join(root, name), join(place, name), { recursive: true });
    const before = programs();
    assert.ok(before.filter((text) => text.includes('sourceMappingURL')).length > 50);
    const pack = spawnSync('npm', ['pack', '--pack-destination', place], { cwd: place, encoding: 'utf8' });
    assert.equal(pack.status, 0, pack.stderr);
    const tarball = readdirSync(place).find((name) => name.endsWith('.tgz'));
    const unpacked = join(place, 'unpacked');
    mkdirSync(unpacked);
    assert.equal(spawnSync('tar', ['xf', join(place, tarball), '-C', unpacked]).status, 0);
    const files = readdirSync(unpacked, { recursive: true }).map((name) => join(unpacked, String(name)));
    const packed = files.filter((name) => name.endsWith('.js'));
    assert.ok(packed.length > 50);
    assert.deepEqual(
      packed.filter((name) => /^\/\/# sourceMappingURL=/m.test(readFileSync(name, 'utf8'))),
      [],
    );
    assert.deepEqual(
      files.filter((name) => /\.map$|without-source/.test(name)),
      [],
    );
    assert.deepEqual(programs(), before);
  });
});

test('the command can be run as a file', () => {
  assert.match(read(manifest.bin.wayward), /^#!\/usr\/bin\/env node\n/);
});

test('runtime dependencies are pinned, and Node is as old as engines says at most', () => {
  for (const version of Object.values({ ...manifest.dependencies, ...manifest.devDependencies })) {
    assert.match(version, /^\d+\.\d+\.\d+$/);
  }
  assert.equal(manifest.engines.node, '>=20.19');
});
