// A running host: configuration, engine, packets, control socket and logs put together.
import { readFileSync } from 'node:fs';
import { type Follower, ikeMessageSeen, whyText } from '#control';
import { nodeRandomness } from '#crypto';
import {
  type CheckpointOptions,
  type CommandResult,
  Engine,
  type EngineCommand,
  type EngineConfiguration,
  type EngineEvent,
  eventFields,
  eventName,
  eventText,
} from '#engine';
import { hipDefaults, lsiTableOf } from '#hip';
import type { KeyLogEntry } from '#ike';
import { monotonicMs, type SaReport, sourceAddressFor } from '#linux';
import { claimsOf, noClaims, type SpiOwnership, soleOwnership } from '#unknown-spi';
import { Driver } from './driver.ts';
import { answerRequest } from './endpoints/answer-request.ts';
import type { ControlAnswer, ControlRequest, DaemonStatus } from './endpoints/control-protocol.ts';
import { ControlServer } from './endpoints/control-server.ts';
import { ViciEndpoint, type ViciOptions } from './endpoints/vici-endpoint.ts';
import type { KeyLogFile } from './logs/key-log-file.ts';
import type { Log } from './logs/log.ts';
import type { LogFields } from './logs/log-format.ts';
import { HipMobility } from './network/hip-mobility.ts';
import { IkeMobility, type IkeMove, type MobileIkeSa } from './network/ike-mobility.ts';
import { ownAddresses, reachableAddresses } from './network/own-addresses.ts';
import type { TunnelNetwork } from './network/tunnel-network.ts';
import { LatestReports } from './observation/latest-reports.ts';
import { type HttpOptions, Observation } from './observation/observation.ts';
import { ownerClaimsKey, SpiOwners } from './owners/spi-owners.ts';
import type { PacketIo, PacketIoListener } from './packet-io.ts';
import type { RecordStore } from './state/record-store.ts';

/** What a daemon is made of. */
export interface DaemonOptions {
  readonly configuration: EngineConfiguration;
  readonly log: Log;
  readonly mark: number;
  /** How many threads carry packets, each of which has inbound SAs of its own; one by default. */
  readonly packetThreads?: number;
  /** Opens the data plane and its device; the sockets are bound later. */
  readonly openPacketIo: (listener: PacketIoListener) => Promise<PacketIo>;
  /** Made once the device is there. */
  readonly openNetwork: (io: PacketIo) => Promise<TunnelNetwork>;
  /** Reads the configuration again, or says everything that is wrong with it. */
  readonly reload: () => EngineConfiguration | readonly string[];
  readonly socketPath?: string;
  /** Absent: no vici socket. */
  readonly vici?: ViciOptions;
  readonly keyLog?: KeyLogFile;
  /** Absent: a crash forgets whose SPIs were whose. */
  readonly store?: RecordStore;
  /** Seals what is stored. Absent: tickets end with this process. */
  readonly recordKey?: Uint8Array;
  /** Name in the owner registry of this host; absent: this daemon takes no part in it. */
  readonly ownerName?: string;
  /** Go on with SAs after a restart, if they are of the same data plane. Needs `store` and `recordKey`. */
  readonly checkpoint?: Omit<CheckpointOptions, 'place'> & { readonly dataPlane: 'kernel' | 'userspace' };
  /** Absent: no page, API or metrics. */
  readonly http?: HttpOptions;
  /** Where there are several hosts, and how often they are looked at. */
  readonly observe?: { readonly name: string; readonly sampleMs: number; readonly rateWindowMs: number };
  /** Hears what operators see. */
  readonly follower?: Follower;
  readonly onEvent?: (event: EngineEvent) => void;
  readonly onReports?: (reports: readonly SaReport[]) => void;
  /** The data plane died. */
  readonly onDeath: (error: Error) => void;
}

/** How long SIGTERM waits for peers to answer our Deletes. */
const shutdownMsMax = 2_000;

