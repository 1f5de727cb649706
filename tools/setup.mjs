// Brings a clone to a runnable state: installs what package-lock.json names and builds, each only when needed.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { restoreLinks } from './source-map-links.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
process.chdir(root);

function run(command, args) {
  const result = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (result.status !== 0) process.exit(result.status ?? 1);
}

function mtime(path) {
  return existsSync(path) ? statSync(path).mtimeMs : 0;
}

// Offline starts must work: npm is asked only when the lockfile is newer than what it installed.
if (mtime('package-lock.json') > mtime('node_modules/.package-lock.json')) {
  run('npm', ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']);
}

/** The newest change in a folder. */
function newest(folder) {
  return Math.max(
    ...readdirSync(folder, { recursive: true, withFileTypes: true }).map((entry) =>
      mtime(join(entry.parentPath, entry.name)),
    ),
  );
}

// A deleted source must not leave its old output behind: the test runner would still find it.
function prune(output, source) {
  if (!existsSync(output)) return;
  for (const entry of readdirSync(output, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.js')) continue;
    const js = join(entry.parentPath, entry.name);
    const ts = join(source, relative(output, js)).replace(/\.js$/, '.ts');
    const made = ['dashboard', 'bundle'].some((folder) => js.startsWith(join('dist', folder)));
    if (existsSync(ts) || made) continue;
    for (const suffix of ['.js', '.js.map', '.d.ts']) rmSync(js.replace(/\.js$/, suffix), { force: true });
  }
}
prune('dist', 'src');
prune('build', '.');

restoreLinks('dist');
run(process.execPath, ['node_modules/typescript/bin/tsc', '-b']);

const command = 'dist/bundle/main.js';
if (mtime(command) < Math.max(newest('src'), mtime('tools/bundle.mjs'), mtime('package-lock.json'))) {
  run(process.execPath, ['tools/bundle.mjs']);
}

const page = 'dist/dashboard/index.html';
if (mtime(page) < Math.max(newest('dashboard'), mtime('package-lock.json'))) {
  run(process.execPath, ['node_modules/vite/bin/vite.js', 'build', 'dashboard']);
}
