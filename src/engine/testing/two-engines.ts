// Two engines and the wire between them, in virtual time: each datagram is delivered, dropped or held by hand.
import assert from 'node:assert/strict';
import { seededRandomness } from '#crypto';
import type { DataPlaneEvent, Endpoint, IpAddress, SaCommand, SaResult } from '#sa';
import type { EngineConfiguration } from '../configuration.ts';
import { Engine } from '../engine.ts';
import type { CommandResult, EngineCommand, EngineEvent, EngineInput } from '../interface.ts';
import { addresses, configuration, type HostName, peerOf } from './configurations.ts';

type Untimed<Input> = Input extends { readonly at: number } ? Omit<Input, 'at'> : never;

export interface Datagram {
  readonly to: HostName;
  readonly source: Endpoint;
  readonly destination: Endpoint;
  readonly octets: Uint8Array;
}

/** One engine, its driver, and what it has said so far. */
export class EngineHost {
  readonly name: HostName;
  readonly events: EngineEvent[] = [];
  readonly saCommands: SaCommand[] = [];
  readonly results: Map<number, CommandResult> = new Map();
  /** Every datagram it sent, also to strangers. */
  readonly sent: Datagram[] = [];
  engine: Engine;
  /** What the data plane answers. */
  answer: (command: SaCommand) => SaResult = () => ({ ok: true });
  resolves = true;
  /** From where it would send. */
  address: IpAddress;
  readonly #pair: EnginePair;
  readonly #configuration: EngineConfiguration;
  readonly #spiGroups: number | undefined;
  #starts = 0;
  #nextCommandId = 1;

  constructor(pair: EnginePair, name: HostName, configured: EngineConfiguration, spiGroups?: number) {
    this.#pair = pair;
    this.#spiGroups = spiGroups;
    this.name = name;
    this.address = addresses[name];
    this.#configuration = configured;
    this.engine = this.#makeEngine();
  }

  #makeEngine(): Engine {
    const seed = Uint8Array.from(`${this.name} ${this.#starts++}`, (letter) => letter.charCodeAt(0));
    return new Engine({
      randomness: seededRandomness(seed),
      configuration: this.#configuration,
      ...(this.#spiGroups !== undefined && { spiGroups: this.#spiGroups }),
    });
  }

  /** All state is lost. */
  crash(): void {
    this.engine = this.#makeEngine();
    this.give({ kind: 'timeout' });
  }

  give(input: Untimed<EngineInput>): void {
    const queue: Untimed<EngineInput>[] = [input];
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      this.engine.handle({ ...next, at: this.#pair.now } as EngineInput);
      for (let output = this.engine.poll(); output !== undefined; output = this.engine.poll()) {
        switch (output.kind) {
          case 'transmit': {
            const { local: source, remote: destination, octets } = output;
            const datagram = { to: peerOf(this.name), source, destination, octets };
            this.sent.push(datagram);
            const { further } = this.#pair;
            if (destination.address === addresses[peerOf(this.name)] || further.has(destination.address))
              this.#pair.wire.push(datagram);
            break;
          }
          case 'sa-command':
            this.saCommands.push(output.command);
            queue.push({ kind: 'sa-result', id: output.id, result: this.answer(output.command) });
            break;
          case 'resolve':
            queue.push({
              kind: 'resolved',
              id: output.id,
              result: this.resolves
                ? { ok: true, local: this.address, remote: addresses[peerOf(this.name)] }
                : { ok: false, detail: 'the name is unknown' },
            });
            break;
          case 'command-result':
            assert.ok(!this.results.has(output.id), 'a command is answered once');
            this.results.set(output.id, output.result);
            break;
          case 'event':
            this.events.push(output.event);
            break;
          case 'compute':
          case 'key-log':
            break;
        }
      }
    }
  }

  /** Returns the number under which `results` will have the answer. */
  command(command: EngineCommand): number {
    const id = this.#nextCommandId++;
    this.give({ kind: 'command', id, command });
    return id;
  }

  dataPlane(event: DataPlaneEvent): void {
    this.give({ kind: 'data-plane', event });
  }

  receive(octets: Uint8Array, source: Endpoint, port = 500): void {
    this.give({
      kind: 'datagram',
      local: { address: addresses[this.name], port },
      remote: source,
      octets,
    });
  }

  eventsOf<K extends EngineEvent['kind']>(kind: K): Extract<EngineEvent, { readonly kind: K }>[] {
    return this.events.filter(
      (event): event is Extract<EngineEvent, { readonly kind: K }> => event.kind === kind,
    );
  }

  /** How many events of its IKE SAs there were of this kind. */
  countIke(kind: string): number {
    return this.eventsOf('ike').filter(({ event }) => event.kind === kind).length;
  }

  get established(): number {
    return this.engine.status().ikeSas.filter(({ phase }) => phase === 'established').length;
  }

  get children(): number {
    return this.engine.status().ikeSas.flatMap(({ children }) => children).length;
  }
}

export class EnginePair {
  readonly moon: EngineHost;
  readonly sun: EngineHost;
  /** In flight, oldest first. */
  readonly wire: Datagram[] = [];
  now = 0;
  /** Nothing arrives while it is cut. */
  cut = false;
  /** Addresses by which either engine is reached, too. */
  readonly further: Set<string> = new Set();

  constructor(
    options: {
      readonly moon?: EngineConfiguration;
      readonly sun?: EngineConfiguration;
      readonly spiGroups?: number;
    } = {},
  ) {
    this.moon = new EngineHost(this, 'moon', options.moon ?? configuration('moon'), options.spiGroups);
    this.sun = new EngineHost(this, 'sun', options.sun ?? configuration('sun'), options.spiGroups);
  }

  /** Both engines begin: connections with `start_action` are started. */
  start(): this {
    for (const host of [this.moon, this.sun]) host.give({ kind: 'wall-clock', wallClockMs: 1.8e12 });
    return this;
  }

  deliver(datagram: Datagram): void {
    this[datagram.to].give({
      kind: 'datagram',
      local: datagram.destination,
      remote: datagram.source,
      octets: datagram.octets,
    });
  }

  /** Delivers everything until the wire is empty; each datagram takes a millisecond. */
  settle(): void {
    for (let count = 0; this.wire.length > 0; count++) {
      assert.ok(count < 500, 'the engines never stop talking');
      const datagram = this.wire.shift()!;
      this.now++;
      if (!this.cut) this.deliver(datagram);
    }
  }

  /** Time passes; what is sent arrives. */
  run(durationMs: number): void {
    const end = this.now + durationMs;
    this.settle();
    for (;;) {
      const due = [this.moon, this.sun].map(({ engine }) => engine.deadline() ?? Number.POSITIVE_INFINITY);
      const next = Math.min(...due);
      if (next > end) break;
      this.now = Math.max(this.now, next);
      for (const host of [this.moon, this.sun]) {
        if ((host.engine.deadline() ?? Number.POSITIVE_INFINITY) <= this.now) host.give({ kind: 'timeout' });
      }
      this.settle();
    }
    this.now = Math.max(this.now, end);
  }

  /** A tunnel that moon asked for. */
  establish(): this {
    this.start();
    const id = this.moon.command({ kind: 'initiate', child: 'net' });
    this.settle();
    assert.deepEqual(this.moon.results.get(id), { ok: true, count: 1 });
    return this;
  }
}
