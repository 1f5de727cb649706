// Two engines and the wire between them, in virtual time: a data plane that says yes to everything, and crashes by hand.
import assert from 'node:assert/strict';
import { seededRandomness } from '#crypto';
import type { ConnectionConfiguration } from '#ike';
import { address, type Endpoint, type IpAddress, type SaCommand } from '#sa';
import type { CheckpointOptions } from '../checkpoint/checkpoint.ts';
import type { EngineConfiguration } from '../configuration.ts';
import { Engine } from '../engine.ts';
import type { CommandResult, EngineCommand, EngineEvent, EngineInput } from '../interface.ts';

type Timeless<T> = T extends unknown ? Omit<T, 'at'> : never;

interface Datagram {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly octets: Uint8Array;
}

/** One host: its engine, and everything that the engine said. */
export class EngineHost {
  readonly address: IpAddress;
  configuration: EngineConfiguration;
  engine: Engine;
  readonly events: EngineEvent[] = [];
  readonly results: CommandResult[] = [];
  readonly sent: Datagram[] = [];
  /** What was asked to be stored and is not durable yet, while `holdStores` is set. */
  readonly heldStores: { readonly id: number; readonly key: string; readonly octets: Uint8Array }[] = [];
  holdStores = false;
  readonly disk: Map<string, Uint8Array> = new Map();
  recordKey: Uint8Array | undefined;
  /** Set to keep checkpoints, from the next boot on. */
  checkpoint: CheckpointOptions | undefined;
  readonly commands: SaCommand[] = [];
  now = 0;
  readonly #name: string;
  #boots = 0;

  constructor(
    name: string,
    hostAddress: string,
    configuration: EngineConfiguration,
    recordKey: Uint8Array | undefined,
    checkpoint?: CheckpointOptions,
  ) {
    this.recordKey = recordKey;
    this.checkpoint = checkpoint;
    this.#name = name;
    this.address = address(hostAddress);
    this.configuration = configuration;
    this.engine = this.#boot();
  }

  #boot(): Engine {
    const seed = Uint8Array.from(`${this.#name} ${this.#boots++}`, (character) => character.charCodeAt(0));
    return new Engine({
      randomness: seededRandomness(seed),
      configuration: this.configuration,
      stored: new Map(this.disk),
      ...(this.recordKey !== undefined && { recordKey: this.recordKey }),
      ...(this.checkpoint !== undefined && { checkpoint: this.checkpoint }),
    });
  }

  /** The process dies and is started again, with what is on its disk. */
  crash(): void {
    this.heldStores.length = 0;
    this.sent.length = 0;
    this.engine = this.#boot();
    this.start();
  }

  start(): void {
    this.input({ kind: 'wall-clock', wallClockMs: 1_800_000_000_000 + this.now });
  }

  input(input: Timeless<EngineInput>): void {
    this.engine.handle({ ...input, at: this.now } as EngineInput);
    for (let output = this.engine.poll(); output !== undefined; output = this.engine.poll()) {
      switch (output.kind) {
        case 'transmit':
          this.sent.push(output);
          break;
        case 'event':
          this.events.push(output.event);
          break;
        case 'command-result':
          this.results.push(output.result);
          break;
        case 'resolve':
          this.#later.push({
            kind: 'resolved',
            id: output.id,
            result: { ok: true, local: this.address, remote: output.host as IpAddress },
          });
          break;
        case 'store':
          if (this.holdStores) this.heldStores.push(output);
          else this.#write(output);
          break;
        case 'sa-command':
          this.commands.push(output.command);
          this.#later.push({ kind: 'sa-result', id: output.id, result: { ok: true } });
          break;
        default:
          break;
      }
    }
    for (let next = this.#later.shift(); next !== undefined; next = this.#later.shift()) this.input(next);
  }

  #write({
    id,
    key,
    octets,
  }: {
    readonly id: number;
    readonly key: string;
    readonly octets: Uint8Array;
  }): void {
    this.disk.set(key, octets);
    this.#later.push({ kind: 'stored', id });
  }

  /** Everything held is durable now. */
  releaseStores(): void {
    this.holdStores = false;
    for (const held of this.heldStores.splice(0)) this.#write(held);
    this.input({ kind: 'timeout' });
  }

  readonly #later: Timeless<EngineInput>[] = [];

  command(command: EngineCommand): void {
    this.input({ kind: 'command', id: this.results.length + 1, command });
  }

  /** Events of IKE SAs, by kind. */
  ikeEvents(): string[] {
    return this.events.flatMap((event) => (event.kind === 'ike' ? [event.event.kind] : []));
  }

  /** Whether each IKE SA that was established here was resumed. */
  establishments(): boolean[] {
    return this.events.flatMap((event) =>
      event.kind === 'ike' && event.event.kind === 'ike-established' ? [event.event.resumed] : [],
    );
  }
}

export interface HostOptions {
  readonly address: string;
  readonly configuration: EngineConfiguration;
  readonly recordKey?: Uint8Array;
  readonly checkpoint?: CheckpointOptions;
}

export class EnginePair {
  readonly moon: EngineHost;
  readonly sun: EngineHost;
  /** Exchange types of all datagrams that arrived, as numbers of the header. */
  readonly exchanges: number[] = [];

  constructor(moon: HostOptions, sun: HostOptions) {
    this.moon = new EngineHost('moon', moon.address, moon.configuration, moon.recordKey, moon.checkpoint);
    this.sun = new EngineHost('sun', sun.address, sun.configuration, sun.recordKey, sun.checkpoint);
    this.moon.start();
    this.sun.start();
  }

  /** Delivers everything until nobody has anything to say. */
  settle(): void {
    for (let count = 0; ; count++) {
      assert.ok(count < 1000, 'the hosts never stop talking');
      const from = [this.moon, this.sun].find(({ sent }) => sent.length > 0);
      const datagram = from?.sent.shift();
      if (from === undefined || datagram === undefined) return;
      const to = from === this.moon ? this.sun : this.moon;
      const { local, remote, octets } = datagram;
      this.exchanges.push(octets[local.port === 500 ? 18 : 22]!);
      to.input({ kind: 'datagram', local: remote, remote: local, octets });
    }
  }

  /** Time passes, and what is sent arrives at once; unless it is dropped on the way. */
  run(durationMs: number, options: { readonly drop?: boolean } = {}): void {
    const end = this.moon.now + durationMs;
    for (;;) {
      if (options.drop) for (const { sent } of [this.moon, this.sun]) sent.length = 0;
      else this.settle();
      const deadlines = [this.moon, this.sun].map(({ engine }) => engine.deadline());
      const next = Math.min(end, ...deadlines.map((deadline) => deadline ?? end));
      for (const host of [this.moon, this.sun]) host.now = next;
      if (next >= end && !deadlines.some((deadline) => deadline !== undefined && deadline <= end)) return;
      for (const host of [this.moon, this.sun]) host.input({ kind: 'timeout' });
    }
  }
}

/** A configuration with one connection. */
export function engineConfiguration(
  connection: ConnectionConfiguration,
  credentials: EngineConfiguration['credentials'],
): EngineConfiguration {
  return {
    connections: [connection],
    credentials,
    pools: [],
    ports: { ike: 500, natTraversal: 4500 },
    halfOpen: {
      cookieThreshold: 100,
      cookieThresholdPerSource: 100,
      halfOpenMax: 1000,
      halfOpenTimeoutMs: 30_000,
    },
    natKeepaliveMs: 0,
    // One IKE SA at a time, and nobody calls of its own accord.
    unknownSpi: { parallelAttempts: false, policy: 'silent', quickCrashDetection: false },
  };
}
