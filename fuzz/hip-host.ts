// A HIP host under attack: its data plane only remembers, its promises are checked after everything it is given.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { computeNow, hostIdentityOf, type KeyPair, privateKeyFromPkcs8, seededRandomness } from '#crypto';
import {
  type HipConfiguration,
  HipHost,
  type HipInput,
  type HipOutput,
  type HipPath,
  hipDefaults,
  type LocalIdentity,
  registrarDefaults,
} from '#hip';
import {
  address,
  addressBytes,
  type Endpoint,
  type IpAddress,
  type SaCommand,
  type SaParameters,
  type Spi,
} from '#sa';
import { decodeHipHeader, HipPacketType } from '#wire';

export type PartyName = 'moon' | 'sun' | 'stranger';
type Untimed<T> = T extends unknown ? Omit<T, 'at'> : never;

/** From build/fuzz back to the sources. */
const keys = fileURLToPath(new URL('../../fuzz/credentials/private', import.meta.url));

function identityOf(name: PartyName): LocalIdentity {
  const text = readFileSync(`${keys}/${name}.pem`, 'latin1').replace(/-----[^-]*-----/g, '');
  const key = privateKeyFromPkcs8(new Uint8Array(Buffer.from(text, 'base64')), 'hip');
  return { identity: hostIdentityOf(key.publicKey), key, anonymous: false };
}

export const identities: Readonly<Record<PartyName, LocalIdentity>> = {
  moon: identityOf('moon'),
  sun: identityOf('sun'),
  stranger: identityOf('stranger'),
};

export const places: Readonly<
  Record<'moon' | 'moonElsewhere' | 'sun' | 'sunElsewhere' | 'stranger', IpAddress>
> = {
  moon: address('192.0.2.1'),
  /** Where moon goes, if it moves. */
  moonElsewhere: address('198.51.100.1'),
  sun: address('192.0.2.2'),
  sunElsewhere: address('198.51.100.2'),
  stranger: address('203.0.113.9'),
};

const strangersMax = 2;

/** Everything that makes a host do more with what it receives is switched on. */
function configurationOf(opportunistic: boolean): HipConfiguration {
  const { hit } = identities.moon.identity;
  return {
    ...hipDefaults,
    identities: [identities.sun],
    peers: opportunistic
      ? []
      : [{ name: 'moon', hit, addresses: [places.moon], registration: { lifetimeMs: 600_000 } }],
    accept: 'any',
    strangersMax,
    puzzle: { ...hipDefaults.puzzle, difficultyMin: 1, difficultyMax: 1 },
    addresses: [places.sun, places.sunElsewhere],
    registrar: { ...registrarDefaults, registrationsMax: 1 },
  };
}

function broken(promise: string): never {
  throw new Error(`broken promise: ${promise}`);
}

export interface Sent {
  readonly path: HipPath;
  readonly octets: Uint8Array;
}

export class FuzzedHipHost {
  readonly sent: Sent[] = [];
  /** What happened, without numbers: two inputs that read the same here took the same way. */
  readonly story: Set<string> = new Set();
  now = 0;
  /** Of the input that was given last. */
  rejections = 0;
  problems = 0;
  readonly #host: HipHost;
  readonly #installed = new Map<string, SaParameters>();
  readonly #using = new Map<number, Spi>();
  readonly #policies = new Set<number>();
  readonly #spis = new Set<Spi>();
  readonly #privateValues = new Set<KeyPair>();
  /** Under which an outbound SA has begun to count from one: never twice. */
  readonly #usedKeys = new Set<string>();
  #nextSpi = 0x2000;
  #nextChild = 1;

