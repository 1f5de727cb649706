// One of the two data planes for as long as wanted: a guest with bad weather on its link, wayward and strongSwan at either end,
// pings through three tunnels that are rekeyed all the time, and what it comes to.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { eventually } from '../../harness/eventually.ts';
import { childSas } from '../../harness/peer.ts';
import { runProgram } from '../../harness/processes.ts';
import { Strongswan } from '../../harness/strongswan.ts';
import { ContinuousPing } from '../../harness/traffic.ts';
import { Wayward } from '../../harness/wayward.ts';
import { GuestNetwork } from '../guest-network.ts';
import { GuestStrongswan, GuestWayward } from '../guest-peers.ts';
import { type Floors, figuresCommand, floors, type ProcessFigures, parseFigures } from './figures.ts';
import { type LinkCounts, LossyLink, type Weather } from './lossy-link.ts';
import {
  inner,
  type Place,
  pingPaths,
  soakConfiguration,
  type Tunnel,
  tunnels,
} from './soak-configuration.ts';

/** Whose ESP is wayward's: its own, outside the guest, or that of the guest's kernel. */
export type Plane = 'userspace' | 'kernel';

export interface SoakOptions {
  readonly minutes: number;
  readonly weather: Weather;
  /** Hears how far it is. */
  readonly tell: (line: string) => void;
}

/** All that wayward holds, at one moment. */
export interface Holdings extends ProcessFigures {
  readonly minute: number;
  /** Of objects that are held: garbage was collected before. */
  readonly heapKib: number;
  readonly ikeSas: number;
  readonly childSas: number;
  /** In the guest's kernel: wayward's if it is its data plane, else strongSwan's. */
  readonly kernelSas: number;
  readonly kernelPolicies: number;
}

export interface TunnelResult {
  readonly childRekeys: number;
  readonly ikeRekeys: number;
  readonly collisions: number;
}

export interface SoakResult {
  readonly plane: Plane;
  readonly minutes: number;
  readonly weather: Weather;
  readonly tunnels: Readonly<Record<Tunnel, TunnelResult>>;
  readonly pings: {
    readonly answered: number;
    readonly lost: number;
    /** Answers that came again. */
    readonly repeated: number;
    /** Answers that came after one to a later ping. */
    readonly overtaken: number;
    /** The most of one tunnel that were lost after each other, where, and when the next one was answered (UTC). */
    readonly lostInARow: number;
    readonly longestGap: string;
  };
  /** Packets that devices of either end dropped for want of time or room, which netem does not count. */
  readonly deviceDrops: Readonly<Record<string, number>>;
  /** Between the first and the last ping. */
  readonly link: LinkCounts;
  readonly begin: Holdings;
  /** When everything that happens once has happened. */
  readonly warm: Holdings;
  readonly end: Holdings;
  /** Each half minute. */
  readonly residentKib: readonly number[];
  readonly packetThreadHeapKib: Floors;
  /** Why packets were refused, by wayward's counters and by those of the guest's kernel: for whoever has to find out. */
  readonly verdicts: Readonly<Record<string, number>>;
  readonly xfrmStatistics: string;
  /** Lines of wayward's log that are warnings or worse, without those that repeat. */
  readonly complaints: readonly string[];
}

const collectGarbage = fileURLToPath(new URL('./collect-garbage.js', import.meta.url));
const pingIntervalMs = 50;
const sampleMs = 30_000;
const tellEveryMs = 300_000;
const patienceMs = 120_000;
/** Everything is warm once every tunnel has been rekeyed many times: lazy parts are loaded, code is compiled. */
const warmShare = 0.25;

export async function soak(plane: Plane, options: SoakOptions): Promise<SoakResult> {
  const network = await GuestNetwork.create(plane === 'kernel' ? 384 : 192);
  const lab = new SoakLab(plane, network, options);
  try {
    return await lab.play();
  } finally {
    await lab.close();
    await network.close();
  }
}

class SoakLab {
  readonly #plane: Plane;
  readonly #network: GuestNetwork;
  readonly #options: SoakOptions;
  readonly #wayward: Wayward;
  readonly #strongswan: Strongswan;
  readonly #pings: ContinuousPing[] = [];
  readonly #startedAt = performance.now();

  constructor(plane: Plane, network: GuestNetwork, options: SoakOptions) {
    const { namespace, folder, guest } = network;
    const [ours, theirs] = [join(folder, 'wayward'), join(folder, 'strongswan')];
    this.#plane = plane;
    this.#network = network;
    this.#options = options;
    this.#wayward =
      plane === 'kernel' ? new GuestWayward(guest, namespace, ours) : new Wayward(namespace, ours);
    this.#strongswan =
      plane === 'kernel' ? new Strongswan(namespace, theirs) : new GuestStrongswan(guest, namespace, theirs);
    this.#wayward.logLevel = 'info';
    this.#wayward.launch = { words: [], environment: { NODE_OPTIONS: `--import ${collectGarbage}` } };
  }

