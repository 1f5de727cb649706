// `npm run bench -- seal|esp [--json] [--rounds N]`: measures, and says on what machine.
import { type EspResult, espBenchmark } from './esp.ts';
import { machine, type Spread } from './measure.ts';
import { type SealResult, sealBenchmark } from './seal.ts';

const usage = 'usage: npm run bench -- seal|esp [--json] [--rounds N]';

interface Options {
  readonly name: 'seal' | 'esp';
  readonly json: boolean;
  readonly rounds: number;
}

function readOptions(words: readonly string[]): Options {
  let name: Options['name'] | undefined;
  let json = false;
  let rounds = 5;
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word === 'seal' || word === 'esp') name = word;
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

function printEsp({ traffic, skipped }: EspResult): void {
  for (const [kind, { paths, ratios }] of Object.entries(traffic)) {
    console.log(`\n${kind}: Mbit/s at the receiver, median (min-max)`);
    for (const [who, { mbits }] of Object.entries(paths)) print(who, mbits, 0);
    console.log('CPU seconds per gigabyte of both ends, median (min-max)');
    for (const [who, { cpuSecondsPerGigabyte }] of Object.entries(paths)) {
      if (cpuSecondsPerGigabyte !== undefined) print(who, cpuSecondsPerGigabyte);
    }
    console.log('wayward to the others');
    for (const [what, ratio] of Object.entries(ratios)) print(what, ratio);
  }
  for (const [who, why] of Object.entries(skipped)) console.log(`  ${who} was not measured: ${why}`);
}

try {
  const { name, json, rounds } = readOptions(process.argv.slice(2));
  const where = machine();
  if (!json) console.log(Object.values(where).join(', '));
  const told = (result: unknown): void =>
    console.log(JSON.stringify({ benchmark: name, rounds, machine: where, result }, undefined, 2));
  if (name === 'seal') {
    const result = await sealBenchmark(rounds);
    if (json) told(result);
    else printSeal(result);
  } else {
    const result = await espBenchmark(rounds);
    if (json) told(result);
    else printEsp(result);
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
