// A running host: configuration, engine, packets, control socket and logs put together.
import { readFileSync } from 'node:fs';
import { nodeRandomness } from '#crypto';
import {
  type CheckpointOptions,
  Engine,
  type EngineCommand,
  type EngineConfiguration,
  type EngineEvent,
} from '#engine';
import { monotonicMs, type SaReport } from '#linux';
import type { ControlAnswer, ControlRequest, DaemonStatus } from './control-protocol.ts';
import { ControlServer } from './control-server.ts';
import { Driver } from './driver.ts';
import { eventText } from './event-text.ts';
import type { KeyLogFile } from './key-log-file.ts';
import type { Log } from './log.ts';
import { ownerClaimsKey, SpiOwners } from './owners/spi-owners.ts';
import type { PacketIo, PacketIoListener } from './packet-io.ts';
import type { RecordStore } from './record-store.ts';
import type { TunnelNetwork } from './tunnel-network.ts';
import { ViciEndpoint, type ViciOptions } from './vici-endpoint.ts';

/** What a daemon is made of. */
export interface DaemonOptions {
  readonly configuration: EngineConfiguration;
  readonly log: Log;
  readonly mark: number;
  /** Opens sockets and the data plane. */
  readonly openPacketIo: (listener: PacketIoListener) => Promise<PacketIo>;
  /** Made once the device is there. */
  readonly openNetwork: (io: PacketIo) => Promise<TunnelNetwork>;
  /** Reads the configuration again; undefined when it must not be loaded. */
  readonly reload: () => EngineConfiguration | undefined;
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
  /** Go on with SAs after a restart. Needs `store` and `recordKey`. */
  readonly checkpoint?: Omit<CheckpointOptions, 'place'>;
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
  return { checkpoint: { ...checkpoint, place: store.place } };
}

export class Daemon {
  readonly #options: DaemonOptions;
  readonly #engine: Engine;
  readonly #driver: Driver;
  readonly #startedAt: number = monotonicMs();
  readonly #counters = new Map<string, SaReport>();
  #verdicts: Readonly<Record<string, number>> = {};
  #packetThreadHeapBytes: number | undefined;
  readonly #owners: SpiOwners | undefined;
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
      ...(options.store === undefined ? {} : { stored: options.store.records }),
      ...(options.recordKey === undefined ? {} : { recordKey: options.recordKey }),
      ...checkpointOptions(options),
    });
    this.#driver = new Driver(
      this.#engine,
      {
        event: (event) => this.#report(event),
        datagram: (direction, local, octets) => {
          const shared = local.port === options.configuration.ports.natTraversal;
          this.#vici?.datagram(direction, octets, shared);
        },
        keyLog: (entry) => options.keyLog?.write(entry),
        reports: (reports, verdicts, heapBytes) => {
          this.#packetThreadHeapBytes = heapBytes;
          for (const report of reports) this.#counters.set(`${report.direction} ${report.spi}`, report);
          this.#verdicts = verdicts;
          options.onReports?.(reports);
        },
        restarted: (error, sas) => options.log.line('error', restartedText(error, sas)),
        died: options.onDeath,
      },
      options.mark,
      options.store,
    );
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
        counters: (direction, spi) => this.#counters.get(`${direction} ${spi}`)?.counters,
      });
    }
  }

  /** @throws PacketThreadError, ControlSocketError, ViciError or a system error, before anything was sent */
  async start(): Promise<void> {
    const { openPacketIo, openNetwork, socketPath } = this.#options;
    const ownersKnown = this.#owners?.start();
    try {
      this.#io = await openPacketIo(this.#driver.packetIoListener);
      this.#network = await openNetwork(this.#io);
      if (socketPath !== undefined) {
        this.#control = await ControlServer.listen(socketPath, (request) => this.#answer(request));
      }
      await this.#vici?.listen();
      await ownersKnown;
    } catch (error) {
      await this.#control?.close();
      await this.#network?.close();
      await this.#io?.close();
      await this.#owners?.stop();
      throw error;
    }
    this.#driver.start(this.#io, this.#owners?.claims, this.#owners?.ownership);
    this.#running = true;
    this.#owners?.announce();
    // Traffic for a trap policy may come as soon as this host says that it runs.
    await this.#network.settled();
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
    await this.#vici?.close();
    await this.#control?.close();
    await this.#network?.close();
    await this.#io?.close();
    // What it gives up is kept, too.
    await this.#owners?.stop();
    await this.#options.store?.close();
    this.#options.keyLog?.close();
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
    const owners = this.#owners;
    if (owners === undefined || !this.#running) return;
    this.#driver.know(owners.claims, owners.ownership);
    owners.holdSingly(this.#engine.spisOutsideLease());
  }

  reload(): boolean {
    const configuration = this.#options.reload();
    if (configuration === undefined) return false;
    this.#vici?.configurationReplaced(configuration);
    void this.#driver.command({ kind: 'load', configuration });
    return true;
  }

  status(): DaemonStatus {
    return {
      version: packageVersion(),
      pid: process.pid,
      uptimeMs: monotonicMs() - this.#startedAt,
      engine: this.#engine.status(),
      counters: [...this.#counters.values()],
      verdicts: this.#verdicts,
      memory: this.#memory(),
      ...(this.#owners === undefined ? {} : { owners: this.#owners.status() }),
      ...(this.#io?.tunName === undefined ? {} : { tunName: this.#io.tunName }),
    };
  }

  #report(event: EngineEvent): void {
    const { level, text, ofStrangers } = eventText(event);
    const { log } = this.#options;
    if (ofStrangers) log.strangerLine(level, text);
    else log.line(level, text);
    this.#vici?.event(event);
    this.#network?.follow(event);
    if (
      event.kind === 'ike' &&
      (event.event.kind === 'child-rekeyed' || event.event.kind === 'child-ended')
    ) {
      const gone = event.event.kind === 'child-rekeyed' ? event.event.replaced : event.event.child;
      this.#counters.delete(`inbound ${gone.inboundSpi}`);
      this.#counters.delete(`outbound ${gone.outboundSpi}`);
    }
    this.#options.onEvent?.(event);
  }

  async #answer(request: ControlRequest): Promise<ControlAnswer> {
    switch (request.kind) {
      case 'status':
        return { kind: 'status', status: this.status() };
      case 'why':
        return { kind: 'why', answer: this.#engine.why(request.subject) };
      case 'crash':
        return { kind: 'refused', detail: 'only a demonstration (npm start) crashes when it is asked to' };
      case 'up':
        return this.#carryOut({ kind: 'initiate', child: request.child });
      case 'down': {
        const child = await this.#carryOut({ kind: 'terminate', child: request.name });
        if (child.result.ok || child.result.code !== 'not-found') return child;
        return this.#carryOut({ kind: 'terminate', connection: request.name });
      }
      case 'rekey':
        return this.#carryOut(
          request.ike ? { kind: 'rekey', connection: request.name } : { kind: 'rekey', child: request.name },
        );
      case 'reload':
        return this.reload()
          ? { kind: 'result', result: { ok: true, count: 0 } }
          : { kind: 'refused', detail: 'the configuration has errors; the old one stays (see the log)' };
    }
  }

  /** The answer waits for routes and scripts, so that traffic can follow it at once. */
  async #carryOut(command: EngineCommand): Promise<Extract<ControlAnswer, { kind: 'result' }>> {
    const result = await this.#driver.command(command);
    await this.#network?.settled();
    return { kind: 'result', result };
  }
}

function restartedText(error: Error, sas: number): string {
  return `the packet thread died: ${error.message}; a new one goes on with its ${sas} SAs`;
}
