// npm install --global wayward, from a packed tarball into a prefix of its own: what is installed works.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const place = mkdtempSync(join(tmpdir(), 'wayward-install-'));
const command = join(place, 'prefix/bin/wayward');
const installed = join(place, 'prefix/lib/node_modules/wayward');

function run(program, ...words) {
  return spawnSync(program, words, { cwd: place, encoding: 'utf8', timeout: 300_000 });
}

before(() => {
  mkdirSync(join(place, 'prefix'));
  const pack = spawnSync('npm', ['pack', '--ignore-scripts', '--pack-destination', place], {
    cwd: root,
    encoding: 'utf8',
  });
  assert.equal(pack.status, 0, pack.stderr);
  const tarball = join(place, `wayward-${version}.tgz`);
  // No script of any package may be needed.
  const words = [
    'install',
    '--global',
    '--prefix',
    join(place, 'prefix'),
    '--ignore-scripts',
    '--prefer-offline',
  ];
  const install = run('npm', ...words, '--no-audit', '--no-fund', tarball);
  assert.equal(install.status, 0, install.stderr);
});

after(() => rmSync(place, { recursive: true, force: true }));

test('the command tells its version, its help and what this machine can do', () => {
  assert.equal(run(command, '--version').stdout, `${version}\n`);
  assert.match(run(command, '--help').stdout, /^ {2}doctor /m);
  const { checks } = JSON.parse(run(command, 'doctor', '--json').stdout);
  assert.ok(checks.length > 10);
  assert.equal(checks.find(({ name }) => name === 'fast-path').verdict, 'ok');
});

test('it plays the lab, so that engine, cryptography and data plane are there', () => {
  const { status, stdout, stderr } = run(
    command,
    ...['lab', 'recovery', '--seeds', '1', '--scenario', 'both-restart', '--policy', 'full-ladder', '--json'],
  );
  assert.equal(status, 0, stderr);
  assert.ok(JSON.parse(stdout).cells.length > 0);
});

test('a daemon with a mistake in its configuration says where it is', () => {
  const file = join(place, 'swanctl.conf');
  writeFileSync(file, 'connections { a { remote_adrs = 192.0.2.1\n} }\n');
  const { status, stderr } = run(command, 'run', '--config', file);
  assert.equal(status, 2);
  assert.match(stderr, /swanctl\.conf:1:19: unknown option "remote_adrs".*did you mean "remote_addrs"\?/);
});

test('the manual pages are where man looks', () => {
  const pages = readdirSync(join(place, 'prefix/share/man/man1'));
  assert.ok(pages.includes('wayward.1'));
  assert.ok(pages.includes('wayward-run.1'));
});

test('rooms can be imported by a program beside it', () => {
  const program =
    "import('wayward/wire').then(({ decodeIkeMessage }) => console.log(typeof decodeIkeMessage))";
  mkdirSync(join(place, 'node_modules'));
  spawnSync('ln', ['-s', installed, join(place, 'node_modules/wayward')]);
  assert.equal(run(process.execPath, '--eval', program).stdout, 'function\n');
});

const rooms = Object.keys(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).exports)
  .filter((name) => name !== './package.json')
  .map((name) => name.slice(2));

test('CommonJS has every room by require', () => {
  const file = join(place, 'all.cjs');
  writeFileSync(
    file,
    rooms.map((room) => `console.log(Object.keys(require('wayward/${room}')).length);\n`).join(''),
  );
  const { stdout, stderr } = run(process.execPath, file);
  assert.equal(stderr, '');
  const counts = stdout.trim().split('\n').map(Number);
  assert.equal(counts.length, rooms.length);
  assert.ok(counts.every((count) => count > 0));
});

test('types hold for whoever checks those of libraries, too, whichever way modules are found', () => {
  const typed = join(place, 'typed');
  mkdirSync(join(typed, 'node_modules'), { recursive: true });
  for (const [name, target] of [
    ['wayward', installed],
    ['@types', join(root, 'node_modules/@types')],
    ['undici-types', join(root, 'node_modules/undici-types')],
  ]) {
    spawnSync('ln', ['-s', target, join(typed, 'node_modules', name)]);
  }
  writeFileSync(join(typed, 'package.json'), '{ "type": "module" }');
  const names = rooms.map((room) => [room, room.replaceAll('-', '_')]);
  const imports = names.map(([room, name]) => `import * as ${name} from 'wayward/${room}';\n`);
  writeFileSync(
    join(typed, 'all.ts'),
    `${imports.join('')}console.log(${names.map(([, name]) => name).join()});\n`,
  );
  writeFileSync(
    join(typed, 'one.cts'),
    "import wire = require('wayward/wire');\nconsole.log(wire.decodeIp);\n",
  );
  const compile = (moduleResolution, module, ...files) => {
    const options = [
      '--noEmit',
      '--strict',
      '--skipLibCheck',
      'false',
      '--types',
      'node',
      '--target',
      'es2022',
    ];
    const words = [...options, '--module', module, '--moduleResolution', moduleResolution, ...files];
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const { status, stdout } = spawnSync(process.execPath, [tsc, ...words], { cwd: typed, encoding: 'utf8' });
    assert.equal(status, 0, `${moduleResolution}: ${stdout}`);
  };
  compile('node16', 'node16', 'all.ts');
  compile('nodenext', 'nodenext', 'all.ts', 'one.cts');
  compile('bundler', 'esnext', 'all.ts');
});

test('without the foreign-call library it says so in one line', () => {
  const modules = join(installed, 'node_modules');
  const koffi = existsSync(modules) ? modules : join(place, 'prefix/lib/node_modules');
  for (const name of readdirSync(koffi))
    if (/koffi/.test(name)) rmSync(join(koffi, name), { recursive: true });
  const { status, stdout, stderr } = run(command, 'doctor');
  assert.equal(status, 1);
  assert.equal(stdout, '');
  assert.match(stderr, /^wayward: koffi cannot be loaded here: .*\n$/);
});
