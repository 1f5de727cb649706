// Two HIP hosts in virtual time with a wire between them: each packet can be delivered, dropped, held or sent again by hand.
import assert from 'node:assert/strict';
import { computeNow, seededRandomness } from '#crypto';
import {
  address,
  type Endpoint,
  type IpAddress,
  type PolicyParameters,
  type SaParameters,
  type Spi,
} from '#sa';
import { decodeHipHeader, type Hit, hipPacketTypeName } from '#wire';
import { type HipConfiguration, hipDefaults, type LocalIdentity } from '../configuration.ts';
import { HipHost } from '../host.ts';
import type { HipEvent, HipInput, HipOutput, HipPath } from '../interface.ts';
import { type TestKey, testIdentity } from './identities.ts';

export type HostName = 'moon' | 'sun';

export interface HostChange {
  readonly key?: TestKey;
  readonly configuration?: Partial<HipConfiguration>;
}

export interface Transit {
  readonly from: HostName;
  readonly path: HipPath;
  readonly octets: Uint8Array;
}

const addresses: Readonly<Record<HostName, IpAddress>> = {
  moon: address('192.0.2.1'),
  sun: address('192.0.2.2'),
};

type Timeless<T> = T extends unknown ? Omit<T, 'at'> : never;

export class TestHost {
  readonly name: HostName;
  readonly identity: LocalIdentity;
  readonly configuration: HipConfiguration;
  readonly events: HipEvent[] = [];
  readonly problems: Extract<HipOutput, { kind: 'parameter-problem' }>[] = [];
  readonly sent: Transit[] = [];
  readonly inbound: Map<number, SaParameters> = new Map();
  readonly outbound: Map<number, SaParameters> = new Map();
  readonly policies: Map<number, PolicyParameters> = new Map();
  readonly spis: Set<number> = new Set();
  /** The outbound SA in use, by pair. */
  readonly using: Map<number, number> = new Map();
  /** On: jobs wait until they are asked for. */
  holdComputation = false;
  readonly held: Timeless<HipInput>[] = [];
  address: IpAddress;
  host: HipHost;
  readonly #results: Timeless<HipInput>[] = [];
  #starts = 0;
  #nextSpi: number;
  #nextChild = 1;

  constructor(name: HostName, identity: LocalIdentity, configuration: HipConfiguration) {
    this.name = name;
    this.identity = identity;
    this.configuration = configuration;
    this.address = addresses[name];
    this.#nextSpi = name === 'moon' ? 0x1000 : 0x2000;
    this.host = this.#start(0);
  }

  get hit(): Hit {
    return this.identity.identity.hit;
  }

  get endpoint(): Endpoint {
    return { address: this.address, port: 0 };
  }

  #start(at: number): HipHost {
    this.#starts++;
    return new HipHost({
      ports: {
        randomness: seededRandomness(Uint8Array.from(`${this.name} ${this.#starts}`, (c) => c.charCodeAt(0))),
        allocateSpi: () => {
          const spi = this.#nextSpi++ as Spi;
          this.spis.add(spi);
          return spi;
        },
        releaseSpi: (spi) => {
          assert.ok(this.spis.delete(spi), `${this.name} releases ${spi} twice`);
        },
        allocateChildId: () => this.#nextChild++,
      },
      configuration: this.configuration,
      r1Counter: BigInt(this.#starts) << 32n,
      at,
    });
  }

  /** Everything is lost but the identity. */
  crash(at: number): void {
    for (const table of [this.inbound, this.outbound, this.policies, this.spis, this.using]) table.clear();
    this.sent.length = 0;
    this.held.length = 0;
    this.host = this.#start(at);
  }

  give(at: number, input: Timeless<HipInput>): void {
    this.#results.push(input);
    for (let next = this.#results.shift(); next !== undefined; next = this.#results.shift()) {
      this.host.handle({ ...next, at } as HipInput);
      for (let output = this.host.poll(); output !== undefined; output = this.host.poll())
        this.#carryOut(output);
    }
  }

