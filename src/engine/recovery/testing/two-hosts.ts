// Two engines in virtual time with a wire, disks and hands between them, for tests of what happens when one forgets.
import assert from 'node:assert/strict';
import { seededRandomness } from '#crypto';
import type { ConnectionConfiguration } from '#ike';
import type { Endpoint, SaParameters, UnknownSpiEvidence } from '#sa';
import type { EngineConfiguration, UnknownSpiConfiguration } from '../../configuration.ts';
import { Engine } from '../../engine.ts';
import type { CommandResult, EngineEvent, EngineInput, EngineOutput } from '../../interface.ts';
import { addresses, connection, type HostName, sharedSecret, text } from '../../testing/connections.ts';

type Timeless<T> = T extends unknown ? Omit<T, 'at'> : never;

export interface Datagram {
  readonly from: HostName;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly octets: Uint8Array;
}

export interface HostChange {
  readonly connection?: Partial<ConnectionConfiguration>;
  readonly unknownSpi?: Partial<UnknownSpiConfiguration>;
  readonly recordKey?: Uint8Array;
}

export class TestHost {
  readonly name: HostName;
  readonly events: EngineEvent[] = [];
  readonly sent: Datagram[] = [];
  /** What survives a crash. */
  readonly disk: Map<string, Uint8Array> = new Map();
  /** Inbound SAs by SPI, and policies by their precedence. */
  readonly inbound: Map<number, SaParameters> = new Map();
  readonly outbound: Map<number, SaParameters> = new Map();
  readonly policies: Map<number, { readonly childId: number | undefined; readonly priority: number }> =
    new Map();
  /** Results of commands, by their numbers. */
  readonly answers: Map<number, CommandResult> = new Map();
  /** What its data plane has no room for. */
  refuses: (sa: SaParameters) => boolean = () => false;
  /** Off: writes do not become durable, unless the disk catches up. */
  diskAnswers = true;
  readonly #awaitingDisk: Extract<EngineOutput, { readonly kind: 'store' }>[] = [];
  engine: Engine;
  #change: HostChange;
  readonly #results: Timeless<EngineInput>[] = [];
  #starts = 0;

  constructor(name: HostName, change: HostChange) {
    this.name = name;
    this.#change = change;
    this.engine = this.#start();
  }

  get configuration(): EngineConfiguration {
    const { unknownSpi } = this.#change;
    return {
      connections: [connection(this.name, this.#change.connection)],
      credentials: sharedSecret('correct horse battery staple'),
      pools: [],
      ports: { ike: 500, natTraversal: 4500 },
      halfOpen: {
        cookieThreshold: 100,
        cookieThresholdPerSource: 50,
        halfOpenMax: 1_000,
        halfOpenTimeoutMs: 30_000,
      },
      natKeepaliveMs: 0,
      ...(unknownSpi === undefined ? {} : { unknownSpi }),
    };
  }

  /** SIGKILL, and a start with what the disk holds. @param change configured like this from now on */
  crash(change: HostChange = this.#change): void {
    this.#change = change;
    this.inbound.clear();
    this.outbound.clear();
    this.policies.clear();
    this.#results.length = 0;
    this.#awaitingDisk.length = 0;
    this.sent.length = 0;
    this.engine = this.#start();
  }

  #start(): Engine {
    return new Engine({
      randomness: seededRandomness(text(`${this.name} ${this.#starts++}`)),
      configuration: this.configuration,
      stored: new Map(this.disk),
      ...(this.#change.recordKey === undefined ? {} : { recordKey: this.#change.recordKey }),
    });
  }

  give(at: number, input: Timeless<EngineInput>): void {
    this.#results.push(input);
    for (let next = this.#results.shift(); next !== undefined; next = this.#results.shift()) {
      this.engine.handle({ ...next, at } as EngineInput);
      for (let output = this.engine.poll(); output !== undefined; output = this.engine.poll())
        this.#carryOut(output);
    }
  }

  #write({ id, key, octets }: Extract<EngineOutput, { readonly kind: 'store' }>): void {
    this.disk.set(key, octets.slice());
    this.#results.push({ kind: 'stored', id });
  }

  /** Everything that was to be written is durable now. */
  diskCatchesUp(at: number): void {
    this.diskAnswers = true;
    for (const held of this.#awaitingDisk.splice(0)) this.#write(held);
    this.give(at, { kind: 'timeout' });
  }

  eventsOf<Kind extends EngineEvent['kind']>(kind: Kind): Extract<EngineEvent, { kind: Kind }>[] {
    return this.events.filter((event): event is Extract<EngineEvent, { kind: Kind }> => event.kind === kind);
  }

  #carryOut(output: EngineOutput): void {
    switch (output.kind) {
      case 'transmit':
        this.sent.push({ from: this.name, ...output });
        break;
      case 'sa-command': {
        const { command } = output;
        if (command.kind === 'install' && this.refuses(command.sa)) {
          const result = { ok: false, code: 'failed', detail: 'no room' } as const;
          this.#results.push({ kind: 'sa-result', id: output.id, result });
          break;
        }
        if (command.kind === 'install') {
          const table = command.sa.direction === 'inbound' ? this.inbound : this.outbound;
          table.set(command.sa.spi, command.sa);
        } else if (command.kind === 'remove') {
          (command.direction === 'inbound' ? this.inbound : this.outbound).delete(command.spi);
        } else if (command.kind === 'install-policy') {
          const { policyId, childId, priority } = command.policy;
          this.policies.set(policyId, { childId, priority });
        } else if (command.kind === 'remove-policy') this.policies.delete(command.policyId);
        this.#results.push({ kind: 'sa-result', id: output.id, result: { ok: true } });
        break;
      }
      case 'resolve': {
        const remote = addresses[this.name === 'moon' ? 'sun' : 'moon'];
        const result = { ok: true, local: addresses[this.name], remote } as const;
        this.#results.push({ kind: 'resolved', id: output.id, result });
        break;
      }
      case 'store':
        if (this.diskAnswers) this.#write(output);
        else this.#awaitingDisk.push(output);
        break;
      case 'event':
        this.events.push(output.event);
        break;
      case 'command-result':
        this.answers.set(output.id, output.result);
        break;
      default:
        break;
    }
  }
}

export class TwoHosts {
  readonly moon: TestHost;
  readonly sun: TestHost;
  now = 0;
  /** 2026: certificates do not matter here, records do. */
  readonly wallClockMs = 1_770_000_000_000;

