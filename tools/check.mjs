// npm run check: format, lint and import rules (Biome), types, the core rooms' purity, dead files (knip).
// Every step fails if it looked at nothing.
import { spawnSync } from 'node:child_process';

const steps = [
  {
    name: 'format, lint and rooms',
    command: ['node_modules/@biomejs/biome/bin/biome', 'ci', '--max-diagnostics=100', '.'],
    looked: (output) => Number(/Checked (\d+) files?/.exec(output)?.[1] ?? 0),
  },
  { name: 'types', command: ['node_modules/typescript/bin/tsc', '-b'] },
  {
    name: 'core rooms without environment',
    command: ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.core.json', '--listFiles'],
    looked: (output) => output.split('\n').filter((line) => /\/src\/.*\.ts$/.test(line)).length,
    quiet: true,
  },
  { name: 'dead files, exports and dependencies', command: ['node_modules/knip/bin/knip.js'] },
];

let failed = false;
for (const step of steps) {
  const result = spawnSync(process.execPath, step.command, { encoding: 'utf8' });
  const output = `${result.stdout}${result.stderr}`;
  const looked = step.looked ? step.looked(output) : undefined;
  const ok = result.status === 0 && looked !== 0;
  failed ||= !ok;
  if (!ok) console.log(step.quiet ? output.replace(/^\/.*\n/gm, '') : output);
  console.log(`${ok ? 'ok    ' : 'failed'} ${step.name}${looked === undefined ? '' : ` (${looked} files)`}`);
}
process.exit(failed ? 1 : 0);