  state(remote: Hit): string {
    return this.host.status().find((one) => one.remote === remote)?.state ?? 'UNASSOCIATED';
  }

  eventsOf<Kind extends HipEvent['kind']>(kind: Kind): Extract<HipEvent, { kind: Kind }>[] {
    return this.events.filter((event): event is Extract<HipEvent, { kind: Kind }> => event.kind === kind);
  }

  get rejections(): string[] {
    return this.eventsOf('rejected').map(
      ({ packetType, reason }) => `${hipPacketTypeName(packetType)} ${reason}`,
    );
  }

  #carryOut(output: HipOutput): void {
    switch (output.kind) {
      case 'transmit':
        this.sent.push({ from: this.name, path: output.path, octets: output.octets });
        break;
      case 'sa-command': {
        const { command } = output;
        const tables = { inbound: this.inbound, outbound: this.outbound };
        if (command.kind === 'install') {
          assert.ok(!tables[command.sa.direction].has(command.sa.spi), 'an SA is installed twice');
          tables[command.sa.direction].set(command.sa.spi, command.sa);
        } else if (command.kind === 'remove') {
          assert.ok(
            tables[command.direction].delete(command.spi),
            `${this.name}: no SA ${command.spi} to remove`,
          );
        } else if (command.kind === 'update-addresses') {
          const sa = tables[command.direction].get(command.spi);
          assert.ok(sa !== undefined);
          const { local, remote } = command;
          tables[command.direction].set(command.spi, { ...sa, local: local.address, remote: remote.address });
        } else if (command.kind === 'use-outbound') {
          assert.ok(this.outbound.has(command.spi));
          this.using.set(command.childId, command.spi);
        } else if (command.kind === 'install-policy')
          this.policies.set(command.policy.policyId, command.policy);
        else if (command.kind === 'remove-policy') assert.ok(this.policies.delete(command.policyId));
        this.#results.push({ kind: 'sa-result', id: output.id, result: { ok: true } });
        break;
      }
      case 'compute': {
        const { id, job } = output;
        const result = computeNow(job);
        assert.equal(result.kind, 'search-puzzle');
        if (result.kind !== 'search-puzzle') break;
        const computed: Timeless<HipInput> = { kind: 'computed', id, result };
        if (this.holdComputation) this.held.push(computed);
        else this.#results.push(computed);
        break;
      }
      case 'parameter-problem':
        this.problems.push(output);
        break;
      case 'event':
        this.events.push(output.event);
        break;
    }
  }
}

export class TwoHosts {
  readonly moon: TestHost;
  readonly sun: TestHost;
  now = 0;

  constructor(changes: { readonly moon?: HostChange; readonly sun?: HostChange } = {}) {
    const identities = {
      moon: testIdentity(changes.moon?.key ?? 'p256-a'),
      sun: testIdentity(changes.sun?.key ?? 'p256-b'),
    };
    const host = (name: HostName): TestHost => {
      const other = name === 'moon' ? 'sun' : 'moon';
      return new TestHost(name, identities[name], {
        ...hipDefaults,
        identities: [identities[name]],
        peers: [{ name: other, hit: identities[other].identity.hit, addresses: [addresses[other]] }],
        ...changes[name]?.configuration,
      });
    };
    this.moon = host('moon');
    this.sun = host('sun');
  }

  /** Two hosts of which moon has the greater HIT, or the smaller one. */
  static ofOrder(
    moonIsGreater: boolean,
    changes: { readonly moon?: HostChange; readonly sun?: HostChange } = {},
  ): TwoHosts {
    const hosts = new TwoHosts(changes);
    if (hosts.moon.hit > hosts.sun.hit === moonIsGreater) return hosts;
    return new TwoHosts({
      moon: { ...changes.moon, key: 'p256-b' },
      sun: { ...changes.sun, key: 'p256-a' },
    });
  }

