// `npm run soak -- scanner|hip-flood|kernel|properties|records`: what takes too long for `npm test`.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { allRuns } from './harness/all-runs.ts';
import { removeStaleNamespaces } from './harness/network.ts';
import { play } from './harness/play.ts';
import { missingRequirement } from './harness/requirements.ts';
import { assertHarmless, type ScannerResult, sufferScanner } from './harness/scanner.ts';
import { assertHipFloodHarmless, type FloodResult, sufferHipFlood } from './hip/flood.ts';
import { missingForGuests } from './kernel/guest-network.ts';
import { assertSteady } from './kernel/soak/assert-steady.ts';
import { printSoak } from './kernel/soak/print-soak.ts';
import { type Plane, soak } from './kernel/soak/soak-lab.ts';

const usage = `usage: npm run soak -- scanner [--rate 50000] [--seconds 60] [--json]
       npm run soak -- hip-flood [--packets 100000] [--rate 20000] [--ping 50] [--json]
       npm run soak -- kernel [--minutes 30] [--loss 2] [--json] [userspace|kernel]
       npm run soak -- properties [--cases 1000000] [FILTER...]
       npm run soak -- records [--kills 200]`;

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

interface Words {
  readonly what: string | undefined;
  readonly numbers: Readonly<Record<string, number>>;
  readonly json: boolean;
  readonly filters: readonly string[];
}

function readWords([what, ...rest]: readonly string[]): Words {
  const numbers: Record<string, number> = {};
  const filters: string[] = [];
  let json = false;
  for (let i = 0; i < rest.length; i++) {
    const word = rest[i]!;
    if (word === '--json') json = true;
    else if (word.startsWith('--')) {
      numbers[word.slice(2)] = Number(rest[++i]);
      if (!(numbers[word.slice(2)]! > 0)) throw new Error(usage);
    } else filters.push(word);
  }
  return { what, numbers, json, filters };
}

function printScanner(result: ScannerResult): void {
  const { wanted, rate, seconds, sent, read, pings, residentMib } = result;
  const percent = (count: number): string => `${((100 * count) / sent).toFixed(1)} %`;
  console.log(
    `wanted ${wanted.rate} packets/s for ${wanted.seconds} s; sent ${Math.round(rate)}/s for ${seconds.toFixed(1)} s`,
  );
  console.log(
    `sent      ${sent} (${Object.entries(result.sentByKind)
      .map(([kind, n]) => `${kind} ${n}`)
      .join(', ')})`,
  );
  for (const [what, count] of Object.entries(read)) {
    if (count > 0) console.log(`  ${what.padEnd(20)} ${String(count).padStart(9)}  ${percent(count)}`);
  }
  console.log(
    `  ${'socket overflow'.padEnd(20)} ${String(result.socketOverflow).padStart(9)}  ${percent(result.socketOverflow)}`,
  );
  console.log(
    `  ${'dropped before'.padEnd(20)} ${String(result.kernelDrops).padStart(9)}  ${percent(result.kernelDrops)}`,
  );
  console.log(`  ${'unaccounted'.padEnd(20)} ${String(result.unaccounted).padStart(9)}`);
  console.log(
    `IKE       ${result.engine.given} given to the engine, ${result.engine.counted} counted by reason`,
  );
  console.log(`pings     ${pings.answered} answered, ${pings.lost} lost`);
  console.log(`log       ${result.logLines.length} lines`);
  for (const line of result.logLines.slice(0, 5)) console.log(`  ${line}`);
  console.log(`CPU       ${((100 * result.cpuSeconds) / seconds).toFixed(0)} % of one core`);
  console.log(
    `memory    resident ${residentMib.begin} MiB, at the end ${residentMib.end}, peak ${residentMib.peak}`,
  );
  const { heapMib: heap, packetThreadHeapMib: thread } = result;
  console.log(`          heap after collections ${heap.begin} MiB, at the end ${heap.end}`);
  console.log(`          heap of the packet thread ${thread.begin} MiB, at the end ${thread.end}`);
}

async function scanner({ numbers, json }: Words): Promise<number> {
  const missing = missingRequirement();
  if (missing !== undefined) throw new Error(`the scanner cannot be played here: ${missing}`);
  removeStaleNamespaces();
  const [run] = await allRuns(['scanner']);
  if (run === undefined) throw new Error('there is no scenario scanner');
  const options = { rate: numbers['rate'] ?? 50_000, seconds: numbers['seconds'] ?? 60 };
  const { failure, kept } = await play({
    ...run,
    scenario: {
      ...run.scenario,
      timeLimitMs: options.seconds * 1_000 + 120_000,
      play: async (stage) => {
        const result = await sufferScanner(stage, options);
        if (json) console.log(JSON.stringify(result, undefined, 2));
        else printScanner(result);
        assertHarmless(result);
      },
    },
  });
  if (failure === undefined) return 0;
  console.error(`${failure.message}\n  kept: ${kept}`);
  return 1;
}

