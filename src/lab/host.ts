// A host in the lab: the daemon's engine and a data plane, driven in virtual time as the daemon's driver does in real time.
import { type Randomness, runComputeJob } from '#crypto';
import {
  type CommandResult,
  Engine,
  type EngineCommand,
  type EngineInput,
  type EngineOutput,
  type EngineStatus,
  type TableSizes,
} from '#engine';
import { type DataPlaneStatistics, MemoryDataPlane } from '#ipsec';
import type { Endpoint, IpAddress, SaCommand, SaResult } from '#sa';
import { classifyUdpEncapsulated } from '#wire';
import { addressCommands } from './address-commands.ts';
import { LabDisk } from './disk.ts';
import type { EventQueue } from './event-queue.ts';
import type { FaultKind, LabEvent } from './events.ts';
import { InstalledSas } from './installed-sas.ts';
import { type KnownPair, knownPairs } from './known-pairs.ts';
import { lookUp } from './look-up.ts';
import type { Datagram } from './network/datagram.ts';
import { type QuotedPacket, quoteOfIcmp } from './network/icmp-quote.ts';
import type { Prng } from './prng.ts';
import type { HostScenario } from './scenario.ts';

/** What a host needs of the world around it. */
export interface HostWorld {
  readonly queue: EventQueue;
  readonly prng: Prng;
  now(): number;
  /** Wall-clock milliseconds. */
  wallClock(): number;
  send(host: string, datagram: Datagram): void;
  report(event: LabEvent): void;
  fault(fault: FaultKind, subject: string): void;
  /** The address of a name, as the host's resolver sees it now. */
  lookUp(host: string, name: string): IpAddress | undefined;
}

type Untimed<Input> = Input extends { readonly at: number } ? Omit<Input, 'at'> : never;

/** How often the data plane tells which SAs were used, unless the scenario says otherwise. */
const reportIntervalMsDefault = 1_000;
/** How long the disk takes to make a record durable, at most. */
const writeDelayMsMax = 5;
/** Nothing is read before SAs of an earlier process stand again, but for no longer than this. */
const deafMsMax = 500;
/** What the kernel keeps for a host that does not read. */
const unreadMax = 64;
/** A host that wants to be woken so often without time passing is caught in a circle. */
const wakeUpsAtOnceMax = 1_000;

function portless(address: IpAddress): Endpoint {
  return { address, port: 0 };
}

/** Everything that a crash takes. */
interface Running {
  readonly engine: Engine;
  readonly plane: MemoryDataPlane;
  readonly incarnation: number;
  readonly inputs: EngineInput[];
  readonly installed: InstalledSas;
  busy: boolean;
  keying: boolean;
  wakeAt: number | undefined;
  lastAppliedAt: number;
  wakeUpsAtOnce: number;
  lastWokenAt: number;
  /** What came while nothing is read. */
  unread: Datagram[] | undefined;
  /** What is to be done once the process goes on; `undefined`: it runs. */
  stopped: (() => void)[] | undefined;
}

/** How a host's data plane is made; tests put broken ones in its place. */
export type PlaneMaker = (options: { readonly randomness: Randomness }) => MemoryDataPlane;

/** An engine with a data plane and a disk in the virtual internet, which may crash and start again. */
export class LabHost {
  readonly scenario: HostScenario;
  readonly #world: HostWorld;
  readonly #makePlane: PlaneMaker;
  // What outlives a crash.
  readonly #disk: LabDisk;
  readonly #randomness: Randomness;
  readonly #results = new Map<number, CommandResult>();
  #incarnation = 0;
  #nextCommandId = 1;
  #running: Running | undefined;
  /** `undefined`: it is on no network. */
  #address: IpAddress | undefined;
  /** Share of the SA installations that the data plane refuses. */
  refusal = 0;

  constructor(
    scenario: HostScenario,
    randomness: Randomness,
    world: HostWorld,
    makePlane: PlaneMaker = (options) => new MemoryDataPlane(options),
  ) {
    this.scenario = scenario;
    this.#address = scenario.address;
    this.#disk = new LabDisk(world.prng);
    this.#randomness = randomness;
    this.#world = world;
    this.#makePlane = makePlane;
  }

  get name(): string {
    return this.scenario.name;
  }

  get isUp(): boolean {
    return this.#running !== undefined;
  }

  /** Up, and not paused. */
  get isRunning(): boolean {
    return this.#running !== undefined && this.#running.stopped === undefined;
  }

  /** Counts the starts of this host. */
  get incarnation(): number {
    return this.#incarnation;
  }

