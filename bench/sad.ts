// How long finding an SA by its SPI takes, and what an SA weighs, with one SA and with a million. All databases stand at
// once in a process of its own, whose heap may be large; a lookup is what a packet with this SPI begins with. What memory alone
// takes is seen beside it: places of an array of the same SAs are read in the same order.
import { nodeRandomness } from '#crypto';
import { InboundSa, Sad } from '#ipsec';
import { openSslPacketCipher } from '#linux';
import { address, Encr, type SaParameters, type Spi, selectorOfPrefix } from '#sa';
import { interleaved, spread } from './measure.ts';
import { inOwnProcess, isOwnProcess } from './own-process.ts';
import type { Report, Table } from './report.ts';

const sizes = [1, 1_000, 100_000, 1_000_000] as const;
const hotSpis = 1_000;
const lookups = 1 << 20;
const heapMebibytes = 12_000;

interface Filled {
  readonly sad: Sad;
  readonly hot: Int32Array;
  readonly uniform: Int32Array;
  readonly array: readonly InboundSa[];
  readonly places: Int32Array;
  readonly bytesPerSa: number;
}

const selectors = {
  local: [selectorOfPrefix('10.1.0.0/16')!],
  remote: [selectorOfPrefix('10.2.0.0/16')!],
};

function parametersOf(spi: number, index: number): SaParameters {
  return {
    direction: 'inbound',
    protocol: 'esp',
    spi: spi as Spi,
    mode: 'tunnel',
    local: address('192.0.2.1'),
    remote: address(`198.51.${(index >>> 8) & 0xff}.${index & 0xff}`),
    encapsulation: { localPort: 4500, remotePort: 4500 },
    encryption: { id: Encr.AES_GCM_16, keyLengthBits: 128, key: new Uint8Array(20).fill(index) },
    esn: true,
    replayWindow: 64,
    selectors,
    lifetimes: {},
    childId: index + 1,
    generation: 0,
    copyDscp: 'out',
    copyDf: true,
  };
}

function usedBytes(): number {
  for (let i = 0; i < 3; i++) globalThis.gc!();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** A random number of 32 bits is what an SPI is. */
function randomWords(count: number): Uint32Array {
  const octets = nodeRandomness().bytes(4 * count);
  return new Uint32Array(octets.slice().buffer);
}

function fill(sas: number): Filled {
  const spis = new Set<number>();
  while (spis.size < sas) {
    for (const word of randomWords(Math.min(sas - spis.size, 1 << 16))) if (word > 255) spis.add(word);
  }
  const all = Int32Array.from(spis, (spi) => spi | 0);
  spis.clear();
  const sad = new Sad();
  const array = new Array<InboundSa>(sas);
  const before = usedBytes();
  for (const [index, spi] of all.entries()) {
    const sa = new InboundSa(parametersOf(spi >>> 0, index), 0, { makeCipher: openSslPacketCipher });
    sad.addInbound(sa);
    array[index] = sa;
  }
  const bytesPerSa = (usedBytes() - before) / sas;
  const order = randomWords(lookups);
  return {
    sad,
    hot: Int32Array.from(order, (word) => all[word % Math.min(sas, hotSpis)]!),
    uniform: Int32Array.from(order, (word) => all[word % sas]!),
    array,
    places: Int32Array.from(order, (word) => word % sas),
    bytesPerSa,
  };
}

// Short enough to be compiled as a whole, and called often.
const slice = 1024;

function find(sad: Sad, spis: Int32Array, from: number): number {
  let found = 0;
  for (let i = from; i < from + slice; i++) {
    if (sad.findInbound('esp', spis[i]! >>> 0) !== undefined) found++;
  }
  return found;
}

function findAndUse(sad: Sad, spis: Int32Array, from: number): number {
  let found = 0;
  for (let i = from; i < from + slice; i++) {
    if (sad.findInbound('esp', spis[i]! >>> 0)!.spi !== 0) found++;
  }
  return found;
}

function readPlaces(array: readonly InboundSa[], places: Int32Array, from: number): number {
  let found = 0;
  for (let i = from; i < from + slice; i++) {
    if (array[places[i]!] !== undefined) found++;
  }
  return found;
}

type OneSlice<Where> = (where: Where, keys: Int32Array, from: number) => number;

function nanoseconds<Where>(one: OneSlice<Where>, where: Where, keys: Int32Array): number {
  const before = process.cpuUsage();
  let found = 0;
  for (let from = 0; from < lookups; from += slice) found += one(where, keys, from);
  const { user, system } = process.cpuUsage(before);
  if (found !== lookups) throw new Error('an SA was not found');
  return ((user + system) * 1000) / lookups;
}

async function measureAll(rounds: number): Promise<Report> {
  // What is loaded and compiled for the first of all SAs is not theirs.
  fill(1_000);
  const filled = sizes.map(fill);
  const contenders: Record<string, () => number> = {};
  for (const [i, { sad, hot, uniform, array, places }] of filled.entries()) {
    contenders[`hot ${i}`] = () => nanoseconds(find, sad, hot);
    contenders[`uniform ${i}`] = () => nanoseconds(find, sad, uniform);
    contenders[`places ${i}`] = () => nanoseconds(readPlaces, array, places);
    contenders[`hot used ${i}`] = () => nanoseconds(findAndUse, sad, hot);
    contenders[`uniform used ${i}`] = () => nanoseconds(findAndUse, sad, uniform);
  }
  // Until everything is compiled.
  await interleaved(2, contenders);
  const measured = await interleaved(rounds, contenders);
  const table = (title: string, key: string): Table => ({
    title: `${title}, nanoseconds of CPU time`,
    rows: Object.fromEntries(
      sizes.map((size, i) => [`of ${size.toLocaleString('en')}`, spread(measured[`${key} ${i}`]!)]),
    ),
  });
  const growth = (key: string): number =>
    spread(measured[`${key} 3`]!).median / spread(measured[`${key} 1`]!).median;
  const bytes = filled.map(({ bytesPerSa }) => bytesPerSa);
  return {
    tables: [
      table('finding one of 1,000 busy SAs', 'hot'),
      table('finding any SA', 'uniform'),
      table('reading any place of an array of them', 'places'),
      table('finding one of 1,000 busy SAs and reading a field of it', 'hot used'),
      table('finding any SA and reading a field of it', 'uniform used'),
      {
        title: 'bytes per SA, of objects and keys',
        // One alone is not to be told from what else moves.
        rows: Object.fromEntries(
          sizes.slice(1).map((size, i) => [`of ${size.toLocaleString('en')}`, bytes[i + 1]!]),
        ),
      },
      {
        title: 'a million to a thousand',
        rows: {
          'finding busy ones': growth('hot'),
          'finding any': growth('uniform'),
          'reading any place of an array': growth('places'),
          'finding and reading busy ones': growth('hot used'),
          'finding and reading any': growth('uniform used'),
          'bytes per SA': bytes[3]! / bytes[1]!,
        },
      },
    ],
  };
}

/** Needs about 4 GiB of memory. */
export function sadBenchmark(rounds: number): Promise<Report> {
  const flags = ['--expose-gc', `--max-old-space-size=${heapMebibytes}`];
  return inOwnProcess(import.meta.url, flags, String(rounds));
}

// The same file is what the other process runs.
if (isOwnProcess(import.meta.url)) {
  console.log(JSON.stringify(await measureAll(Number(process.argv[2]))));
}