function printHipFlood(results: readonly FloodResult[]): void {
  for (const { kind, sent, seconds, handedOver, refused, counted, cpuSeconds, pings, ...memory } of results) {
    console.log(`${kind}: ${sent} in ${seconds.toFixed(1)} s (${Math.round(sent / seconds)}/s)`);
    console.log(`  handed over ${handedOver}, refused before that ${refused}`);
    console.log(
      `  ${Object.entries(counted)
        .map(([what, count]) => `${what} ${count}`)
        .join(', ')}`,
    );
    const { answered, lost, msMedian, ms99, msMax } = pings;
    console.log(`  pings ${answered}, lost ${lost}; ms: median ${msMedian}, 99 % ${ms99}, most ${msMax}`);
    const { residentMib, heapMib } = memory;
    console.log(
      `  CPU ${cpuSeconds.toFixed(1)} s; resident ${residentMib.begin} to ${residentMib.end} MiB, heap ${heapMib.begin} to ${heapMib.end} MiB`,
    );
  }
}

async function hipFlood({ numbers, json }: Words): Promise<number> {
  const missing = missingRequirement();
  if (missing !== undefined) throw new Error(`the flood cannot be played here: ${missing}`);
  removeStaleNamespaces();
  const options = { packets: numbers['packets'] ?? 100_000, rate: numbers['rate'] ?? 20_000 };
  const results = await sufferHipFlood(options);
  if (json) console.log(JSON.stringify(results, undefined, 2));
  else printHipFlood(results);
  assertHipFloodHarmless(results, numbers['ping'] ?? 50);
  return 0;
}

/** Both data planes side by side, unless one is named. */
async function kernel({ numbers, json, filters }: Words): Promise<number> {
  const missing = missingForGuests();
  if (missing !== undefined) throw new Error(`the soak cannot be played here: ${missing}`);
  removeStaleNamespaces();
  const planes = (['userspace', 'kernel'] satisfies Plane[]).filter(
    (plane) => filters.length === 0 || filters.includes(plane),
  );
  if (planes.length === 0) throw new Error(usage);
  const weather = { lossPercent: numbers['loss'] ?? 2, ikeLossPercent: 5, delayMs: 60, jitterMs: 50 };
  const options = {
    minutes: numbers['minutes'] ?? 30,
    weather,
    tell: (line: string) => console.error(line),
  };
  const outcomes = await Promise.allSettled(planes.map((plane) => soak(plane, options)));
  const results = outcomes.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  if (json) console.log(JSON.stringify(results, undefined, 2));
  else for (const result of results) printSoak(result);
  for (const one of outcomes) if (one.status === 'rejected') throw one.reason;
  for (const result of results) assertSteady(result);
  return 0;
}

/** The properties of room `unknown-spi`, each with so many cases instead of its own number. */
function properties({ numbers, filters }: Words): number {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  const folder = join(root, 'dist/unknown-spi');
  const files = readdirSync(folder, { recursive: true })
    .map((name) => join(folder, String(name)))
    .filter((file) => file.endsWith('.test.js'))
    .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)));
  if (files.length === 0) throw new Error('no test file matches');
  const preload = join(root, 'build/interop/soak-cases.js');
  const { status } = spawnSync(
    process.execPath,
    ['--import', preload, '--test', '--test-concurrency=2', ...files],
    {
      stdio: 'inherit',
      env: { ...process.env, WAYWARD_SOAK_CASES: String(numbers['cases'] ?? 1_000_000) },
    },
  );
  return status ?? 1;
}

/** The record store's writer, killed so many times. */
function records({ numbers }: Words): number {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  const { status } = spawnSync(
    process.execPath,
    ['--test', join(root, 'dist/daemon/state/record-store.test.js')],
    {
      stdio: 'inherit',
      env: { ...process.env, WAYWARD_KILLS: String(numbers['kills'] ?? 200) },
    },
  );
  return status ?? 1;
}

try {
  const words = readWords(process.argv.slice(2));
  if (words.what === 'scanner') process.exitCode = await scanner(words);
  else if (words.what === 'hip-flood') process.exitCode = await hipFlood(words);
  else if (words.what === 'kernel') process.exitCode = await kernel(words);
  else if (words.what === 'properties') process.exitCode = properties(words);
  else if (words.what === 'records') process.exitCode = records(words);
  else throw new Error(usage);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
