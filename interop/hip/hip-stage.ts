// Two hosts with Host Identities on one link, and what is asked of them.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../harness/eventually.ts';
import { type Family, TestNetwork } from '../harness/network.ts';
import { RunningProcess, runProgram } from '../harness/processes.ts';
import { ContinuousPing, type Path } from '../harness/traffic.ts';
import { HipHost, type KeyKind } from './hip-host.ts';

export interface HipStageOptions {
  /** Of the outer addresses. */
  readonly family: Family;
  /** HIP and ESP in UDP, port 10500. */
  readonly udp?: boolean;
  readonly key?: KeyKind;
  /** Lines of section `hip`, of both; and of what each says about its peer. */
  readonly hip?: string;
  readonly peer?: string;
  /** Other sections of the two configurations. */
  readonly more?: (own: HipHost, peer: HipHost) => string;
}

export const lsis = { left: '1.0.0.10', right: '1.0.0.20' } as const;
/** What a host is called by its own IPv4 applications. */
export const ownLsi = '1.0.0.1';

export class HipStage {
  readonly left: HipHost;
  readonly right: HipHost;
  readonly network: TestNetwork = new TestNetwork();
  readonly folder: string;
  readonly options: HipStageOptions;
  /** What was measured, for people. */
  readonly notes: string[] = [];
  readonly #processes: RunningProcess[] = [];
  readonly #pings: ContinuousPing[] = [];

  private constructor(options: HipStageOptions, folder: string) {
    this.options = options;
    this.folder = folder;
    const { key = 'P-256' } = options;
    const { wayward, strongswan } = this.network;
    this.left = new HipHost('left', wayward.namespace, join(folder, 'left'), key);
    this.right = new HipHost('right', strongswan.namespace, join(folder, 'right'), key);
  }

  /** Network and configurations; nothing runs. */
  static async prepare(options: HipStageOptions): Promise<HipStage> {
    const stage = new HipStage(options, await mkdtemp(join(tmpdir(), 'wayward-hip-')));
    try {
      await stage.network.create();
      await stage.configure(options.hip);
      return stage;
    } catch (error) {
      await stage.close();
      throw error;
    }
  }

  get hosts(): readonly [HipHost, HipHost] {
    return [this.left, this.right];
  }

  outer(host: HipHost): string {
    const { wayward, strongswan } = this.network;
    return (host === this.left ? wayward : strongswan).outer[this.options.family];
  }

  other(host: HipHost): HipHost {
    return host === this.left ? this.right : this.left;
  }

  /** @param hip lines of section `hip` */
  async configure(hip = ''): Promise<void> {
    const { udp = false, more, peer: further = '' } = this.options;
    for (const host of this.hosts) {
      const peer = this.other(host);
      const lines = { name: peer.name, hit: peer.hit, address: this.outer(peer), udp, further };
      const lsi = host === this.left ? lsis.right : lsis.left;
      await host.configure({ ...lines, lsi }, hip, more?.(host, peer));
    }
  }

  async start(): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.start()));
  }

  /** By HITs, or as IPv4 applications of `from` see it. */
  path(from: HipHost, by: 'HIT' | 'LSI'): Path {
    const to = this.other(from);
    return by === 'HIT'
      ? { namespace: from.namespace, source: from.hit, destination: to.hit }
      : {
          namespace: from.namespace,
          source: ownLsi,
          destination: from === this.left ? lsis.right : lsis.left,
        };
  }

  keepPinging(from: HipHost, by: 'HIT' | 'LSI', intervalMs = 20): ContinuousPing {
    return this.keepPingingAlong(this.path(from, by), intervalMs);
  }

  keepPingingAlong(path: Path, intervalMs = 50): ContinuousPing {
    const ping = new ContinuousPing(path, intervalMs);
    this.#pings.push(ping);
    return ping;
  }

  /** A program beside the scenario, which ends with it. */
  run(host: HipHost, ...command: string[]): RunningProcess {
    const running = new RunningProcess(command, { namespace: host.namespace });
    this.#processes.push(running);
    return running;
  }

  ip(host: HipHost, ...words: string[]): Promise<string> {
    return runProgram(['ip', '-n', host.namespace, ...words]);
  }

  /** Both have the same pair of SAs; the left one's view of it. */
  async agreed(): Promise<NonNullable<Awaited<ReturnType<HipHost['association']>>>> {
    return eventually("both have an association, with each other's SPIs", async () => {
      const [left, right] = await Promise.all(this.hosts.map((host) => host.association()));
      if (left === undefined || right === undefined) return undefined;
      return left.inboundSpi === right.outboundSpi && left.outboundSpi === right.inboundSpi
        ? left
        : undefined;
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#pings.map((ping) => ping.abandon()));
    await Promise.all(this.#processes.map((running) => running.end('SIGKILL')));
    await Promise.all(this.hosts.map((host) => host.stop()));
    await this.network.remove();
    await rm(this.folder, { recursive: true, force: true });
  }
}
