// Two daemons, one of which is killed and started again: they go on in the same SAs, and no nonce is used twice.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { demoSides, type Side } from './demo/configuration.ts';
import { type DemoPorts, reservePorts } from './demo/reserved-ports.ts';
import type { GatewayOptions, GatewayReport } from './testing/restartable-gateway.ts';

const program = new URL('./testing/restartable-gateway.js', import.meta.url).pathname;
const pingIntervalMs = 20;
/** The machine may be busy with other tests. */
const patienceMs = 60_000;

interface TimedReport {
  readonly at: number;
  readonly report: GatewayReport;
}

class Gateway {
  readonly reports: TimedReport[] = [];
  readonly #options: GatewayOptions;
  #process: ChildProcess | undefined;
  #heard: (() => void) | undefined;

  constructor(options: GatewayOptions) {
    this.#options = options;
  }

  start(change: Partial<GatewayOptions> = {}): void {
    const options = JSON.stringify({ ...this.#options, ...change });
    const child = spawn(process.execPath, [program, options], { stdio: ['ignore', 'pipe', 'inherit'] });
    let rest = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        this.reports.push({ at: performance.now(), report: JSON.parse(line) as GatewayReport });
      }
      this.#heard?.();
    });
    this.#process = child;
  }

  async kill(): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const closed = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await closed;
  }

  /** Waits until a report fits, among those from `since` on. */
  async until(fits: (report: GatewayReport) => boolean, since = 0): Promise<TimedReport> {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      const found = this.reports.slice(since).find(({ report }) => fits(report));
      if (found !== undefined) return found;
      assert.ok(performance.now() < deadline, `never heard, but ${JSON.stringify(this.events(since))}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 100);
        this.#heard = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /**
   * Waits until what would be gone on with is on disk: one IKE SA, and an index behind it.
   * @param other than this one
   * @returns its file
   */
  async kept(other?: string): Promise<string> {
    const { statePath } = this.#options;
    const at = (name: string): bigint => statSync(join(statePath, name), { bigint: true }).ctimeNs;
    for (const deadline = performance.now() + patienceMs; ; ) {
      const names = readdirSync(statePath).filter((name) => /^checkpoint-[^.]*$/.test(name));
      const [sa = '', ...more] = names.filter((name) => name !== 'checkpoint-index');
      const whole = sa !== '' && sa !== other && more.length === 0 && names.length === 2;
      try {
        if (whole && at('checkpoint-index') >= at(sa)) return sa;
      } catch {
        // It was replaced in this moment.
      }
      assert.ok(performance.now() < deadline, `not kept: ${names.join()}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  events(since = 0): string[] {
    return this.reports.slice(since).flatMap(({ report }) => (report.kind === 'event' ? [report.name] : []));
  }
}

const event =
  (name: string) =>
  (report: GatewayReport): boolean =>
    report.kind === 'event' && report.name === name;
const reply = (report: GatewayReport): boolean => report.kind === 'ping' && report.reply;

interface World {
  readonly left: Gateway;
  readonly right: Gateway;
  readonly folder: string;
  readonly ports: DemoPorts;
}

async function world(t: TestContext): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'wayward-checkpoint-'));
  const keyFile = join(folder, 'key');
  writeFileSync(keyFile, new Uint8Array(32).fill(5), { mode: 0o600 });
  const ports = await reservePorts([demoSides.left.address, demoSides.right.address]);
  const gateway = (side: Side): Gateway => {
    const statePath = join(folder, `${side}-state`);
    mkdirSync(statePath, { mode: 0o700 });
    const sentPath = join(folder, `${side}-sent`);
    writeFileSync(sentPath, '');
    return new Gateway({
      side,
      ports,
      statePath,
      keyFile,
      sentPath,
      checkpoint: true,
      pingIntervalMs: side === 'left' ? pingIntervalMs : 0,
    });
  };
  const both = { left: gateway('left'), right: gateway('right') };
  t.after(async () => {
    await both.left.kill();
    await both.right.kill();
    rmSync(folder, { recursive: true, force: true });
  });
  both.right.start();
  await both.right.until(event('started'));
  both.left.start();
  await both.left.until(reply);
  return { ...both, folder, ports };
}

