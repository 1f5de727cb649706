// Two engines that speak HIP, and a wire between them.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { computeNow, hostIdentityOf, privateKeyFromKeyObject, seededRandomness } from '#crypto';
import { type HipPath, hipDefaults, type LocalIdentity } from '#hip';
import {
  address,
  type IpAddress,
  type PolicyParameters,
  parseAddress,
  type SaParameters,
  type UnknownSpiEvidence,
} from '#sa';
import type { EngineConfiguration } from '../../configuration.ts';
import { Engine } from '../../engine.ts';
import type { EngineEvent, EngineInput, EngineOutput } from '../../interface.ts';
import { connection, sharedSecret } from '../../testing/connections.ts';

export type Name = 'moon' | 'sun';

export const addresses: Readonly<Record<Name, IpAddress>> = {
  moon: address('192.0.2.1'),
  sun: address('192.0.2.2'),
};

function newIdentity(): LocalIdentity {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = privateKeyFromKeyObject(privateKey, 'hip');
  return { identity: hostIdentityOf(key.publicKey), key, anonymous: false };
}

export const identities: Readonly<Record<Name, LocalIdentity>> = { moon: newIdentity(), sun: newIdentity() };

const wallClockMs = 1_770_000_000_000;

/** By the remainder of its SPI an inbound SA has its place: one that replaces another keeps it. */
export const spiGroups = 4;

type Timeless<T> = T extends unknown ? Omit<T, 'at'> : never;
type Sent = Extract<EngineOutput, { kind: 'hip-transmit' | 'transmit' }>;

export class HipEngine {
  readonly name: Name;
  readonly events: EngineEvent[] = [];
  readonly sent: Sent[] = [];
  readonly icmp: Extract<EngineOutput, { kind: 'icmp' }>[] = [];
  readonly results: Extract<EngineOutput, { kind: 'command-result' }>[] = [];
  readonly installed: Map<string, SaParameters> = new Map();
  readonly policies: Map<number, PolicyParameters> = new Map();
  readonly disk: Map<string, Uint8Array> = new Map();
  engine: Engine;
  #starts = 0;
  readonly #change: Partial<EngineConfiguration>;
  readonly #inputs: Timeless<EngineInput>[] = [];

  /** On: what names are resolved to waits until it is asked for. */
  holdsNames = false;
  readonly held: Timeless<EngineInput>[] = [];

  constructor(name: Name, change: Partial<EngineConfiguration>) {
    this.name = name;
    this.#change = change;
    this.engine = this.#start();
  }

  get configuration(): EngineConfiguration {
    const other = this.name === 'moon' ? 'sun' : 'moon';
    return {
      connections: [connection(this.name)],
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
      hip: {
        ...hipDefaults,
        identities: [identities[this.name]],
        peers: [{ name: other, hit: identities[other].identity.hit, addresses: [addresses[other]] }],
      },
      ...this.#change,
    };
  }

