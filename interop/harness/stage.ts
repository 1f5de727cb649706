// What a scenario plays on: a network, the two peers, and the tools to see whether traffic passes.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Capture } from './capture.ts';
import { fillFolder, type Variables } from './configuration-folder.ts';
import { eventually, patienceMs } from './eventually.ts';
import { type Family, type Host, type Side, TestNetwork } from './network.ts';
import { scenariosFolder } from './paths.ts';
import { childSas, type Peer, type PeerChild, type PeerIkeSa } from './peer.ts';
import { runProgram } from './processes.ts';
import type { Role, Run } from './scenario.ts';
import { Strongswan } from './strongswan.ts';
import { ContinuousPing, type Path, ping, tcpWithChecksum } from './traffic.ts';
import { Wayward } from './wayward.ts';

export class Stage {
  readonly role: Role;
  readonly family: Family;
  readonly network: TestNetwork;
  readonly wayward: Wayward;
  readonly strongswan: Strongswan;
  /** A temporary folder of this run. */
  readonly folder: string;
  readonly #run: Run;
  readonly #pings: ContinuousPing[] = [];
  #capture: Capture | undefined;

  private constructor(run: Run, folder: string) {
    this.#run = run;
    this.role = run.role;
    this.family = run.family;
    this.folder = folder;
    this.network = new TestNetwork(run.scenario.network);
    this.wayward = new Wayward(this.network.wayward.namespace, join(folder, 'wayward'));
    this.strongswan = new Strongswan(this.network.strongswan.namespace, join(folder, 'strongswan'));
  }

  /** Makes the network, starts the capture and writes both configurations. */
  static async prepare(run: Run): Promise<Stage> {
    const stage = new Stage(run, await mkdtemp(join(tmpdir(), 'wayward-interop-')));
    try {
      await stage.network.create();
      stage.#capture = await Capture.start(stage.network.wayward.namespace, stage.capturePath);
      await stage.configure({});
      return stage;
    } catch (error) {
      await stage.close();
      throw error;
    }
  }

  get capturePath(): string {
    return join(this.folder, 'capture.pcap');
  }

  /** The side that begins the IKE SA, and the other one. */
  get initiator(): Peer {
    return this.role === 'initiator' ? this.wayward : this.strongswan;
  }

  get responder(): Peer {
    return this.role === 'initiator' ? this.strongswan : this.wayward;
  }

  get peers(): readonly Peer[] {
    return [this.wayward, this.strongswan];
  }

