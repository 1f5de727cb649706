// `npm run bench -- NAME [--json] [--rounds N]`: measures, and says on what machine.
import { machine } from './measure.ts';
import { printed, type Report } from './report.ts';

/** Each is loaded when it is wanted: most need other programs. */
const benchmarks: Readonly<Record<string, (rounds: number) => Promise<Report>>> = {
  seal: async (rounds) => (await import('./seal.ts')).sealBenchmark(rounds),
  esp: async (rounds) => (await import('./esp.ts')).espBenchmark(rounds),
  threads: async (rounds) => (await import('./threads.ts')).threadsBenchmark(rounds),
  flood: async (rounds) => (await import('./flood.ts')).floodBenchmark(rounds),
  handshake: async (rounds) => (await import('./handshake.ts')).handshakeBenchmark(rounds),
  forged: async (rounds) => (await import('./forged.ts')).forgedBenchmark(rounds),
  sad: async (rounds) => (await import('./sad.ts')).sadBenchmark(rounds),
};
const usage = `usage: npm run bench -- ${Object.keys(benchmarks).join('|')} [--json] [--rounds N]`;

interface Options {
  readonly name: string;
  readonly json: boolean;
  readonly rounds: number;
}

function readOptions(words: readonly string[]): Options {
  let name: string | undefined;
  let json = false;
  let rounds = 5;
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word in benchmarks) name = word;
    else if (word === '--json') json = true;
    else if (word === '--rounds') rounds = Number(words[++i]);
    else throw new Error(usage);
  }
  if (name === undefined || !Number.isInteger(rounds) || rounds < 1) throw new Error(usage);
  return { name, json, rounds };
}

try {
  const { name, json, rounds } = readOptions(process.argv.slice(2));
  const where = machine();
  const report = await benchmarks[name]!(rounds);
  if (json) {
    console.log(JSON.stringify({ benchmark: name, rounds, machine: where, ...report }, undefined, 2));
  } else {
    console.log(Object.values(where).join(', '));
    console.log(printed(report));
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
