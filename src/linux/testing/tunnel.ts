// A tunnel between two network namespaces, its ends with fixed keys, and traffic through it.
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Encr } from '#sa';
import {
  type Between,
  NamespacePair,
  outerAddresses,
  routedAddresses,
  type Side,
  said,
} from './namespace-pair.ts';
import type { TunnelEnd } from './tunnel-sas.ts';

const tunnelEnd = fileURLToPath(new URL('./tunnel-end.js', import.meta.url));

const inner = {
  left: ['10.1.0.1/32', '2001:db8:1::1/128'],
  right: ['10.2.0.1/32', '2001:db8:2::1/128'],
} as const;

const common: Omit<TunnelEnd, 'side' | 'outer'> = {
  inner,
  tunName: 'tun0',
  tunMtuBytes: 1400,
  encapsulated: true,
  esn: true,
  encryption: { id: Encr.AES_GCM_16, keyLengthBits: 128, keyBytes: 20 },
};

export type Verdicts = Readonly<Record<string, number>>;

/** Two namespaces with a tunnel between them. */
export class TunnelPair extends NamespacePair {
  /** Processes, each with a packet thread. */
  readonly ends: Partial<Record<Side, ChildProcess>> = {};
  #streams = 0;

  tell(side: Side, line: string): void {
    this.ends[side]?.stdin?.write(`${line}\n`);
  }

  /** What an end answers to a line that it is told. */
  async ask(side: Side, line: string, beginning: string): Promise<string> {
    const answer = said(this.ends[side]!, beginning);
    this.tell(side, line);
    return (await answer).slice(beginning.length);
  }

  /** The ends send themselves: another process would take longer to start than to send. */
  async stream(from: Side, target: string, bytes: number): Promise<string> {
    await this.ask(from === 'left' ? 'right' : 'left', `serve ${target}`, `serves ${target}`);
    const number = this.#streams++;
    return this.ask(from, `send ${number} ${target} ${bytes}`, `sent ${number} `);
  }
}

/** Runs `use` with a tunnel between the namespaces; what both ends counted. */
export async function withTunnel(
  options: Partial<TunnelEnd> & {
    readonly family: 4 | 6;
    readonly between?: Between;
    /** Of the cable between them. */
    readonly deviceMtuBytes?: number;
  },
  use: (pair: TunnelPair, ends: readonly ChildProcess[]) => Promise<void>,
): Promise<{ readonly left: Verdicts; readonly right: Verdicts }> {
  const { family, between, deviceMtuBytes, ...more } = options;
  const pair = new TunnelPair(deviceMtuBytes, between);
  const outer = (between === undefined ? outerAddresses : routedAddresses)[family];
  try {
    const ends: ChildProcess[] = [];
    for (const side of ['left', 'right'] as const) {
      const end: TunnelEnd = { ...common, outer, ...more, side };
      pair.ends[side] = pair.start(side, process.execPath, tunnelEnd, JSON.stringify(end));
      ends.push(pair.ends[side]);
    }
    await Promise.all(ends.map((end) => said(end, 'ready')));
    await use(pair, ends);
    const told = ends.map((end) => said(end, '{'));
    for (const end of ends) end.stdin!.end();
    const [left, right] = (await Promise.all(told)).map((line) => JSON.parse(line) as Verdicts);
    return { left: left!, right: right! };
  } finally {
    pair.close();
  }
}

export async function ping(pair: NamespacePair, target: string, ...words: string[]): Promise<void> {
  const { status, output } = await pair.run('left', 'ping', '-c', '1', '-W', '60', ...words, target);
  assert.equal(status, 0, `ping ${words.join(' ')} ${target}: ${output}`);
}

export async function stream(pair: TunnelPair, from: Side, target: string, bytes: number): Promise<void> {
  assert.equal(await pair.stream(from, target, bytes), 'same');
}

/** Nothing went wrong at an end: every packet was sealed or opened. @param besides other verdicts that are no fault */
export function assertClean(verdicts: Verdicts, ...besides: readonly string[]): void {
  const allowed = new Set(['sealed', 'opened', 'bypass', 'no-policy', ...besides]);
  const wrong = Object.entries(verdicts).filter(([name, count]) => count > 0 && !allowed.has(name));
  assert.deepEqual(wrong, []);
}