  /** Writes both configurations anew, with other variables. Peers that run must `reload`. */
  async configure(variables: Variables): Promise<void> {
    const { wayward, strongswan, publicAddress } = this.network;
    const all = {
      wayward: wayward.outer[this.family],
      strongswan: strongswan.outer[this.family],
      ...(publicAddress === undefined ? {} : { nat: publicAddress[this.family] }),
      ...this.#run.scenario.variables,
      ...variables,
    };
    for (const peer of this.peers) {
      const from = join(scenariosFolder, this.#run.name, peer.kind);
      await mkdir(peer.folder, { recursive: true });
      await fillFolder(from, peer.folder, all);
    }
  }

  /** Starts both daemons. */
  async start(): Promise<void> {
    await Promise.all(this.peers.map((peer) => peer.start()));
  }

  /** Starts both daemons and brings a Child SA up from the initiator's side; both sides must have it. */
  async establish(child: string): Promise<void> {
    await this.start();
    await this.initiator.up(child);
    await this.routed(await this.agreedChild(child));
  }

  /** Waits until wayward's routes of a tunnel stand: they follow the SAs, and the first packets must not miss them. */
  async routed(child: PeerChild): Promise<void> {
    if (child.mode !== 'tunnel') return;
    const routes = (family: string): Promise<string> =>
      runProgram(['ip', '-n', this.network.wayward.namespace, family, 'route', 'show', 'table', 'all']);
    await eventually('routes lead into the tunnel', async () => {
      const lines = `${await routes('-4')}${await routes('-6')}`.split('\n');
      const ours = lines.filter((line) => line.includes('dev wayward0 table 220'));
      return ours.length >= child.remoteSelectors.length;
    });
  }

  /** Waits until both sides have exactly one Child SA of this name with each other's SPIs; wayward's view of it. */
  async agreedChild(name: string, timeoutMs: number = patienceMs): Promise<PeerChild> {
    return eventually(
      `both sides have one Child SA ${name}, with each other's SPIs`,
      async () => {
        const [ours, theirs] = await Promise.all(this.peers.map(childSas));
        const [mine, ...moreOfMine] = ours!.filter((child) => child.name === name);
        const [their, ...moreOfTheirs] = theirs!.filter((child) => child.name === name);
        if (mine === undefined || their === undefined) return undefined;
        if (moreOfMine.length > 0 || moreOfTheirs.length > 0) return undefined;
        return mine.inboundSpi === their.outboundSpi && mine.outboundSpi === their.inboundSpi
          ? mine
          : undefined;
      },
      timeoutMs,
    );
  }

  /** Like `agreedChild`, once another pair has taken the place of `before`. */
  async replacedChild(before: PeerChild): Promise<PeerChild> {
    await eventually(`a new Child SA ${before.name} replaces ${before.inboundSpi}`, async () => {
      const all = (await Promise.all(this.peers.map(childSas))).flat();
      return all.every(
        ({ inboundSpi, outboundSpi }) => ![inboundSpi, outboundSpi].includes(before.inboundSpi),
      );
    });
    return this.agreedChild(before.name);
  }

  /** Waits until both sides have one IKE SA, the same, and not `before`. */
  async replacedIkeSa(before: PeerIkeSa): Promise<void> {
    await eventually(`a new IKE SA replaces ${before.initiatorSpi}`, async () => {
      const [ours, theirs] = await Promise.all(this.peers.map((peer) => peer.ikeSas()));
      const one = ours!.length === 1 && theirs!.length === 1;
      const [mine, their] = [ours![0]?.initiatorSpi, theirs![0]?.initiatorSpi];
      return one && mine === their && mine !== before.initiatorSpi;
    });
  }

  /** Waits until neither side has an IKE SA. */
  async nothingLeft(timeoutMs: number = patienceMs): Promise<void> {
    await eventually(
      'neither side has an IKE SA',
      async () => (await Promise.all(this.peers.map((peer) => peer.ikeSas()))).flat().length === 0,
      timeoutMs,
    );
  }

  #host(side: Side): Host {
    return this.network.host(side);
  }

  /** From the network behind one side to the network behind the other. */
  path(from: Side, innerFamily: Family = 'IPv4'): Path {
    const to = from === 'wayward' ? 'strongswan' : 'wayward';
    return {
      namespace: this.#host(from).namespace,
      source: this.#host(from).inner[innerFamily],
      destination: this.#host(to).inner[innerFamily],
    };
  }

  /** Pings of the inner networks from either side, small and as long as makes outer fragments. */
  async pingBothWays(innerFamily: Family = 'IPv4'): Promise<void> {
    for (const side of ['wayward', 'strongswan'] as const) {
      const path = this.path(side, innerFamily);
      await ping(path);
      await ping(path, 1, 4_000);
    }
  }

  /** A ping that runs on; the stage ends it if the scenario does not. */
  keepPinging(from: Side, innerFamily: Family = 'IPv4'): ContinuousPing {
    const running = new ContinuousPing(this.path(from, innerFamily));
    this.#pings.push(running);
    return running;
  }

  /** TCP from either side, with a checksum of all octets. */
  async tcpBothWays(innerFamily: Family = 'IPv4'): Promise<void> {
    await tcpWithChecksum(this.path('wayward', innerFamily), this.network.strongswan.namespace);
    await tcpWithChecksum(this.path('strongswan', innerFamily), this.network.wayward.namespace);
  }

  /** Ends the capture, so that it can be read whole. */
  async stopCapture(): Promise<void> {
    await this.#capture?.stop();
    this.#capture = undefined;
  }

  /** Ends every process; the folder with logs and capture stays. */
  async stop(): Promise<void> {
    await Promise.all(this.#pings.map((one) => one.abandon()));
    await Promise.all(this.peers.map((peer) => peer.stop()));
    await this.stopCapture();
  }

  /** Ends every process and removes everything. */
  async close(): Promise<void> {
    await this.stop();
    await this.network.remove();
    await rm(this.folder, { recursive: true, force: true });
  }
}