  constructor(changes: { readonly moon?: HostChange; readonly sun?: HostChange } = {}) {
    this.moon = new TestHost('moon', changes.moon ?? {});
    this.sun = new TestHost('sun', changes.sun ?? {});
    for (const host of [this.moon, this.sun]) this.tellTime(host);
  }

  tellTime(host: TestHost): void {
    host.give(this.now, { kind: 'wall-clock', wallClockMs: this.wallClockMs + this.now });
  }

  other(host: TestHost): TestHost {
    return host === this.moon ? this.sun : this.moon;
  }

  receive(host: TestHost, datagram: Pick<Datagram, 'local' | 'remote' | 'octets'>): void {
    // What is remote to the sender is local to the receiver.
    host.give(this.now, {
      kind: 'datagram',
      local: datagram.remote,
      remote: datagram.local,
      octets: datagram.octets,
    });
  }

  /** Delivers everything until nobody has anything more to say, unless a filter loses it. */
  settle(pass: (datagram: Datagram) => boolean = () => true): void {
    for (let round = 0; round < 200; round++) {
      const moved = [this.moon, this.sun].flatMap((host) =>
        host.sent.splice(0).map((datagram) => ({ host, datagram })),
      );
      if (moved.length === 0) return;
      for (const { host, datagram } of moved) {
        if (pass(datagram)) this.receive(this.other(host), datagram);
      }
    }
    assert.fail('the hosts never stop talking');
  }

  /** Lets time pass; timers run when they are due. */
  wait(ms: number, pass?: (datagram: Datagram) => boolean): void {
    const end = this.now + ms;
    for (;;) {
      this.settle(pass);
      const due = [this.moon, this.sun]
        .map((host) => host.engine.deadline())
        .filter((deadline) => deadline !== undefined);
      const next = Math.min(end, ...due);
      this.now = Math.max(this.now, next);
      for (const host of [this.moon, this.sun]) {
        const deadline = host.engine.deadline();
        if (deadline !== undefined && deadline <= this.now) host.give(this.now, { kind: 'timeout' });
      }
      this.settle(pass);
      if (this.now >= end) return;
    }
  }

  /** moon calls sun; afterwards one IKE SA and one Child SA stand. */
  connect(): void {
    this.moon.give(this.now, {
      kind: 'command',
      id: 1,
      command: { kind: 'initiate', connection: 'gateway' },
    });
    this.settle();
    assert.equal(established(this.moon).length, 1);
    assert.equal(established(this.sun).length, 1);
  }

  restart(host: TestHost, change?: HostChange): void {
    host.crash(change);
    this.tellTime(host);
  }

  /** ESP that a host would send on its newest outbound SA arrives at the other's data plane, which knows it or not. */
  sendEsp(from: TestHost, change: Partial<UnknownSpiEvidence> = {}): void {
    const to = this.other(from);
    const spi = change.spi ?? [...from.outbound.keys()].at(-1);
    assert.ok(spi !== undefined, `${from.name} has no outbound SA`);
    if (to.inbound.has(spi)) return;
    const evidence: UnknownSpiEvidence = {
      protocol: 'esp',
      spi,
      source: { address: addresses[from.name], port: 0 },
      destination: { address: addresses[to.name], port: 0 },
      encapsulated: false,
      lengthBytes: 136,
      count: 1,
      mergedBytes: (change.lengthBytes ?? 136) * (change.count ?? 1),
      ...change,
    };
    to.give(this.now, { kind: 'data-plane', event: { kind: 'unknown-spi', evidence } });
  }
}

export function established(host: TestHost): readonly number[] {
  return host.engine
    .status()
    .ikeSas.filter(({ phase }) => phase === 'established')
    .map(({ ikeId }) => ikeId);
}
