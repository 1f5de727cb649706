// npm run check: format, lint and import rules (Biome), types, the core rooms' purity, dead files (knip).
// Every step fails if it looked at nothing. Usage: node tools/check.mjs [STEP...]   STEP is a part of a step's name.
import { spawnSync } from 'node:child_process';

const tsc = 'node_modules/typescript/bin/tsc';

/** Counts the sources that `tsc` lists. */
function sources(output) {
  return output.split('\n').filter((line) => /\/(src|fuzz|bench|interop)\/.*\.ts$/.test(line)).length;
}

/** Each step is one or more commands; `looked` counts from their joint output what they looked at. */
const steps = [
  {
    name: 'format, lint and rooms',
    commands: [
      ['node_modules/@biomejs/biome/bin/biome', 'ci', '--colors=off', '--max-diagnostics=none', '.'],
    ],
    // biome.json itself is always among them.
    looked: (output) => Number(/Checked (\d+) files?/.exec(output)?.[1] ?? 1) - 1,
  },
  {
    name: 'relative imports stay in their room',
    commands: [['tools/room-borders.mjs']],
    looked: (output) => Number(/looked at (\d+) files?/.exec(output)?.[1] ?? 0),
  },
  {
    name: 'types',
    commands: [
      [tsc, '-b'],
      [tsc, '-p', 'dashboard'],
      [tsc, '-p', 'src', '--listFilesOnly'],
    ],
    looked: sources,
    lists: true,
  },
  {
    name: 'core rooms without environment',
    commands: [[tsc, '-p', 'tsconfig.core.json', '--listFiles']],
    looked: sources,
    lists: true,
  },
  {
    name: 'dead files, exports and dependencies',
    commands: [
      ['node_modules/knip/bin/knip.js', '--reporter', 'symbols', '--reporter', './tools/knip-count.mjs'],
    ],
    looked: (output) => Number(/looked at (\d+) files?/.exec(output)?.[1] ?? 0),
  },
];

const wanted = process.argv.slice(2);
const chosen = steps.filter(({ name }) => wanted.length === 0 || wanted.some((word) => name.includes(word)));
let failed = chosen.length === 0;
for (const step of chosen) {
  let output = '';
  let ok = true;
  for (const command of step.commands) {
    const result = spawnSync(process.execPath, command, { encoding: 'utf8', maxBuffer: 2 ** 28 });
    output += `${result.stdout}${result.stderr}`;
    ok &&= result.status === 0;
  }
  const looked = step.looked(output);
  ok &&= looked > 0;
  failed ||= !ok;
  if (!ok) console.log(step.lists ? output.replace(/^\/.*\n/gm, '') : output);
  console.log(`${ok ? 'ok    ' : 'failed'} ${step.name} (${looked} files)`);
}
// Not process.exit, which would cut off what a pipe has not taken yet.
process.exitCode = failed ? 1 : 0;
