// R1 packets made and signed ahead of the I1 that asks for them (RFC 7401 5.3.2, 6.7.1, appendix A).
import { appendHipSignature, hitSuiteOfAlgorithm, type KeyPair, type Randomness } from '#crypto';
import { keyExchangeOfDhGroup } from '#sa';
import { encodeHipPacket, HipPacketType, HipParameterType, type RegInfoParameter, zeroHit } from '#wire';
import type { HipConfiguration, LocalIdentity } from '../configuration.ts';

/** Delta T: how long one R1 is offered at most. */
const offeredMsMax = 15 * 60_000;
/** And at least, also when somebody has answered it: a storm must not make us sign for each I1. */
const offeredMsMin = 1_000;
/** R1s whose answers are still awaited. */
const entriesMax = 64;

/** What one R1 is for. */
export interface R1Kind {
  readonly local: LocalIdentity;
  readonly group: number;
  readonly difficulty: number;
  /** What may be registered for (RFC 8003 3.1); absent: this host is no registrar. */
  readonly services: RegInfoParameter | undefined;
}

export interface R1Entry extends R1Kind {
  /** Carried in Opaque: which R1 an I2 answers. */
  readonly number: number;
  readonly keyPair: KeyPair;
  /** Octets of #I and #J. */
  readonly hashBytes: number;
  readonly counter: bigint;
  /** Without receiver, Opaque and #I. */
  readonly octets: Uint8Array;
  readonly madeAt: number;
  /** Of its puzzle. */
  readonly lifetimeMs: number;
  /** Delta S: answers are taken until then. */
  until: number;
  used: boolean;
  /** Of a configuration that is over. */
  withdrawn: boolean;
}

export class R1Pool {
  readonly #randomness: Randomness;
  readonly #entries: R1Entry[] = [];
  #next: number;
  #counter: bigint;

  /** @param counter rises with each start of the host, so that no R1 is older than one of the host's life before */
  constructor(randomness: Randomness, counter: bigint) {
    this.#randomness = randomness;
    const [high = 0, low = 0] = randomness.bytes(2);
    this.#next = high * 256 + low;
    this.#counter = counter;
  }

  /** When the first of them is over, with its private value. */
  get deadline(): number | undefined {
    return this.#entries.length === 0 ? undefined : Math.min(...this.#entries.map(({ until }) => until));
  }

  /** @param answered the one to stay with while it will do */
  offer(kind: R1Kind, configuration: HipConfiguration, at: number, answered?: number): R1Entry {
    const same = answered === undefined ? undefined : this.find(answered, at);
    if (same !== undefined && !same.withdrawn && isOfKind(same, kind)) return same;
    const fit = this.#entries.findLast((entry) => !entry.withdrawn && isOfKind(entry, kind));
    if (fit !== undefined) {
      const age = at - fit.madeAt;
      if (age < (fit.used ? offeredMsMin : offeredMsMax) && at < fit.until) return fit;
    }
    return this.#make(kind, configuration, at);
  }

  /** The R1 that an I2 answers, by what its SOLUTION has for Opaque. */
  find(number: number, at: number): R1Entry | undefined {
    return this.#entries.find((entry) => entry.number === number && at < entry.until);
  }

  /**
   * Somebody answered it: its Diffie-Hellman value should not be offered any longer, and others who have it already may
   * answer while their puzzle is valid.
   */
  deprecate(entry: R1Entry, at: number): void {
    entry.used = true;
    entry.until = Math.min(entry.until, at + offeredMsMin + entry.lifetimeMs);
  }

  /** No further answer to it is taken, and its private value goes with the next look at the pool. */
  giveUp(entry: R1Entry, at: number): void {
    entry.until = at;
  }

  /**
   * Offers none of them any more, since what they say may be different now. Who has one already may answer it (RFC 7401 6.9 7),
   * unless it is of an identity that we had before, or of a group.
   */
  withdraw({ identities, groups }: HipConfiguration, at: number): void {
    const hits = new Set(identities.map(({ identity }) => identity.hit));
    for (const entry of this.#entries) {
      entry.withdrawn = true;
      if (hits.has(entry.local.identity.hit) && groups.includes(entry.group)) this.deprecate(entry, at);
      else entry.until = at;
    }
    this.scavenge(at);
  }

