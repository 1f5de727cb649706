// Runs every test that this machine can, names what was skipped and why. With CI=true a skip is a failure.
// Usage: npm test [-- FILTER...]   FILTER is a part of a test file's path.
import { setMaxListeners } from 'node:events';
import { createWriteStream, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { run } from 'node:test';
import { spec, tap } from 'node:test/reporters';
import { oneReport } from './one-report.mjs';
import { together } from './together.mjs';

const cores = availableParallelism();

/** These wait for peers, guests and browsers more than they compute. What takes longest begins first. */
const waiting = [
  'build/interop/kernel/plane',
  'build/interop/scenarios',
  'build/interop/',
  'build/dashboard/',
];
/** Fills all cores, and leaves them to whoever else wants them. */
const last = 'build/sim/';

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
  .sort();
if (files.length === 0) {
  console.error(`no test file matches ${filters.join(' ')}`);
  process.exit(1);
}

const place = (file) => waiting.findIndex((part) => file.startsWith(part));
const ofWaiting = files.filter((file) => place(file) >= 0).sort((one, other) => place(one) - place(other));
const ofComputing = files
  .filter((file) => place(file) < 0)
  .sort((one, other) => Number(one.startsWith(last)) - Number(other.startsWith(last)));

mkdirSync('test-output', { recursive: true });
const grouped = mkdtempSync('test-output/together-');
process.once('exit', () => rmSync(grouped, { recursive: true }));
const stop = new AbortController();
// Every file listens.
setMaxListeners(0, stop.signal);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop.abort());

/** In this order: `node --test` would go by their names. One of them waits for something as a rule. */
function runFiles(some) {
  return run({ files: some.map((file) => resolve(file)), concurrency: cores + 1, signal: stop.signal });
}

const runs = [together(ofComputing, grouped), ofWaiting].filter((some) => some.length > 0).map(runFiles);
const tests = Readable.from(oneReport(runs));
tests.compose(tap).pipe(createWriteStream('test-output/report.tap'));
tests.compose(spec).pipe(process.stdout);

// Until all is told.
process.exitCode = 1;
let failed = false;
tests.on('end', () => {
  process.exitCode = failed ? 1 : 0;
});

const skipped = [];
/** What was played once more, and why: a bug may show itself seldom. */
const secondTries = [];
/** Of the tests of each file. */
const durationsMs = new Map();
tests.on('data', ({ type, data }) => {
  if (type === 'test:diagnostic' && data.message.includes(' failed at first: '))
    secondTries.push(data.message);
  if (type !== 'test:pass' && type !== 'test:fail') return;
  const { name, skip, todo, file, nesting, details } = data;
  if (type === 'test:fail' && (todo === undefined || todo === false)) failed = true;
  if (skip !== undefined && skip !== false) skipped.push(`${name} # SKIP ${skip}`);
  if (nesting > 0 || file === undefined) return;
  const path = relative(process.cwd(), file);
  durationsMs.set(path, (durationsMs.get(path) ?? 0) + details.duration_ms);
});
process.once('exit', () => {
  const lines = [...durationsMs]
    .sort(([, one], [, other]) => other - one)
    .map(([path, ms]) => `${(ms / 1_000).toFixed(1).padStart(7)} s  ${path}\n`);
  writeFileSync('test-output/durations.txt', lines.join(''));
  if (secondTries.length > 0) console.log('\nplayed twice here, which somebody should look into:');
  for (const line of secondTries) console.log(`  ${line}`);
  if (skipped.length === 0) return;
  console.log('\nskipped here:');
  for (const line of skipped) console.log(`  ${line}`);
  if (process.env.CI === 'true') {
    console.error('a skipped test is a failure when CI=true');
    process.exitCode = 1;
  }
});
