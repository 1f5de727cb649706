// `npm run bench -- seal [--json] [--rounds N]`: measures, and says on what machine.
import { machine, type Spread } from './measure.ts';
import { type SealResult, sealBenchmark } from './seal.ts';

const usage = 'usage: npm run bench -- seal [--json] [--rounds N]';

interface Options {
  readonly json: boolean;
  readonly rounds: number;
}

function readOptions(words: readonly string[]): Options & { readonly name: 'seal' } {
  let name: 'seal' | undefined;
  let json = false;
  let rounds = 5;
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word === 'seal') name = word;
    else if (word === '--json') json = true;
    else if (word === '--rounds') rounds = Number(words[++i]);
    else throw new Error(usage);
  }
  if (name === undefined || !Number.isInteger(rounds) || rounds < 1) throw new Error(usage);
  return { name, json, rounds };
}

function print(what: string, values: Spread | number, digits = 2): void {
  const text =
    typeof values === 'number'
      ? values.toFixed(digits)
      : `${values.median.toFixed(digits)} (${values.min.toFixed(digits)}-${values.max.toFixed(digits)})`;
  console.log(`  ${what.padEnd(26)} ${text}`);
}

function printSeal(results: readonly SealResult[]): void {
  for (const { suite, sizeBytes, kpps, ratios } of results) {
    console.log(
      `\n${suite}, ${sizeBytes} octets: thousands of packets per second of CPU time, median (min-max)`,
    );
    for (const [who, values] of Object.entries(kpps)) print(who, values, 0);
    for (const [what, ratio] of Object.entries(ratios)) print(what, ratio);
  }
}

try {
  const { name, json, rounds } = readOptions(process.argv.slice(2));
  const where = machine();
  if (!json) console.log(Object.values(where).join(', '));
  const result = await sealBenchmark(rounds);
  if (json) console.log(JSON.stringify({ benchmark: name, rounds, machine: where, result }, undefined, 2));
  else printSeal(result);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
