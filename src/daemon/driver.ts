// Drives one engine with the real clock, real sockets and real jobs. It decides nothing itself.
import { runComputeJob } from '#crypto';
import type { CommandResult, Engine, EngineCommand, EngineEvent, EngineInput, EngineOutput } from '#engine';
import type { KeyLogEntry } from '#ike';
import { monotonicMs, type SaReport } from '#linux';
import type { Endpoint } from '#sa';
import { noClaims, type SpiClaims, type SpiOwnership, soleOwnership } from '#unknown-spi';
import { resolveHost } from './network/resolve-host.ts';
import { trafficNotes } from './observation/traffic-notes.ts';
import type { PacketIo, PacketIoListener } from './packet-io.ts';
import type { Durability, RecordStore } from './state/record-store.ts';

/** What a driver tells of its engine. */
export interface DriverListener {
  /** @param at monotonic milliseconds */
  event(at: number, event: EngineEvent): void;
  /** Octets of one of our ports, before the engine has them or after. */
  datagram(direction: 'in' | 'out', local: Endpoint, remote: Endpoint, octets: Uint8Array): void;
  keyLog(entry: KeyLogEntry): void;
  reports(reports: readonly SaReport[]): void;
  /** @param verdicts packets by what became of them */
  statistics(verdicts: Readonly<Record<string, number>>, heapBytes?: number): void;
  /** SPIs that other key managers hold in the kernel's SAD, after each change. */
  foreignSpis?(spis: readonly number[]): void;
  /** The data plane goes on without something that it should have. */
  warning?(text: string): void;
  /** The data plane died, and goes on with so many SAs. */
  restarted(error: Error, sas: number): void;
  /** This machine may be somewhere else now. */
  addressesChanged(): void;
  /** The data plane died: nothing can go on. */
  died(error: Error): void;
}

/** What strangers send while this host starts is answered as soon as it can be, but only so much of it is kept. */
const earlyInputsMax = 64;

/** Nothing is read before SAs of an earlier process stand again, but a disk that hangs must not keep a host deaf. */
const deafMsMax = 500;

/** Longest sleep of a Node timer. */
const timerMsMax = 2 ** 31 - 1;

type StoreOutput = Extract<EngineOutput, { readonly kind: 'store' }>;

function durabilityOf({ untilReboot, flushBehind }: StoreOutput): Durability {
  if (untilReboot === true) return 'process';
  return flushBehind === true ? 'process-first' : 'machine';
}

/** Drives an engine: gives it what comes, carries out what it says, and calls it when it wants to be called. */
export class Driver {
  readonly #engine: Engine;
  readonly #listener: DriverListener;
  readonly #mark: number;
  readonly #store: RecordStore | undefined;
  readonly #inputs: EngineInput[] = [];
  /** What came before the engine was started. */
  #early: EngineInput[] | undefined = [];
  readonly #commands = new Map<number, (result: CommandResult) => void>();
  #io: PacketIo | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer goes off, by the clock of the engine. */
  #timerAt = Number.POSITIVE_INFINITY;
  /** Until we receive. */
  #deaf: NodeJS.Timeout | undefined;
  #nextCommandId = 1;
  #busy = false;
  #stopped = false;

  /** @param mark SO_MARK of our sockets, so that source addresses are looked up as our packets are routed */
  constructor(engine: Engine, listener: DriverListener, mark: number, store?: RecordStore) {
    this.#engine = engine;
    this.#listener = listener;
    this.#mark = mark;
    this.#store = store;
  }

  /** Where the packet IO reports to. */
  readonly packetIoListener: PacketIoListener = {
    datagram: (local, remote, octets) => {
      this.#listener.datagram('in', local, remote, octets);
      this.#give({ kind: 'datagram', at: monotonicMs(), local, remote, octets });
    },
    hipPacket: (local, remote, octets) =>
      this.#give({ kind: 'hip-packet', at: monotonicMs(), path: { local, remote }, octets }),
    addressesChanged: () => this.#listener.addressesChanged(),
    icmpError: (error) => this.#give({ kind: 'icmp-error', at: monotonicMs(), ...error }),
    event: (event) => this.#give({ kind: 'data-plane', at: monotonicMs(), event }),
    saResult: (id, result) => this.#give({ kind: 'sa-result', at: monotonicMs(), id, result }),
    reports: (reports) => {
      this.#listener.reports(reports);
      const notes = trafficNotes(reports);
      if (notes.length > 0) this.#give({ kind: 'traffic', at: monotonicMs(), notes });
    },
    statistics: (verdicts, heapBytes) => this.#listener.statistics(verdicts, heapBytes),
    foreignSpis: (spis) => this.#listener.foreignSpis?.(spis),
    warning: (text) => this.#listener.warning?.(text),
    restarted: (error, sas) => this.#listener.restarted(error, sas),
    died: (error) => this.#listener.died(error),
  };