  constructor({ opportunistic = false }: { readonly opportunistic?: boolean } = {}) {
    const randomness = seededRandomness(Uint8Array.of(2));
    const keyPair: typeof randomness.keyPair = (group) => {
      const made = randomness.keyPair(group);
      const kept: KeyPair = {
        group,
        publicValue: made.publicValue,
        agree: (peer) => made.agree(peer),
        destroy: () => {
          this.#privateValues.delete(kept);
          made.destroy();
        },
      };
      this.#privateValues.add(kept);
      return kept;
    };
    this.#host = new HipHost({
      ports: {
        randomness: { ...randomness, keyPair },
        allocateSpi: () => {
          const spi = this.#nextSpi++ as Spi;
          this.#spis.add(spi);
          return spi;
        },
        releaseSpi: (spi) => {
          if (!this.#spis.delete(spi)) broken('an SPI is released once');
        },
        allocateChildId: () => this.#nextChild++,
      },
      configuration: configurationOf(opportunistic),
      r1Counter: 1n << 32n,
      at: 0,
    });
  }

  /** Hands an input over and serves what the host wants of its driver. */
  give(first: Untimed<HipInput>): void {
    const inputs = [first];
    let outputs = 0;
    this.rejections = 0;
    this.problems = 0;
    for (let input = inputs.shift(); input !== undefined; input = inputs.shift()) {
      this.#host.handle({ ...input, at: this.now } as HipInput);
      for (let output = this.#host.poll(); output !== undefined; output = this.#host.poll()) {
        if (++outputs > 200) broken('a bounded number of outputs per input');
        const answer = this.#serve(output);
        if (answer !== undefined) inputs.push(answer);
      }
    }
  }

  #serve(output: HipOutput): Untimed<HipInput> | undefined {
    switch (output.kind) {
      case 'transmit':
        this.sent.push(output);
        return undefined;
      case 'sa-command':
        this.#command(output.command);
        return { kind: 'sa-result', id: output.id, result: { ok: true } };
      case 'compute': {
        const result = computeNow(output.job);
        if (result.kind !== 'search-puzzle') broken('a puzzle is all there is to compute');
        return { kind: 'computed', id: output.id, result };
      }
      case 'parameter-problem':
        this.problems++;
        return undefined;
      case 'event':
        if (output.event.kind === 'rejected') this.rejections++;
        this.story.add(storyOf(output));
        return undefined;
    }
  }

  #command(command: SaCommand): void {
    switch (command.kind) {
      case 'install': {
        const { sa } = command;
        const key = keyOf(sa);
        if (this.#installed.has(key)) broken('an SA is installed once');
        this.#installed.set(key, sa);
        if (sa.direction === 'inbound') break;
        const used = String(sa.encryption?.key);
        if (this.#usedKeys.has(used)) broken('a key serves one SA');
        this.#usedKeys.add(used);
        break;
      }
      case 'remove':
        if (!this.#installed.delete(keyOf(command))) broken('an SA is removed that stands');
        break;
      case 'update-addresses': {
        const sa = this.#installed.get(keyOf(command));
        if (sa === undefined) broken('an SA that stands has its addresses changed');
        const { local, remote } = command;
        this.#installed.set(keyOf(command), { ...sa, local: local.address, remote: remote.address });
        break;
      }
      case 'use-outbound':
        if (!this.#installed.has(keyOf({ ...command, direction: 'outbound' })))
          broken('an SA is used that stands');
        this.#using.set(command.childId, command.spi);
        break;
      case 'install-policy':
        this.#policies.add(command.policy.policyId);
        break;
      case 'remove-policy':
        if (!this.#policies.delete(command.policyId)) broken('a policy is removed that stands');
        this.#using.delete(command.policyId);
        break;
      default:
        broken(`no ${command.kind}`);
    }
  }

  /** Time passes; nobody answers. */
  wait(durationMs: number): void {
    const end = this.now + durationMs;
    for (let steps = 0; ; steps++) {
      const deadline = this.#host.deadline();
      if (deadline === undefined || deadline > end) break;
      if (steps > 2_000) broken('deadlines go on');
      this.now = Math.max(this.now, deadline);
      this.give({ kind: 'timeout' });
    }
    this.now = end;
  }

  /** Of the newest pair of SAs. */
  get childId(): number {
    return this.#nextChild - 1;
  }

  get newestInbound(): Spi | undefined {
    return [...this.#installed.values()].findLast(({ direction }) => direction === 'inbound')?.spi;
  }

  /** What stands, and what a stranger must not change: SAs with their addresses, and which is used. */
  get standing(): string {
    const sas = [...this.#installed.values()].map(
      ({ direction, spi, local, remote }) => `${direction} ${spi} ${local} ${remote}`,
    );
    const associations = this.#host
      .status()
      .flatMap(({ childId, remote, path }) =>
        childId === undefined ? [] : [`${childId} ${remote} ${path.remote.address} ${path.remote.port}`],
      );
    return JSON.stringify([sas, [...this.#using], [...this.#policies], associations]);
  }

  /** What anybody's packets can make us hold is bounded. */
  checkBounds(): void {
    // moon, whom we do not know, and one that we call without knowing whom.
    const associationsMax = strangersMax + 2;
    const { length } = this.#host.status();
    if (length > associationsMax) broken(`${length} associations`);
    // What stands, its predecessor, its successor, and an attempt.
    if (this.#spis.size > 4 * associationsMax) broken('a bounded number of SPIs');
    if (this.#installed.size > 6 * associationsMax) broken('a bounded number of SAs');
    if (this.#privateValues.size > 64 + associationsMax) broken('a bounded number of private values');
  }

  /** After everything is closed nothing may be left, whatever happened before. */
  close(): void {
    this.wait(60_000);
    for (const { local, remote } of this.#host.status())
      this.give({ kind: 'command', command: { kind: 'close', local, remote, reason: 'the end' } });
    this.wait(3_600_000);
    if (this.#host.status().length > 0) broken('no association outlives its CLOSE');
    if (this.#installed.size > 0) broken(`no SA outlives its association: ${[...this.#installed.keys()]}`);
    if (this.#policies.size > 0) broken('no policy outlives its association');
    if (this.#spis.size > 0) broken('no SPI outlives its association');
    if (this.#privateValues.size > 0) broken('no private value outlives its use');
    if (this.#host.deadline() !== undefined) broken('no deadline when nothing is left');
  }
}

function keyOf(of: { readonly direction: string; readonly spi: number; readonly childId: number }): string {
  return `${of.direction} ${of.spi} ${of.childId}`;
}

/** The words of an event: its kinds, states and reasons. */
function storyOf({ event }: Extract<HipOutput, { kind: 'event' }>): string {
  const words: string[] = [event.kind];
  if (event.kind === 'rejected') words.push(String(event.packetType));
  if (event.kind === 'state') words.push(event.from, event.to);
  if (event.kind === 'locator') words.push(event.state);
  if ('as' in event) words.push(event.as);
  if ('reason' in event) words.push(event.reason);
  return words.join(' ');
}

export function isOfExchange(octets: Uint8Array): boolean {
  const { packetType } = decodeHipHeader(octets);
  return packetType === HipPacketType.R1 || packetType === HipPacketType.I2;
}

export function checksumAddresses(
  source: Endpoint,
  destination: Endpoint,
): { readonly source: Uint8Array; readonly destination: Uint8Array } {
  return { source: addressBytes(source.address), destination: addressBytes(destination.address) };
}
