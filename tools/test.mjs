// Runs every test that this machine can, names what was skipped and why. With CI=true a skip is a failure.
// Usage: npm test [-- FILTER...]   FILTER is a part of a test file's path.
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What waits for peers goes beside everything else; the simulation, which fills all cores, comes last. */
function rank(file) {
  return file.startsWith(join('build', 'interop')) ? 0 : file.startsWith(join('build', 'sim')) ? 2 : 1;
}

// The built tests run, and are asked for by their sources.
const filters = process.argv
  .slice(2)
  .filter((word) => !word.startsWith('-'))
  .map((word) => word.replace(/^src\//, 'dist/').replace(/\.ts$/, '.js'));
const files = ['dist', 'build', 'tools']
  .flatMap((folder) => {
    try {
      return readdirSync(folder, { recursive: true }).map((name) => join(folder, String(name)));
    } catch {
      return [];
    }
  })
  .filter((file) => /\.test\.m?js$/.test(file))
  .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)))
  .sort((one, other) => rank(one) - rank(other) || (one < other ? -1 : 1));
if (files.length === 0) {
  console.error(`no test file matches ${filters.join(' ')}`);
  process.exit(1);
}

mkdirSync('test-output', { recursive: true });
const report = 'test-output/report.tap';
const child = spawn(
  process.execPath,
  [
    '--enable-source-maps',
    '--test',
    '--test-concurrency=2',
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    '--test-reporter=tap',
    `--test-reporter-destination=${report}`,
    ...files,
  ],
  { stdio: 'inherit' },
);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code) => {
  const skipped = readFileSync(report, 'utf8')
    .split('\n')
    .filter((line) => /# SKIP/.test(line));
  if (skipped.length > 0) {
    console.log('\nskipped here:');
    for (const line of skipped) console.log(`  ${line.trim().replace(/^(not )?ok \d+ - /, '')}`);
    if (process.env.CI === 'true') {
      console.error('a skipped test is a failure when CI=true');
      process.exit(1);
    }
  }
  process.exit(code ?? 1);
});