  other(host: TestHost): TestHost {
    return host === this.moon ? this.sun : this.moon;
  }

  call(from: TestHost = this.moon, reason = 'a test'): void {
    const to = this.other(from);
    const path = { local: from.endpoint, remote: to.endpoint };
    from.give(this.now, { kind: 'command', command: { kind: 'associate', remote: to.hit, path, reason } });
  }

  /** Takes the oldest packet that a host sent. */
  take(from: TestHost): Transit {
    const transit = from.sent.shift();
    assert.ok(transit !== undefined, `${from.name} has sent nothing`);
    return transit;
  }

  /** A packet arrives, unless nobody is at its address. */
  deliver(transit: Transit): void {
    const to = transit.from === 'moon' ? this.sun : this.moon;
    if (transit.path.remote.address !== to.address) return;
    const path = { local: transit.path.remote, remote: transit.path.local };
    to.give(this.now, { kind: 'packet', path, octets: transit.octets });
  }

  /** Delivers everything until nobody has anything more to say, unless a filter loses it. */
  settle(pass: (transit: Transit, type: string) => boolean = () => true): void {
    for (let round = 0; round < 200; round++) {
      const moved = [this.moon, this.sun].flatMap((host) => host.sent.splice(0));
      if (moved.length === 0) return;
      for (const transit of moved) if (pass(transit, typeOf(transit))) this.deliver(transit);
    }
    assert.fail('the hosts never stop talking');
  }

  /** Lets time pass; timers run when they are due. */
  wait(ms: number, pass?: (transit: Transit, type: string) => boolean): void {
    const end = this.now + ms;
    for (let steps = 0; ; steps++) {
      assert.ok(steps < 10_000, 'time does not pass');
      this.settle(pass);
      const due = [this.moon, this.sun]
        .map(({ host }) => host.deadline())
        .filter((deadline) => deadline !== undefined);
      this.now = Math.max(this.now, Math.min(end, ...due));
      for (const host of [this.moon, this.sun]) {
        const deadline = host.host.deadline();
        if (deadline !== undefined && deadline <= this.now) host.give(this.now, { kind: 'timeout' });
      }
      this.settle(pass);
      if (this.now >= end) return;
    }
  }

  connect(): this {
    this.call();
    this.settle();
    assert.equal(this.moon.state(this.sun.hit), 'ESTABLISHED');
    assert.equal(this.sun.state(this.moon.hit), 'R2-SENT');
    this.assertKeysAgree();
    return this;
  }

  /** Each host can receive what the other sends, and takes it for what it is. */
  assertKeysAgree(): void {
    for (const from of [this.moon, this.sun]) {
      const to = this.other(from);
      for (const spi of from.using.values()) {
        const outbound = from.outbound.get(spi);
        if (outbound === undefined) continue;
        const inbound = to.inbound.get(spi);
        assert.ok(inbound !== undefined, `${to.name} cannot receive on ${spi}`);
        assert.deepEqual(inbound.encryption, outbound.encryption);
        assert.deepEqual(inbound.integrity, outbound.integrity);
        assert.deepEqual(inbound.selectors.local, outbound.selectors.remote);
        assert.deepEqual(inbound.selectors.remote, outbound.selectors.local);
        assert.equal(inbound.mode, 'beet');
      }
    }
  }

  /** ESP by the SA in use arrives: the data plane of the other end tells of the first packet of an SA. */
  sendEsp(from: TestHost): void {
    const [childId, spi] = [...from.using].at(-1) ?? [];
    assert.ok(childId !== undefined && spi !== undefined);
    const to = this.other(from);
    const sa = to.inbound.get(spi);
    if (sa === undefined) return;
    const event = { kind: 'first-inbound', protocol: 'esp', spi: spi as Spi, childId: sa.childId } as const;
    to.give(this.now, { kind: 'data-plane', event });
  }
}

export function typeOf({ octets }: Transit): string {
  return hipPacketTypeName(decodeHipHeader(octets).packetType);
}