  /** What the engine says of itself; `undefined` while the host is down. */
  status(): EngineStatus | undefined {
    return this.#running?.engine.status();
  }

  /** The pairs of SAs that the engine believes in: Child SAs, and those of HIP associations. */
  childSas(): readonly KnownPair[] {
    return this.#running === undefined ? [] : knownPairs(this.#running.engine);
  }

  /** How much the engine holds; `undefined` while the host is down. */
  tables(): TableSizes | undefined {
    return this.#running?.engine.tables();
  }

  /** When the engine or the data plane wants to be woken. */
  deadline(): number | undefined {
    const running = this.#running;
    return running === undefined ? undefined : earliest(running.engine.deadline(), running.plane.deadline());
  }

  planeStatistics(): DataPlaneStatistics | undefined {
    return this.#running?.plane.stats();
  }

  /** Whether the data plane itself has an SA. */
  hasSa(direction: 'inbound' | 'outbound', spi: number): boolean {
    return this.#running?.plane.counters('esp', direction, spi) !== undefined;
  }

  start(): void {
    if (this.#running !== undefined) return;
    const world = this.#world;
    const { configuration, checkpoint } = this.scenario;
    const recordKey = checkpoint?.recordKey ?? this.scenario.recordKey;
    const randomness = this.#randomness;
    this.#running = {
      engine: new Engine({
        randomness,
        configuration,
        keyLog: true,
        stored: this.#disk.records,
        ...(recordKey === undefined ? {} : { recordKey }),
        ...(checkpoint === undefined ? {} : { checkpoint: checkpoint.options }),
      }),
      plane: this.#makePlane({ randomness }),
      incarnation: ++this.#incarnation,
      inputs: [],
      installed: new InstalledSas(),
      busy: false,
      keying: false,
      wakeAt: undefined,
      lastAppliedAt: world.now(),
      wakeUpsAtOnce: 0,
      lastWokenAt: Number.NEGATIVE_INFINITY,
      unread: [],
      stopped: undefined,
    };
    world.report({ kind: 'up', at: world.now(), host: this.name, incarnation: this.#incarnation });
    this.#give({ kind: 'wall-clock', wallClockMs: world.wallClock() });
    this.#later(deafMsMax, () => this.#read());
    this.#followAddress();
    this.#tellTrafficLater();
  }

  crash(): void {
    if (this.#running === undefined) return;
    this.#running = undefined;
    this.#disk.crash();
    const world = this.#world;
    world.fault('crash', this.name);
    world.report({ kind: 'down', at: world.now(), host: this.name, incarnation: this.#incarnation });
  }

  /** The process stands still, and with it its data plane; its machine does not. */
  pause(): void {
    const running = this.#running;
    if (running === undefined || running.stopped !== undefined) return;
    running.stopped = [];
    this.#world.fault('pause', this.name);
  }

  /** It goes on: timers first, then what has come and what was to be done meanwhile. */
  resume(): void {
    const running = this.#running;
    const missed = running?.stopped;
    if (running === undefined || missed === undefined) return;
    running.stopped = undefined;
    this.#wakeIfDue(running);
    for (const run of missed) if (this.#running === running) run();
  }

  /** Its result is found under the returned number later; `undefined` if the host is down. */
  command(command: EngineCommand): number | undefined {
    if (this.#running === undefined) return undefined;
    const id = this.#nextCommandId++;
    this.#give({ kind: 'command', id, command });
    return id;
  }

  result(id: number): CommandResult | undefined {
    return this.#results.get(id);
  }

  /** The host has this address now, and no other. */
  moveTo(address: IpAddress | undefined): void {
    this.#world.fault('move', this.name);
    this.#address = address;
    this.#followAddress();
  }

  /** What the daemon does once it has noticed. */
  #followAddress(): void {
    if (this.#running?.stopped !== undefined) {
      this.#running.stopped.push(() => this.#followAddress());
      return;
    }
    const { hip } = this.scenario.configuration;
    const commands = addressCommands(this.#address, hip !== undefined, () => this.status());
    for (const command of commands) this.command(command);
  }

  /** A packet from the protected side. */
  sendPacket(packet: Uint8Array): void {
    const running = this.#running;
    if (running === undefined || running.stopped !== undefined) return;
    running.plane.outbound(packet, this.#world.now());
    this.#drainPlane(running);
    this.#settle(running);
  }

  /** Something comes in from the network. */
  receive(datagram: Datagram): void {
    const running = this.#running;
    if (running === undefined) return;
    if (running.stopped !== undefined) {
      if (running.stopped.length < unreadMax) running.stopped.push(() => this.receive(datagram));
      return;
    }
    if (running.unread !== undefined) {
      if (running.unread.length < unreadMax) running.unread.push(datagram);
      return;
    }
    const world = this.#world;
    // What was due anyway must not look like an effect of the datagram.
    this.#wakeIfDue(running);
    const { protocol, source, destination, octets } = datagram;
    world.report({ kind: 'arriving', at: world.now(), host: this.name, datagram });
    const shared = destination.port === this.scenario.configuration.ports.natTraversal;
    if (protocol === 'hip') {
      this.#give({ kind: 'hip-packet', path: { local: destination, remote: source }, octets });
    } else if (protocol === 'icmp') {
      const quote = quoteOfIcmp(datagram);
      if (quote !== undefined) this.receiveIcmpError(source.address, quote);
    } else if (protocol === 'esp' || (shared && classifyUdpEncapsulated(octets) === 'esp')) {
      running.plane.inbound({ local: destination, remote: source, protocol, octets }, world.now());
      this.#drainPlane(running);
      this.#settle(running);
    } else if (shared || destination.port === this.scenario.configuration.ports.ike) {
      this.#give({ kind: 'datagram', local: destination, remote: source, octets });
    }
    world.report({ kind: 'arrived', at: world.now(), host: this.name, datagram });
  }

  /** An ICMP error comes in, or somebody made one up. */
  receiveIcmpError(from: IpAddress, quote: QuotedPacket): void {
    this.#give({ kind: 'icmp-error', from, quote });
  }

  /** Inputs that arise while outputs are being carried out wait until these are done. */
  #give(untimed: Untimed<EngineInput>): void {
    const running = this.#running;
    if (running === undefined) return;
    if (running.stopped !== undefined) {
      running.stopped.push(() => this.#give(untimed));
      return;
    }
    const { engine, inputs } = running;
    running.keying = true;
    inputs.push({ ...untimed, at: this.#world.now() } as EngineInput);
    if (running.busy) return;
    running.busy = true;
    for (let input = inputs.shift(); input !== undefined; input = inputs.shift()) {
      engine.handle(input);
      for (let output = engine.poll(); output !== undefined; output = engine.poll()) {
        this.#carryOut(running, output);
      }
    }
    running.busy = false;
    if (engine.ready) this.#read();
    this.#settle(running);
  }

  /** From now on what comes is read at once. */
  #read(): void {
    const running = this.#running;
    const unread = running?.unread;
    if (running === undefined || unread === undefined) return;
    running.unread = undefined;
    for (const datagram of unread) if (this.#running === running) this.receive(datagram);
  }

  #settle(running: Running): void {
    if (running.busy) return;
    const { keying } = running;
    running.keying = false;
    this.#schedule(running);
    this.#world.report({ kind: 'settled', at: this.#world.now(), host: this, keying });
  }

  #schedule(running: Running): void {
    const deadline = earliest(running.engine.deadline(), running.plane.deadline());
    if (deadline === running.wakeAt) return;
    running.wakeAt = deadline;
    if (deadline === undefined) return;
    const { queue } = this.#world;
    const at = Math.max(this.#world.now(), Math.ceil(deadline));
    queue.add({
      at,
      run: () => {
        const isAwake = this.#running === running && running.stopped === undefined;
        if (isAwake && running.wakeAt === deadline) this.#wake(running);
      },
    });
  }

  #wakeIfDue(running: Running): void {
    const deadline = earliest(running.engine.deadline(), running.plane.deadline());
    if (deadline !== undefined && deadline <= this.#world.now()) this.#wake(running);
  }

  #wake(running: Running): void {
    const now = this.#world.now();
    running.wakeAt = undefined;
    if (running.lastWokenAt === now) {
      if (++running.wakeUpsAtOnce > wakeUpsAtOnceMax) {
        throw new Error(`${this.name} wants to be woken at ${now} ms again and again`);
      }
    } else {
      running.wakeUpsAtOnce = 0;
      running.lastWokenAt = now;
    }
    running.plane.handleTimeout(now);
    this.#drainPlane(running);
    if ((running.engine.deadline() ?? Number.POSITIVE_INFINITY) <= now) this.#give({ kind: 'timeout' });
    else this.#settle(running);
  }

  /** Runs later in this life of the host, or not at all. */
  #later(delayMs: number, run: () => void, ready?: Promise<void>): void {
    const running = this.#running;
    this.#world.queue.add({
      at: this.#world.now() + delayMs,
      run: () => {
        if (this.#running !== running) return;
        if (running?.stopped === undefined) run();
        else running.stopped.push(run);
      },
      ...(ready === undefined ? {} : { ready }),
    });
  }

  #carryOut(running: Running, output: EngineOutput): void {
    const world = this.#world;
    world.report({ kind: 'engine', at: world.now(), host: this.name, output });
    switch (output.kind) {
      case 'transmit':
        this.#send('udp', output.local, output.remote, output.octets);
        break;
      case 'hip-transmit':
        // The lab's peers are called right in IP.
        this.#send('hip', output.path.local, output.path.remote, output.octets);
        break;
      case 'icmp':
        this.#send('icmp', portless(output.local), portless(output.remote), output.octets);
        break;
      case 'sa-command':
        this.#command(running, output.id, output.command);
        break;
      case 'compute': {
        let give = (): void => undefined;
        const ready = runComputeJob(output.job).then((result) => {
          give = () => this.#give({ kind: 'computed', id: output.id, result });
        });
        this.#later(this.scenario.computeDelayMs, () => give(), ready);
        break;
      }
      case 'resolve':
        this.#later(this.scenario.computeDelayMs, () => {
          const result = lookUp(this.name, output, this.#address, world);
          this.#give({ kind: 'resolved', id: output.id, result });
        });
        break;
      case 'store': {
        const makeDurable = this.#disk.write(output.key, output.octets);
        this.#later(world.prng.between(0, writeDelayMsMax), () => {
          makeDurable();
          this.#give({ kind: 'stored', id: output.id });
        });
        break;
      }
      case 'command-result':
        this.#results.set(output.id, output.result);
        break;
      case 'event':
      case 'key-log':
        break;
    }
  }

  #command(running: Running, id: number, command: SaCommand): void {
    const world = this.#world;
    world.report({
      kind: 'sa-command',
      at: world.now(),
      host: this.name,
      incarnation: this.#incarnation,
      command,
    });
    const { dataPlaneDelayMs } = this.scenario;
    if (dataPlaneDelayMs === 0) {
      this.#apply(running, id, command);
      return;
    }
    // Commands are carried out in their order, however long each takes.
    const at = Math.max(running.lastAppliedAt, world.now() + world.prng.between(0, dataPlaneDelayMs));
    running.lastAppliedAt = at;
    this.#later(at - world.now(), () => {
      this.#apply(running, id, command);
      this.#settle(running);
    });
  }

  #apply(running: Running, id: number, command: SaCommand): void {
    const world = this.#world;
    const refused = command.kind === 'install' && world.prng.chance(this.refusal);
    if (refused) world.fault('install-refused', this.name);
    const result: SaResult = refused
      ? { ok: false, code: 'failed', detail: 'the data plane has no room' }
      : running.plane.apply(command, world.now());
    if (result.ok) running.installed.note(command);
    world.report({ kind: 'sa-result', at: world.now(), host: this.name, command, result });
    this.#give({ kind: 'sa-result', id, result });
    this.#drainPlane(running);
  }

  #drainPlane(running: Running): void {
    const world = this.#world;
    const { plane } = running;
    for (let output = plane.poll(); output !== undefined; output = plane.poll()) {
      switch (output.kind) {
        case 'transmit':
          this.#send(output.protocol, output.local, output.remote, output.octets);
          break;
        case 'deliver':
          world.report({ kind: 'delivered', at: world.now(), host: this.name, packet: output.packet });
          break;
        case 'bypass':
          world.report({ kind: 'bypassed', at: world.now(), host: this.name, packet: output.packet });
          break;
        // A host of the lab has one data plane, which seals everything itself.
        case 'hand-over':
          break;
        case 'event':
          this.#give({ kind: 'data-plane', event: output.event });
          break;
      }
    }
  }

  #send(protocol: Datagram['protocol'], source: Endpoint, destination: Endpoint, octets: Uint8Array): void {
    const world = this.#world;
    const datagram: Datagram = { protocol, source, destination, octets: octets.slice(), origin: 'host' };
    world.report({ kind: 'sent', at: world.now(), host: this.name, datagram });
    world.send(this.name, datagram);
  }

  #tellTrafficLater(): void {
    this.#later(this.scenario.trafficReportMs ?? reportIntervalMsDefault, () => this.#tellTraffic());
  }

  #tellTraffic(): void {
    const running = this.#running;
    if (running === undefined) return;
    const notes = running.installed.trafficNotes(running.plane);
    if (notes.length > 0) this.#give({ kind: 'traffic', notes });
    this.#tellTrafficLater();
  }
}

function earliest(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined) return b;
  return b === undefined ? a : Math.min(a, b);
}