  get #place(): Place {
    return this.#plane === 'kernel' ? 'guest' : 'host';
  }

  async #configure(): Promise<void> {
    // strongSwan's own ESP knows no other.
    const encapsulated = (tunnel: Tunnel): boolean => this.#plane === 'kernel' || tunnel === 'theirs';
    const [ours, theirs] = [this.#wayward, this.#strongswan];
    for (const [peer, place] of [
      [ours, this.#place],
      [theirs, this.#place === 'host' ? 'guest' : 'host'],
    ] as const) {
      await mkdir(peer.folder, { recursive: true });
      const text = soakConfiguration({
        kind: peer.kind,
        place,
        encapsulated: peer === theirs ? encapsulated : () => false,
      });
      await writeFile(join(peer.folder, 'swanctl.conf'), text);
    }
    const more = [inner.guest.theirs, inner.guest.both].map(
      (address) => `ip address add ${address}/32 dev lo`,
    );
    await this.#network.guest.run(more.join(' && '));
  }

  async play(): Promise<SoakResult> {
    await this.#configure();
    await Promise.all([this.#wayward.start(), this.#strongswan.start()]);
    const { minutes, weather } = this.#options;
    const link = await LossyLink.create(this.#network.guest, {
      ...weather,
      lossPercent: 0,
      ikeLossPercent: 0,
    });
    // The tunnels that strongSwan rekeys it also begins.
    for (const tunnel of tunnels)
      await (tunnel === 'theirs' ? this.#strongswan : this.#wayward).up(`${tunnel}-net`);
    const { namespace } = this.#network;
    for (const { source, destination } of pingPaths())
      this.#pings.push(new ContinuousPing({ namespace, source, destination }, pingIntervalMs));
    await Promise.all(this.#pings.map((one) => one.answers(20, patienceMs)));

    this.#options.tell(`${this.#plane}: pings go through ${tunnels.length} tunnels`);
    const begin = await this.#holdings();
    const verdictsBefore = (await this.#wayward.status()).verdicts;
    const logBefore = (await this.#wayward.log()).length;
    const dropsBefore = await this.#deviceDrops();
    await link.change(weather);
    const soakedAt = performance.now();
    const residentKib: number[] = [];
    const packetThreadHeapKib: number[] = [];
    let warm: Holdings | undefined;
    for (let i = 1; i * sampleMs <= minutes * 60_000; i++) {
      await pause(Math.max(0, soakedAt + i * sampleMs - performance.now()));
      const resident = (await this.#figures()).residentKib;
      residentKib.push(resident);
      const { memory } = await this.#wayward.status();
      packetThreadHeapKib.push(Math.round((memory.packetThreadHeapBytes ?? 0) / 1_024));
      if ((i * sampleMs) % tellEveryMs === 0)
        this.#options.tell(
          `${this.#plane}: minute ${(i * sampleMs) / 60_000} of ${minutes}, ${resident} KiB resident`,
        );
      if (warm === undefined && i * sampleMs >= warmShare * minutes * 60_000) warm = await this.#holdings();
    }

    // What is on its way arrives, so that what has not been answered is lost.
    await link.change({ lossPercent: 0, ikeLossPercent: 0, delayMs: 0, jitterMs: 0 });
    await pause(2 * (weather.delayMs + weather.jitterMs) + 1_000);
    const log = (await this.#wayward.log()).slice(logBefore);
    const stopped = await Promise.all(this.#pings.map((one) => one.stop(patienceMs)));
    const counts = await link.counts();
    const xfrmStatistics = await this.#network.guest.run(
      "grep -E '[1-9][0-9]*$' /proc/net/xfrm_stat || true",
    );
    const { verdicts } = await this.#wayward.status();
    const deviceDrops = await this.#deviceDrops();
    await this.#keepLogs();
    await this.#settled();
    const end = await this.#holdings();
    const sum = (of: (one: (typeof stopped)[number]) => number): number =>
      stopped.reduce((total, one) => total + of(one), 0);
    const worst = stopped.reduce((one, other) => (other.lostInARow > one.lostInARow ? other : one));
    const { source, destination } = pingPaths()[stopped.indexOf(worst)]!;
    return {
      plane: this.#plane,
      minutes,
      weather,
      tunnels: tunnelResults(log),
      pings: {
        answered: sum(({ answered }) => answered),
        lost: sum(({ lost }) => lost),
        repeated: sum(({ repeated }) => repeated),
        overtaken: sum(({ overtaken }) => overtaken),
        lostInARow: worst.lostInARow,
        longestGap: `${source} to ${destination} until ${new Date(worst.answeredAgainAt).toISOString()}`,
      },
      deviceDrops: grown(dropsBefore, deviceDrops),
      link: counts,
      begin,
      warm: warm ?? begin,
      end,
      residentKib,
      packetThreadHeapKib: floors(packetThreadHeapKib),
      verdicts: grown(verdictsBefore, verdicts),
      xfrmStatistics,
      complaints: complaintsOf(log),
    };
  }

  /** Whoever asks what became of a packet finds both daemons' words there. */
  async #keepLogs(): Promise<void> {
    const folder = join('test-output', 'soak', this.#plane);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'wayward.log'), await this.#wayward.log());
    await writeFile(join(folder, 'charon.log'), await this.#strongswan.log());
  }

  /** Nothing is there but one IKE SA and one pair of SAs for each tunnel, which happens between any two rekeyings. */
  async #settled(): Promise<void> {
    let left = {};
    const ask = async (): Promise<boolean> => {
      const [ours, theirs] = [this.#wayward, this.#strongswan];
      const counts = {
        ikeSas: [(await ours.ikeSas()).length, (await theirs.ikeSas()).length],
        childSas: [(await childSas(ours)).length, (await childSas(theirs)).length],
        kernelSas: [(await this.#kernel()).kernelSas / 2],
      };
      left = counts;
      return Object.values(counts).every((numbers) => numbers.every((count) => count === tunnels.length));
    };
    try {
      await eventually('one pair of SAs for each tunnel is left', ask, patienceMs);
    } catch (error) {
      const states = await this.#network.guest.run('ip -s xfrm state');
      throw new Error(`${error}: of wayward and of strongSwan ${JSON.stringify(left)}; ${states}`);
    }
  }

  async #sh(line: string): Promise<string> {
    if (this.#place === 'guest') return this.#network.guest.run(line);
    return runProgram(['sh', '-c', line], { namespace: this.#network.namespace });
  }

  async #figures(): Promise<ProcessFigures> {
    return parseFigures(await this.#sh(figuresCommand(this.#wayward.pid!)));
  }

  async #holdings(): Promise<Holdings> {
    const kernel = await this.#kernel();
    // Connections of who has just asked may not be closed yet.
    await pause(1_000);
    const figures = await this.#figures();
    const heaps: number[] = [];
    for (let i = 0; i < 3; i++) {
      await this.#sh(`kill -USR2 ${this.#wayward.pid}`);
      await pause(500);
      heaps.push((await this.#wayward.status()).memory.heapBytes);
    }
    const { engine } = await this.#wayward.status();
    return {
      minute: Math.round((performance.now() - this.#startedAt) / 6_000) / 10,
      ...figures,
      heapKib: Math.round(Math.min(...heaps) / 1024),
      ikeSas: engine.ikeSas.length,
      childSas: engine.ikeSas.reduce((count, { children }) => count + children.length, 0),
      ...kernel,
    };
  }

  async #deviceDrops(): Promise<Readonly<Record<string, number>>> {
    const list = 'ip -j -s link show';
    const host = await runProgram(list.split(' '), { namespace: this.#network.namespace });
    const guest = await this.#network.guest.run(list);
    const of = (place: string, text: string): [string, number][] =>
      (JSON.parse(text) as DeviceStatistics[]).flatMap(({ ifname, stats64: { rx, tx } }) => [
        [`${place} ${ifname} in`, rx.dropped + rx.errors],
        [`${place} ${ifname} out`, tx.dropped + tx.errors],
      ]);
    return Object.fromEntries([...of('host', host), ...of('guest', guest)]);
  }

  /** Of the guest's kernel. */
  async #kernel(): Promise<{ readonly kernelSas: number; readonly kernelPolicies: number }> {
    const text = await this.#network.guest.run(
      "ip xfrm state list | grep -c 'spi 0x' || true; ip xfrm policy list | grep -c 'priority' || true",
    );
    const [kernelSas = Number.NaN, kernelPolicies = Number.NaN] = text.split('\n').map(Number);
    return { kernelSas, kernelPolicies };
  }

  async close(): Promise<void> {
    await Promise.all(this.#pings.map((one) => one.abandon()));
    await this.#wayward.stop();
    await this.#strongswan.stop();
  }
}

interface DeviceStatistics {
  readonly ifname: string;
  readonly stats64: Readonly<Record<'rx' | 'tx', { readonly dropped: number; readonly errors: number }>>;
}

type Counts = Readonly<Record<string, number>>;

function grown(before: Counts, after: Counts): Counts {
  const all = Object.entries(after).map(([name, count]) => [name, count - (before[name] ?? 0)] as const);
  return Object.fromEntries(all.filter(([, count]) => count > 0));
}

function tunnelResults(log: string): Readonly<Record<Tunnel, TunnelResult>> {
  const count = (pattern: RegExp): number => [...log.matchAll(pattern)].length;
  const of = (tunnel: Tunnel): TunnelResult => ({
    childRekeys: count(new RegExp(`\\b${tunnel}\\[.*Child SA rekeyed`, 'g')),
    ikeRekeys: count(new RegExp(`\\b${tunnel}\\[.*IKE SA rekeyed`, 'g')),
    collisions: count(new RegExp(`\\b${tunnel}\\[.*collision`, 'g')),
  });
  return { ours: of('ours'), theirs: of('theirs'), both: of('both') };
}

function complaintsOf(log: string): readonly string[] {
  const lines = log.split('\n').filter((line) => /\b(warn|error)\b/.test(line));
  return [...new Set(lines.map((line) => line.replace(/^\S+ /, '')))].slice(0, 20);
}
