// One HIP host in virtual time: its outputs are carried out, its packets wait to be delivered.
import assert from 'node:assert/strict';
import { computeNow, type KeyPair, seededRandomness } from '#crypto';
import {
  address,
  type Endpoint,
  type IpAddress,
  type PolicyParameters,
  type SaCommand,
  type SaParameters,
  type Spi,
} from '#sa';
import { decodeHipHeader, decodeHipPacket, type HipPacket, type Hit, hipPacketTypeName } from '#wire';
import type { HipConfiguration, LocalIdentity } from '../configuration.ts';
import { HipHost } from '../host.ts';
import { addressesOf } from '../host-state.ts';
import type { HipEvent, HipInput, HipOutput, HipPath } from '../interface.ts';
import type { TestKey } from './identities.ts';

export type HostName = 'moon' | 'sun' | 'hub';

export interface HostChange {
  readonly key?: TestKey;
  readonly configuration?: Partial<HipConfiguration>;
}

export interface Transit {
  readonly from: HostName;
  readonly path: HipPath;
  readonly octets: Uint8Array;
}

export const addresses: Readonly<Record<HostName, IpAddress>> = {
  moon: address('192.0.2.1'),
  sun: address('192.0.2.2'),
  hub: address('192.0.2.3'),
};

/** By the remainder of its SPI an inbound SA has its place: one that replaces another keeps it. */
export const spiGroups = 4;

type Timeless<T> = T extends unknown ? Omit<T, 'at'> : never;

export class TestHost {
  readonly name: HostName;
  readonly identity: LocalIdentity;
  configuration: HipConfiguration;
  readonly events: HipEvent[] = [];
  readonly problems: Extract<HipOutput, { kind: 'parameter-problem' }>[] = [];
  readonly sent: Transit[] = [];
  readonly inbound: Map<number, SaParameters> = new Map();
  /** Inbound SAs that were to go later: after so many milliseconds, by SPI. */
  readonly lingering: Map<number, number> = new Map();
  readonly outbound: Map<number, SaParameters> = new Map();
  /** Outbound SAs whose address nobody has verified. */
  readonly unverified: Set<number> = new Set();
  readonly policies: Map<number, PolicyParameters> = new Map();
  readonly spis: Set<number> = new Set();
  /** The outbound SA in use, by pair. */
  readonly using: Map<number, number> = new Map();
  /** What the data plane is to refuse. */
  refuses: ((command: SaCommand) => boolean) | undefined;
  /** On: jobs wait until they are asked for. */
  holdComputation = false;
  /** How many it has made. */
  signatures = 0;
  /** Private Diffie-Hellman values that it keeps. */
  readonly privateValues: Set<KeyPair> = new Set();
  readonly held: Timeless<HipInput>[] = [];
  address: IpAddress;
  /** Others that it has besides. */
  readonly further: Set<IpAddress> = new Set();
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
    this.#nextSpi = { moon: 0x1000, sun: 0x2000, hub: 0x3000 }[name];
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
    const seed = Uint8Array.from(`${this.name} ${this.#starts}`, (c) => c.charCodeAt(0));
    const randomness = seededRandomness(seed);
    const sign: typeof randomness.sign = (key, scheme, data) => {
      this.signatures++;
      return randomness.sign(key, scheme, data);
    };
    const keyPair: typeof randomness.keyPair = (group) => {
      const made = randomness.keyPair(group);
      const kept: KeyPair = {
        group,
        publicValue: made.publicValue,
        agree: (peer) => made.agree(peer),
        destroy: () => {
          this.privateValues.delete(kept);
          made.destroy();
        },
      };
      this.privateValues.add(kept);
      return kept;
    };
    return new HipHost({
      ports: {
        randomness: { ...randomness, sign, keyPair },
        allocateSpi: (like) => {
          while (like !== undefined && this.#nextSpi % spiGroups !== like % spiGroups) this.#nextSpi++;
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
    this.privateValues.clear();
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
        if (this.refuses?.(command)) {
          const result = { ok: false, code: 'failed', detail: 'as told' } as const;
          this.#results.push({ kind: 'sa-result', id: output.id, result });
          break;
        }
        const tables = { inbound: this.inbound, outbound: this.outbound };
        if (command.kind === 'install') {
          assert.ok(!tables[command.sa.direction].has(command.sa.spi), 'an SA is installed twice');
          tables[command.sa.direction].set(command.sa.spi, command.sa);
        } else if (command.kind === 'remove') {
          assert.ok(
            tables[command.direction].delete(command.spi),
            `${this.name}: no SA ${command.spi} to remove`,
          );
          if (command.lingerMs) this.lingering.set(command.spi, command.lingerMs);
        } else if (command.kind === 'update-addresses') {
          const sa = tables[command.direction].get(command.spi);
          assert.ok(sa !== undefined);
          const { local, remote, encapsulated } = command;
          tables[command.direction].set(command.spi, {
            ...sa,
            local: local.address,
            remote: remote.address,
            ...(encapsulated && { encapsulation: { localPort: local.port, remotePort: remote.port } }),
          });
          if (command.unverified) this.unverified.add(command.spi);
          else if (command.direction === 'outbound') this.unverified.delete(command.spi);
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

export function decodeTransit({ path, octets }: Transit): HipPacket {
  const addresses = addressesOf(path.local.address, path.remote.address);
  return decodeHipPacket(octets, path.remote.port === 0 ? addresses : undefined);
}

export function typeOf({ octets }: Transit): string {
  return hipPacketTypeName(decodeHipHeader(octets).packetType);
}