export function packageVersion(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

function checkpointOptions({ checkpoint, store }: DaemonOptions): {
  readonly checkpoint?: CheckpointOptions;
} {
  if (checkpoint === undefined) return {};
  if (store === undefined) throw new Error('a checkpoint needs a store');
  const { dataPlane, ...options } = checkpoint;
  // The kernel counts on without us: in a process its numbers would be used again.
  return { checkpoint: { ...options, place: `${store.place} ${dataPlane}` } };
}

function mobileIkeSas(engine: Engine): MobileIkeSa[] {
  return engine
    .status()
    .ikeSas.flatMap(({ ikeId, local, remote, mobility }) =>
      mobility === undefined ? [] : [{ ikeId, local, remote, ...mobility }],
    );
}

/** A whole daemon without a configuration file and signals: engine, packet IO, control socket, vici and page. */
export class Daemon {
  readonly #options: DaemonOptions;
  readonly #engine: Engine;
  readonly #driver: Driver;
  readonly #startedAt: number = monotonicMs();
  readonly #reports: LatestReports;
  #verdicts: Readonly<Record<string, number>> = {};
  #packetThreadHeapBytes: number | undefined;
  /** Of other key managers, in the kernel. */
  #kernelSpis: readonly number[] = [];
  readonly #owners: SpiOwners | undefined;
  readonly #observation: Observation;
  readonly #mobility: HipMobility;
  readonly #ikeMobility: IkeMobility;
  #io: PacketIo | undefined;
  #network: TunnelNetwork | undefined;
  #control: ControlServer | undefined;
  readonly #vici: ViciEndpoint | undefined;
  #running = false;
  #stopping: Promise<void> | undefined;

  constructor(options: DaemonOptions) {
    this.#options = options;
    this.#engine = new Engine({
      randomness: nodeRandomness(),
      configuration: options.configuration,
      keyLog: options.keyLog !== undefined,
      spiGroups: options.packetThreads ?? 1,
      ...(options.store === undefined ? {} : { stored: options.store.records }),
      ...(options.recordKey === undefined ? {} : { recordKey: options.recordKey }),
      ...checkpointOptions(options),
    });
    this.#reports = new LatestReports(() => this.#engine.childSas());
    this.#driver = new Driver(
      this.#engine,
      {
        event: (at, event) => this.#report(at, event),
        datagram: (direction, local, remote, octets) => {
          const shared = local.port === options.configuration.ports.natTraversal;
          const seen = ikeMessageSeen(octets, shared);
          if (seen === undefined) return;
          this.#observation.message(direction, remote, seen);
          this.#vici?.message(direction, seen);
        },
        keyLog: (entry) => this.#logKeys(entry),
        reports: (reports) => {
          this.#reports.add(reports);
          this.#observation.reports(reports);
          options.onReports?.(reports);
        },
        statistics: (verdicts, heapBytes) => {
          this.#verdicts = verdicts;
          this.#packetThreadHeapBytes = heapBytes;
        },
        foreignSpis: (spis) => {
          this.#kernelSpis = spis;
          this.#tellOwners();
        },
        warning: (text) => options.log.line('warn', text),
        restarted: (error, sas) => options.log.line('error', restartedText(error, sas)),
        addressesChanged: () => {
          this.#mobility.changed();
          this.#ikeMobility.changed();
          this.#network?.addressesChanged();
        },
        died: options.onDeath,
      },
      options.mark,
      options.store,
    );
    this.#observation = new Observation({
      ...options.observe,
      version: packageVersion(),
      status: () => this.#engine.status(monotonicMs()),
      why: (subject) => whyText(this.#engine.why(subject)),
      verdicts: () => this.#verdicts,
      linesLeftOut: () => options.log.linesLeftOut,
    });
    if (options.follower !== undefined) this.#observation.board.follow(options.follower);
    this.#mobility = new HipMobility({
      associations: () => this.#engine.status().hip,
      ownAddresses,
      sourceFor: (remote) => sourceAddressFor({ ...remote, port: remote.port || 1 }, options.mark),
      tell: (own) => void this.#driver.command({ kind: 'hip-addresses', own }),
      move: (from, to) => void this.#driver.command({ kind: 'hip-move', from, to }),
    });
    this.#ikeMobility = new IkeMobility({
      mobileIkeSas: () => mobileIkeSas(this.#engine),
      ownAddresses: () => reachableAddresses(this.#io?.tunName),
      sourceFor: (remote) => sourceAddressFor(remote, options.mark),
      tell: (own) => void this.#driver.command({ kind: 'own-addresses', own }),
      move: (moves) => void this.#move(moves),
    });
    const { ownerName, store, log } = options;
    if (ownerName !== undefined) {
      this.#owners = new SpiOwners({
        name: ownerName,
        log,
        kept: store?.records.get(ownerClaimsKey),
        keep: (octets) => void store?.write(ownerClaimsKey, octets),
        changed: () => this.#tellOwners(),
      });
    }
    if (options.vici !== undefined) {
      this.#vici = new ViciEndpoint(options.vici, options.configuration, {
        engine: this.#engine,
        log: options.log,
        version: packageVersion(),
        command: (command) => this.#driver.command(command),
        counters: (direction, spi) => this.#reports.countersOf(direction, spi),
      });
    }
  }

  /** @throws PacketThreadError, ControlSocketError, ViciError or a system error, before anything was sent */
  async start(): Promise<void> {
    const { openPacketIo, openNetwork, socketPath } = this.#options;
    // From the moment that the sockets are bound peers may hear of us, and every millisecond until the engine runs is part of
    // an outage: what can be done without them is done before.
    const ownersKnown = this.#owners?.start();
    const opening = openPacketIo(this.#driver.packetIoListener);
    opening.then(
      (io) => {
        this.#io = io;
      },
      () => undefined,
    );
    try {
      if (socketPath !== undefined) {
        this.#control = await ControlServer.listen(socketPath, (request) => this.#answer(request));
      }
      await this.#vici?.listen();
      await this.#serveHttp();
      await ownersKnown;
      const io = await opening;
      this.#network = await openNetwork(io);
      await io.listen();
      this.#loadHip(this.#options.configuration);
    } catch (error) {
      await opening.catch(() => undefined);
      await this.#observation.stop();
      await this.#vici?.close();
      await this.#control?.close();
      await this.#network?.close();
      await this.#io?.close();
      await this.#owners?.stop();
      await this.#options.store?.close();
      throw error;
    }
    this.#observation.start();
    this.#driver.start(await opening, this.#owners?.claims, this.#ownership);
    if (this.#options.configuration.hip !== undefined) this.#mobility.begin();
    this.#ikeMobility.look();
    this.#running = true;
    this.#owners?.announce();
    // Traffic for a trap policy may come as soon as this host says that it runs.
    await this.#network.settled();
  }

  /** That somebody else has its port is no reason to have no tunnels. */
  async #serveHttp(): Promise<void> {
    const { http, log } = this.#options;
    if (http === undefined) return;
    try {
      await this.#observation.serve(http);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error;
      log.line('error', `no page, API or metrics: ${error.message}`);
    }
  }

  #logKeys(entry: KeyLogEntry): void {
    try {
      this.#options.keyLog?.write(entry);
    } catch (error) {
      this.#options.log.line('error', `keys could not be logged: ${(error as Error).message}`);
    }
  }

  /** How `ServiceManager` sees that packets are handled. */
  get beats(): number | undefined {
    return this.#io?.beats;
  }

  /** One line about what stands. */
  describe(): string {
    const { ikeSas } = this.#engine.status();
    const children = ikeSas.reduce((count, sa) => count + sa.children.length, 0);
    return `${ikeSas.length} IKE SAs, ${children} Child SAs`;
  }

  #loadHip({ hip }: EngineConfiguration): void {
    this.#network?.loadHip(hip);
    this.#io?.loadLsis(lsiTableOf(hip ?? { ...hipDefaults, identities: [], peers: [] }));
  }

  /** Deletes all SAs, waits for the answers a little, and closes everything. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const expired = new Promise<void>((resolve) => setTimeout(resolve, shutdownMsMax).unref());
    await Promise.race([this.#driver.command({ kind: 'shutdown' }), expired]);
    this.#driver.stop();
    this.#mobility.stop();
    this.#ikeMobility.stop();
    await this.#vici?.close();
    await this.#observation.stop();
    await this.#control?.close();
    await this.#network?.close();
    await this.#io?.close();
    // What it gives up is kept, too.
    await this.#owners?.stop();
    await this.#options.store?.close();
    this.#options.keyLog?.close();
  }

  /** Where a browser finds the page, with its token, if it is served on loopback. */
  get pageUrl(): string | undefined {
    return this.#observation.pageUrl;
  }

  #memory(): DaemonStatus['memory'] {
    const { rss, heapUsed } = process.memoryUsage();
    const packetThreadHeapBytes = this.#packetThreadHeapBytes;
    return {
      residentBytes: rss,
      heapBytes: heapUsed,
      ...(packetThreadHeapBytes === undefined ? {} : { packetThreadHeapBytes }),
    };
  }

  #tellOwners(): void {
    if (!this.#running) return;
    this.#driver.know(this.#owners?.claims ?? noClaims, this.#ownership);
    this.#owners?.holdSingly(this.#engine.spisOutsideLease());
  }

  /** The kernel's SAD is one more owner, which speaks for every key manager that puts its SAs there. */
  get #ownership(): SpiOwnership {
    const registered = this.#owners?.ownership ?? soleOwnership;
    if (this.#kernelSpis.length === 0) return registered;
    const others = [...registered.others, claimsOf([], this.#kernelSpis)];
    return { ...registered, others, unreadable: false };
  }

  /** Returns why the configuration stays as it was, if it does. */
  reload(): readonly string[] {
    const { log } = this.#options;
    const read = this.#options.reload();
    if (!('connections' in read)) {
      for (const line of read) log.line('error', line);
      log.line('info', 'the old configuration stays');
      return read;
    }
    this.#vici?.configurationReplaced(read);
    this.#loadHip(read);
    void this.#driver.command({ kind: 'load', configuration: read });
    log.line('info', `configuration reloaded, ${read.connections.length} connections loaded`);
    return [];
  }

  status(): DaemonStatus {
    return {
      version: packageVersion(),
      pid: process.pid,
      uptimeMs: monotonicMs() - this.#startedAt,
      engine: this.#engine.status(monotonicMs()),
      counters: this.#reports.all(),
      verdicts: this.#verdicts,
      memory: this.#memory(),
      ...(this.#owners === undefined ? {} : { owners: this.#owners.status() }),
      ...(this.#io?.tunName === undefined ? {} : { tunName: this.#io.tunName }),
    };
  }

  #report(at: number, event: EngineEvent): void {
    const incident = this.#observation.event(at, event);
    const said = eventText(event);
    const { log } = this.#options;
    const words = (): string => said.text;
    const fields = (): LogFields => ({
      event: eventName(event),
      ...(incident === undefined ? {} : { incident }),
      ...eventFields(event),
    });
    if (said.ofStrangers) log.strangerLine(said.level, words, fields);
    else log.line(said.level, words, fields);
    this.#vici?.event(event);
    this.#network?.follow(event);
    if (event.kind === 'ike' && movesSas.has(event.event.kind)) {
      const sa = this.#engine.ikeSaStatus(event.context.ikeId);
      if (sa !== undefined) this.#network?.moved(sa);
    }
    this.#options.onEvent?.(event);
  }

  /** A gateway may have thousands of clients, and one reason why none of them can follow. */
  async #move(moves: readonly IkeMove[]): Promise<void> {
    const move = (one: IkeMove): Promise<CommandResult> => this.#driver.command({ kind: 'move-ike', ...one });
    const refusals = new Map<string, number>();
    for (const result of await Promise.all(moves.map(move))) {
      if (!result.ok) refusals.set(result.detail, (refusals.get(result.detail) ?? 0) + 1);
    }
    for (const [detail, count] of refusals) {
      const who = count === 1 ? 'an IKE SA' : `${count} IKE SAs`;
      this.#options.log.line('warn', `${who} cannot move: ${detail}`);
    }
  }

  async #carryOut(command: EngineCommand): Promise<CommandResult> {
    const result = await this.#driver.command(command);
    await this.#network?.settled();
    return result;
  }

  #answer(request: ControlRequest): Promise<ControlAnswer> {
    return answerRequest(
      {
        board: this.#observation.board,
        pageUrl: this.pageUrl,
        status: () => this.status(),
        why: (subject) => this.#engine.why(subject),
        reload: () => this.reload(),
        carryOut: (command) => this.#carryOut(command),
      },
      request,
    );
  }
}

/** What is told when Child SAs may lead elsewhere. */
const movesSas: ReadonlySet<string> = new Set(['moved', 'peer-moved', 'path-checked']);

function restartedText(error: Error, sas: number): string {
  return `the packet thread died: ${error.message}; a new one goes on with its ${sas} SAs`;
}
