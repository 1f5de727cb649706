// npm run interop -- recovery [--rounds N] [--json] [NAME...]: how long a tunnel is out when one end is killed.
import { loadavg } from 'node:os';
import { type Machine, machine, type Spread, spread } from '../../bench/measure.ts';
import { versionsLine } from '../harness/table.ts';
import { type Contender, contenders } from './contenders.ts';
import { measureOutage, type Outage, pingIntervalMs } from './outage.ts';

const usage = 'usage: npm run interop -- recovery [--rounds N] [--json] [--why] [NAME...]';

interface Options {
  readonly rounds: number;
  readonly json: boolean;
  /** Print what the survivor told after each round. */
  readonly why: boolean;
  readonly names: readonly string[];
}

function readOptions(words: readonly string[]): Options | undefined {
  let [rounds, json, why] = [10, false, false];
  const names: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word === '--json') json = true;
    else if (word === '--why') why = true;
    else if (word === '--rounds') rounds = Number(words[++i]);
    else if (!word.startsWith('-')) names.push(word);
    else return undefined;
  }
  return Number.isInteger(rounds) && rounds >= 1 ? { rounds, json, why, names } : undefined;
}

/** What came of the rounds of one contender; a spread is absent if a round did not come to its end within the cap. */
interface Row {
  readonly name: string;
  readonly title: string;
  readonly rounds: readonly Outage[];
  readonly capMs?: number;
  readonly outageMs?: Spread;
  readonly startUpMs: Spread;
  readonly afterBoundMs?: Spread;
  readonly pingsLost?: Spread;
  readonly pingsLostAfterBound?: Spread;
}

interface Report {
  readonly machine: Machine;
  readonly versions: string;
  readonly pingIntervalMs: number;
  /** One-minute load when it began and when it ended. */
  readonly load: readonly [number, number];
  readonly rows: readonly Row[];
}

function row({ name, title, capMs }: Contender, rounds: readonly Outage[]): Row {
  const all = (
    field: 'outageMs' | 'afterBoundMs' | 'pingsLost' | 'pingsLostAfterBound',
  ): Spread | undefined => {
    const values = rounds.map((round) => round[field]).filter((value) => value !== undefined);
    return values.length === rounds.length ? spread(values) : undefined;
  };
  const [outageMs, afterBoundMs] = [all('outageMs'), all('afterBoundMs')];
  const [pingsLost, pingsLostAfterBound] = [all('pingsLost'), all('pingsLostAfterBound')];
  return {
    name,
    title,
    rounds,
    startUpMs: spread(rounds.map(({ startUpMs }) => startUpMs)),
    ...(capMs === undefined ? {} : { capMs }),
    ...(outageMs === undefined ? {} : { outageMs }),
    ...(afterBoundMs === undefined ? {} : { afterBoundMs }),
    ...(pingsLost === undefined ? {} : { pingsLost }),
    ...(pingsLostAfterBound === undefined ? {} : { pingsLostAfterBound }),
  };
}

function shown(values: Spread | undefined, otherwise = '-'): string {
  if (values === undefined) return otherwise;
  const { median, min, max } = values;
  return min === max ? median.toFixed(0) : `${median.toFixed(0)} (${min.toFixed(0)}-${max.toFixed(0)})`;
}

/** How many times as long as the fastest strongSwan pair that comes back, at the median. */
function ratio(one: Row, base: Row | undefined): string {
  if (one.outageMs === undefined || base?.outageMs === undefined) return '-';
  return (one.outageMs.median / base.outageMs.median).toFixed(2);
}

function tableLines(rows: readonly Row[]): string[] {
  const base = rows.find(({ name }) => name === 'strongswan-strongswan-tuned');
  const cells = rows.map((one) => [
    one.title,
    String(one.rounds.length),
    shown(one.outageMs, `not within ${one.capMs ?? 30_000}`),
    ratio(one, base),
    shown(one.startUpMs),
    shown(one.afterBoundMs),
    shown(one.pingsLost),
    shown(one.pingsLostAfterBound),
  ]);
  const head = [
    '',
    'rounds',
    'outage ms',
    'ratio',
    'start-up ms',
    'bound to traffic ms',
    'pings lost',
    'after bound',
  ];
  const widths = head.map((_, i) => Math.max(...[head, ...cells].map((line) => line[i]!.length)));
  return [head, ...cells].map((line) =>
    line
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd(),
  );
}

/** Every contender once, then again: what disturbs the machine disturbs all of them. Returns the exit status. */
export async function runRecovery(words: readonly string[]): Promise<number> {
  const options = readOptions(words);
  const chosen = contenders.filter(
    ({ name }) => options?.names.length === 0 || options?.names.some((part) => name.includes(part)),
  );
  if (options === undefined || chosen.length === 0) {
    console.error(usage);
    console.error(`names: ${contenders.map(({ name }) => name).join(' ')}`);
    return 1;
  }
  const before = loadavg()[0]!;
  const outages = new Map<Contender, Outage[]>(chosen.map((contender) => [contender, []]));
  let failed = false;
  for (let round = 1; round <= options.rounds; round++) {
    for (const contender of chosen) {
      if (contender.once === true && round > 1) continue;
      try {
        const outage = await measureOutage(contender);
        outages.get(contender)!.push(outage);
        const text = outage.outageMs === undefined ? 'not back' : `${outage.outageMs.toFixed(0)} ms`;
        console.error(
          `round ${round}  ${contender.name}: ${text}, start-up ${outage.startUpMs.toFixed(0)} ms`,
        );
        if (options.why && outage.why !== undefined) console.error(outage.why);
      } catch (error) {
        failed = true;
        console.error(`round ${round}  ${contender.name} FAILED: ${(error as Error).message}`);
      }
    }
  }
  const report: Report = {
    machine: machine(),
    versions: await versionsLine(),
    pingIntervalMs,
    load: [before, loadavg()[0]!],
    rows: [...outages]
      .filter(([, rounds]) => rounds.length > 0)
      .map(([contender, rounds]) => row(contender, rounds)),
  };
  if (options.json) console.log(JSON.stringify(report, undefined, 2));
  else print(report);
  return failed ? 1 : 0;
}

function print({ machine: { cpu, cores, kernel, node, commit }, versions, load, rows }: Report): void {
  console.log(`${versions}\n${cpu}, ${cores} cores, Linux ${kernel}, Node ${node}, commit ${commit}`);
  console.log(
    `load ${load.map((value) => value.toFixed(1)).join(' to ')}; a ping every ${pingIntervalMs} ms\n`,
  );
  console.log(tableLines(rows).join('\n'));
  console.log(`
outage: from SIGKILL to the first answer of a ping sent once the process is gone; start-up: from exec to both IKE ports bound, part of
the outage; median (least-most). ratio: to strongSwan's own recovery with tuned settings.`);
}