  #make(kind: R1Kind, configuration: HipConfiguration, at: number): R1Entry {
    this.scavenge(at);
    while (this.#entries.length >= entriesMax) this.#entries.shift()!.keyPair.destroy();
    const { local, group, difficulty, services } = kind;
    const method = keyExchangeOfDhGroup(group);
    if (method === undefined) throw new Error(`no key exchange for DH group ${group}`);
    const { identity, key, anonymous } = local;
    const { hashBytes } = hitSuiteOfAlgorithm(identity.algorithm);
    const keyPair = this.#randomness.keyPair(method);
    const { puzzle } = configuration;
    const unsigned = encodeHipPacket({
      header: { packetType: HipPacketType.R1, anonymous, sender: identity.hit, receiver: zeroHit },
      parameters: [
        { type: 'R1_COUNTER', reserved: 0, counter: this.#counter },
        {
          type: 'PUZZLE',
          difficulty,
          lifetime: puzzle.lifetime,
          opaque: 0,
          random: new Uint8Array(hashBytes),
        },
        { type: 'DH_GROUP_LIST', groups: configuration.groups },
        { type: 'DIFFIE_HELLMAN', group, publicValue: keyPair.publicValue },
        { type: 'HIP_CIPHER', ciphers: configuration.ciphers },
        { type: 'HOST_ID', algorithm: identity.algorithm, hostIdentity: identity.octets },
        { type: 'HIT_SUITE_LIST', suites: hitSuitesOf(configuration, local) },
        ...(services === undefined ? [] : [services]),
        // RFC 7402 4.1.1
        { type: 'TRANSPORT_FORMAT_LIST', formats: [HipParameterType.ESP_TRANSFORM] },
        { type: 'ESP_TRANSFORM', suites: configuration.espSuites },
      ],
    });
    const lifetimeMs = puzzleLifetimeMs(puzzle.lifetime);
    const entry: R1Entry = {
      ...kind,
      number: this.#next,
      keyPair,
      hashBytes,
      counter: this.#counter,
      octets: appendHipSignature(unsigned, key, this.#randomness, 'HIP_SIGNATURE_2'),
      madeAt: at,
      lifetimeMs,
      until: at + offeredMsMax + lifetimeMs,
      used: false,
      withdrawn: false,
    };
    this.#next = (this.#next + 1) & 0xffff;
    this.#counter++;
    this.#entries.push(entry);
    return entry;
  }

  /** Those are forgotten whose answers are not taken any more. */
  scavenge(at: number): void {
    for (let i = this.#entries.length - 1; i >= 0; i--) {
      if (at >= this.#entries[i]!.until) this.#entries.splice(i, 1)[0]!.keyPair.destroy();
    }
  }
}

/** Services change with a reload, which withdraws all R1s, and otherwise only between some and none. */
function isOfKind(entry: R1Entry, { local, group, difficulty, services }: R1Kind): boolean {
  return (
    entry.local === local &&
    entry.group === group &&
    entry.difficulty === difficulty &&
    entry.services?.registrationTypes.length === services?.registrationTypes.length
  );
}

/** RFC 7401 5.2.4: 2^(exponent - 32) seconds. */
export function puzzleLifetimeMs(exponent: number): number {
  return 1000 * 2 ** (exponent - 32);
}

/** RFC 7401 5.2.10: what we can deal with, that of the identity first. */
function hitSuitesOf({ identities }: HipConfiguration, { identity }: LocalIdentity): number[] {
  const own = hitSuiteOfAlgorithm(identity.algorithm).id;
  const others = identities.map((other) => hitSuiteOfAlgorithm(other.identity.algorithm).id);
  // RSA and ECDSA of peers are verified whatever we are ourselves.
  return [...new Set([own, ...others, 1, 2])];
}
