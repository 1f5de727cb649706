// npm run fuzz -- TARGET|all [--seconds N] [--seed S]
// Prints what was found, saves each offending input under test-output/fuzz/TARGET/, exits 1 if there is any.
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findingsFolder, readCorpus } from './corpus.ts';
import { fuzz } from './loop.ts';
import { targets } from './targets.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '30' }, seed: { type: 'string' } },
});
const wanted = positionals[0];
const seconds = Number(values.seconds);
const seed = values.seed === undefined ? Date.now() >>> 0 : Number(values.seed);
const chosen = targets.filter(({ name }) => wanted === 'all' || wanted === name);
if (chosen.length === 0 || !(seconds > 0) || !Number.isInteger(seed)) {
  console.error('usage: npm run fuzz -- TARGET|all [--seconds N] [--seed S]');
  console.error(`targets: ${targets.map(({ name }) => name).join(' ')}`);
  process.exit(2);
}

let found = 0;
for (const target of chosen) {
  const end = performance.now() + seconds * 1000;
  const corpus = readCorpus(target.name).map(({ octets }) => octets);
  const report = fuzz(target, corpus, seed, () => performance.now() < end);
  const { executions, behaviors, findings } = report;
  console.log(
    `${target.name}: seed ${seed}, ${executions} executions, ${behaviors} behaviors, ${findings.length} findings`,
  );
  for (const { octets, reason } of findings) {
    const folder = join(findingsFolder, target.name);
    mkdirSync(folder, { recursive: true });
    const file = join(folder, createHash('sha256').update(octets).digest('hex').slice(0, 16));
    writeFileSync(file, octets);
    console.log(`  ${file}\n    ${reason.replaceAll('\n', '\n    ')}`);
  }
  found += findings.length;
}
process.exit(found === 0 ? 0 : 1);