/** Fails if two different datagrams of one sender have the same key and nonce. Both gateways use AES-GCM everywhere. */
function assertNoNonceTwice(folder: string): { readonly ike: number; readonly esp: number } {
  const counts = { ike: 0, esp: 0 };
  for (const side of ['left', 'right'] as const) {
    const seen = new Map<string, string>();
    for (const line of readFileSync(join(folder, `${side}-sent`), 'utf8')
      .trim()
      .split('\n')) {
      // Behind a non-ESP marker it is IKE, and so is what begins with an IKE SPI and says so in its version.
      const marked = line.startsWith('00000000');
      const ike = marked ? line.slice(8) : line;
      const isIke = marked || (line.length >= 56 && line.slice(34, 36) === '20');
      // IKE_SA_INIT has no nonce; SK is payload 46, SKF 53.
      const next = ike.slice(32, 34);
      if (isIke && next !== '2e' && next !== '35') continue;
      const ivAt = next === '2e' ? 64 : 72;
      const nonce = isIke
        ? `ike ${ike.slice(0, 32)} ${ike.slice(ivAt, ivAt + 16)}`
        : `esp ${line.slice(0, 8)} ${line.slice(16, 32)}`;
      const known = seen.get(nonce);
      assert.ok(known === undefined || known === line, `${side} used a nonce twice: ${nonce}`);
      seen.set(nonce, line);
      counts[isIke ? 'ike' : 'esp']++;
    }
  }
  return counts;
}

for (const side of ['left', 'right'] as const) {
  test(`the ${side} gateway is killed three times: traffic goes on in the same SAs, with no new IKE SA`, async (t) => {
    const two = await world(t);
    const killed = two[side];
    let kept: string | undefined;
    for (let round = 0; round < 3; round++) {
      // An IKE SA that is about to be stored for the first time is not there yet, and one that it replaces still is.
      kept = await killed.kept(kept);
      const since = killed.reports.length;
      const pinger = two.left.reports.length;
      const other = two[side === 'left' ? 'right' : 'left'];
      const others = other.reports.length;
      const killedAt = performance.now();
      await killed.kill();
      killed.start();
      const bound = await killed.until((report) => report.kind === 'bound', since);
      await killed.until(event('checkpoint-adopted'), since);
      const back = await two.left.until(
        reply,
        side === 'left' ? since : pinger + pingsUntil(two.left, pinger, bound.at),
      );
      await killed.until(event('ike-rekeyed'), since);
      for (const names of [killed.events(since), other.events(others)]) {
        for (const name of [
          'ike-established',
          'connecting',
          'checkpoint-refused',
          'recovery',
          'ike-failed',
        ]) {
          assert.ok(!names.includes(name), `${name} in ${names.join()}`);
        }
      }
      t.diagnostic(
        `round ${round}: bound ${(bound.at - killedAt).toFixed()} ms after the kill, first reply ${(back.at - bound.at).toFixed()} ms later`,
      );
    }
    const { ike, esp } = assertNoNonceTwice(two.folder);
    assert.ok(ike > 20 && esp > 20, `${ike} IKE messages and ${esp} ESP packets were looked at`);
  });
}

/** How many reports came before a moment. */
function pingsUntil(gateway: Gateway, since: number, at: number): number {
  return gateway.reports.slice(since).filter((one) => one.at <= at).length;
}

test('without checkpoints the restarted gateway finds one that it must not use, and begins anew', async (t) => {
  const { left } = await world(t);
  await left.kept();
  const since = left.reports.length;
  await left.kill();
  left.start({ checkpoint: false });
  await left.until(event('checkpoint-refused'), since);
  await left.until(event('ike-established'), since);
});