  /** Starts the engine: connections that are to be started begin now. */
  start(io: PacketIo, claims: SpiClaims = noClaims, ownership: SpiOwnership = soleOwnership): void {
    this.#io = io;
    const early = this.#early ?? [];
    this.#early = undefined;
    this.#give({ kind: 'wall-clock', at: monotonicMs(), wallClockMs: Date.now() });
    this.know(claims, ownership);
    for (const input of early) this.#give({ ...input, at: monotonicMs() });
    this.#deaf = setTimeout(() => this.#receive(), deafMsMax);
    if (this.#engine.ready) this.#receive();
  }

  #receive(): void {
    clearTimeout(this.#deaf);
    this.#deaf = undefined;
    this.#io?.receive();
  }

  /** Whose SPIs are whose on this host. Told again after each change. */
  know(claims: SpiClaims, ownership: SpiOwnership): void {
    this.#give({ kind: 'spi-lease', at: monotonicMs(), claims });
    this.#give({ kind: 'spi-owners', at: monotonicMs(), ownership });
  }

  command(command: EngineCommand): Promise<CommandResult> {
    const id = this.#nextCommandId++;
    return new Promise((resolve) => {
      this.#commands.set(id, resolve);
      this.#give({ kind: 'command', at: monotonicMs(), id, command });
    });
  }

  /** Stops the timer; the engine is not called again. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#deaf);
  }

  /** Inputs that arise while outputs are being carried out wait until these are done. */
  #give(input: EngineInput): void {
    if (this.#stopped) return;
    if (this.#early !== undefined) {
      // Sockets are open a little before the engine may answer through them, and before it knows the time of day.
      if (input.kind === 'command' || this.#early.length < earlyInputsMax) this.#early.push(input);
      return;
    }
    this.#inputs.push(input);
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) {
        this.#engine.handle(next);
        for (let output = this.#engine.poll(); output !== undefined; output = this.#engine.poll())
          this.#carryOut(output);
      }
    } finally {
      this.#busy = false;
    }
    if (this.#deaf !== undefined && this.#engine.ready) this.#receive();
    this.#schedule();
  }

  /** A timer that goes off too early costs less than one that is set anew with each input. */
  #schedule(): void {
    const deadline = this.#engine.deadline();
    if (deadline === undefined || deadline >= this.#timerAt || this.#stopped) return;
    clearTimeout(this.#timer);
    const now = monotonicMs();
    const delayMs = Math.min(timerMsMax, Math.max(0, Math.ceil(deadline - now)));
    this.#timerAt = now + delayMs;
    this.#timer = setTimeout(() => {
      this.#timerAt = Number.POSITIVE_INFINITY;
      this.#give({ kind: 'timeout', at: monotonicMs() });
    }, delayMs);
  }

  /** Without a store nothing ever becomes durable, and what depends on it stays withheld. */
  #keep(output: StoreOutput): void {
    const { id, key, octets, unawaited } = output;
    const kept = this.#store?.write(key, octets, durabilityOf(output));
    if (unawaited !== true) void kept?.then(() => this.#give({ kind: 'stored', at: monotonicMs(), id }));
  }

  #carryOut(output: EngineOutput): void {
    switch (output.kind) {
      case 'transmit':
        this.#listener.datagram('out', output.local, output.remote, output.octets);
        this.#io?.transmit(output.local, output.remote, output.octets);
        break;
      case 'hip-transmit':
        this.#io?.transmitHip(output.path.local, output.path.remote, output.octets);
        break;
      case 'icmp':
        this.#io?.sendIcmp(output.local, output.remote, output.octets);
        break;
      case 'sa-command':
        this.#io?.apply(output.id, output.command);
        break;
      case 'store':
        this.#keep(output);
        break;
      case 'compute':
        runComputeJob(output.job).then((result) =>
          this.#give({ kind: 'computed', at: monotonicMs(), id: output.id, result }),
        );
        break;
      case 'resolve':
        resolveHost(output, this.#mark).then((result) =>
          this.#give({ kind: 'resolved', at: monotonicMs(), id: output.id, result }),
        );
        break;
      case 'command-result':
        this.#commands.get(output.id)?.(output.result);
        this.#commands.delete(output.id);
        break;
      case 'event':
        this.#listener.event(output.at, output.event);
        break;
      case 'key-log':
        this.#listener.keyLog(output.entry);
        break;
    }
  }
}