  #start(): Engine {
    return new Engine({
      randomness: seededRandomness(
        Uint8Array.from(`${this.name} ${this.#starts++}`, (character) => character.charCodeAt(0)),
      ),
      configuration: this.configuration,
      spiGroups,
      stored: new Map(this.disk),
    });
  }

  /** SIGKILL, and a start with what the disk holds. */
  crash(at: number): void {
    this.installed.clear();
    this.policies.clear();
    this.sent.length = 0;
    this.engine = this.#start();
    this.give(at, { kind: 'wall-clock', wallClockMs: wallClockMs + at });
  }

  /** Where a packet that we send by HIP's SA arrives if the other end has forgotten it. */
  outboundSpi(): number {
    const [sa] = [...this.installed.values()].filter(
      ({ direction, mode }) => direction === 'outbound' && mode === 'beet',
    );
    assert.ok(sa !== undefined);
    return sa.spi;
  }

  give(at: number, input: Timeless<EngineInput>): void {
    this.#inputs.push(input);
    for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) {
      this.engine.handle({ ...next, at } as EngineInput);
      for (let output = this.engine.poll(); output !== undefined; output = this.engine.poll())
        this.#carryOut(output);
    }
  }

  #carryOut(output: EngineOutput): void {
    switch (output.kind) {
      case 'hip-transmit':
      case 'transmit':
        this.sent.push(output);
        break;
      case 'icmp':
        this.icmp.push(output);
        break;
      case 'event':
        this.events.push(output.event);
        break;
      case 'command-result':
        this.results.push(output);
        break;
      case 'compute':
        this.#inputs.push({ kind: 'computed', id: output.id, result: computeNow(output.job) });
        break;
      case 'resolve': {
        const remote = parseAddress(output.host) ?? addresses[this.name === 'moon' ? 'sun' : 'moon'];
        const result = { ok: true, local: addresses[this.name], remote } as const;
        const resolved = { kind: 'resolved', id: output.id, result } as const;
        if (this.holdsNames) this.held.push(resolved);
        else this.#inputs.push(resolved);
        break;
      }
      case 'store':
        this.disk.set(output.key, output.octets.slice());
        this.#inputs.push({ kind: 'stored', id: output.id });
        break;
      case 'sa-command': {
        const { command } = output;
        if (command.kind === 'install') {
          this.installed.set(`${command.sa.direction} ${command.sa.spi}`, command.sa);
        } else if (command.kind === 'remove') this.installed.delete(`${command.direction} ${command.spi}`);
        else if (command.kind === 'install-policy')
          this.policies.set(command.policy.policyId, command.policy);
        else if (command.kind === 'remove-policy') this.policies.delete(command.policyId);
        this.#inputs.push({ kind: 'sa-result', id: output.id, result: { ok: true } });
        break;
      }
      default:
        break;
    }
  }
}

export class HipEngines {
  readonly moon: HipEngine;
  readonly sun: HipEngine;
  now = 0;

  /** @param change of both hosts' configuration, or of each */
  constructor(change: Partial<EngineConfiguration> | ((name: Name) => Partial<EngineConfiguration>) = {}) {
    const of = typeof change === 'function' ? change : () => change;
    this.moon = new HipEngine('moon', of('moon'));
    this.sun = new HipEngine('sun', of('sun'));
  }

  start(): this {
    for (const host of [this.moon, this.sun]) host.give(this.now, { kind: 'wall-clock', wallClockMs });
    return this;
  }

  /** ESP by the HIP SA of one host reaches the other, whose data plane does not know it. */
  sendEsp(from: HipEngine, spi: number): void {
    const to = from === this.moon ? this.sun : this.moon;
    const evidence: UnknownSpiEvidence = {
      protocol: 'esp',
      spi,
      sequence: 7,
      source: { address: addresses[from.name], port: 0 },
      destination: { address: addresses[to.name], port: 0 },
      encapsulated: false,
      lengthBytes: 136,
      mergedBytes: 136,
      count: 1,
    };
    to.give(this.now, { kind: 'data-plane', event: { kind: 'unknown-spi', evidence } });
  }

  /** Time passes until a timer of either host is due, and no further than `ms`. */
  wait(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      this.settle();
      const due = [this.moon, this.sun]
        .map(({ engine }) => engine.deadline())
        .filter((at) => at !== undefined);
      this.now = Math.max(this.now, Math.min(end, ...due));
      for (const host of [this.moon, this.sun]) host.give(this.now, { kind: 'timeout' });
      this.settle();
      if (this.now >= end) return;
    }
  }

  settle(): void {
    for (let round = 0; round < 100; round++) {
      const moved = [this.moon, this.sun].flatMap((host) =>
        host.sent.splice(0).map((sent) => ({ host, sent })),
      );
      if (moved.length === 0) return;
      for (const { host, sent } of moved) this.#deliver(host === this.moon ? this.sun : this.moon, sent);
    }
    assert.fail('the hosts never stop talking');
  }

  #deliver(to: HipEngine, sent: Sent): void {
    const { octets } = sent;
    if (sent.kind === 'transmit') {
      to.give(this.now, { kind: 'datagram', local: sent.remote, remote: sent.local, octets });
      return;
    }
    const path: HipPath = { local: sent.path.remote, remote: sent.path.local };
    to.give(this.now, { kind: 'hip-packet', path, octets });
  }
}
