// An engine under attack: its data plane only remembers, its promises are checked after everything it is given.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type ConfigurationPorts, loadConfiguration } from '#config';
import {
  certificatesFromPem,
  computeNow,
  hostIdentityOf,
  type KeyPair,
  privateKeyFromPem,
  type Randomness,
  revocationListsFromPem,
  seededRandomness,
} from '#crypto';
import { Engine, type EngineConfiguration, type EngineInput, type EngineOutput } from '#engine';
import { identityFromText, identityPatternFromText } from '#ike';
import { address, type Endpoint, type IpAddress } from '#sa';
import { DataPlaneModel } from './data-plane-model.ts';

export type Side = 'moon' | 'sun';
/** `eap`: sun has a certificate, and moon a password. */
export type Method = 'psk' | 'pubkey' | 'eap';
type Transmit = Extract<EngineOutput, { readonly kind: 'transmit' }>;
export type IkeKeyLog = Extract<
  Extract<EngineOutput, { readonly kind: 'key-log' }>['entry'],
  { readonly kind: 'ike' }
>;
type Untimed<T> = T extends unknown ? Omit<T, 'at'> : never;

export const endpoints: Readonly<Record<Side, Endpoint>> = {
  moon: { address: address('192.0.2.1'), port: 500 },
  sun: { address: address('192.0.2.2'), port: 500 },
};
/** Where a host of its side may be, if it may move. */
export const places: Readonly<Record<Side, readonly IpAddress[]>> = {
  moon: [endpoints.moon.address, address('192.0.2.11'), address('198.51.100.1')],
  sun: [endpoints.sun.address, address('192.0.2.12'), address('198.51.100.2')],
};
const networks: Readonly<Record<Side, string>> = { moon: '10.1.0.0/16', sun: '10.2.0.0/16' };
export const natTraversalPort = 4500;
const halfOpenMax = 8;

/** From build/fuzz back to the sources. */
const credentials = fileURLToPath(new URL('../../fuzz/credentials', import.meta.url));
const credentialFiles = ['x509/moon', 'x509/sun', 'x509ca/authority', 'private/moon', 'private/sun'].map(
  (name) => ({
    path: `/etc/${name}.pem`,
    octets: new Uint8Array(readFileSync(`${credentials}/${name}.pem`)),
  }),
);

/** Formats as the daemon reads them; certificates and keys of both sides from memory. */
export const configurationPorts: ConfigurationPorts = {
  readFiles(pattern) {
    const name = pattern.startsWith('/') ? pattern : `/etc/${pattern}`;
    const folder = name.endsWith('/*') ? name.slice(0, -1) : undefined;
    return credentialFiles.filter(({ path }) => path === name || (folder && path.startsWith(folder)));
  },
  certificatesFromPem,
  revocationListsFromPem,
  privateKeyFromPem,
  hostIdentityOf,
  identityFromText,
  identityPatternFromText,
};

/** swanctl.conf of one side: everything that makes an engine do more with what it receives is switched on. */
function configurationText(side: Side, method: Method, variant: HostVariant): string {
  const other = side === 'moon' ? 'sun' : 'moon';
  return `
wayward {
  half_open_max = ${halfOpenMax}
  spi_history = 64
}
connections { ${variant.connections ?? ''} ${variant.onlyConnections ?? gateway(side, other, method, variant.mobile === true)} }
pools {
  four { addrs = 10.1.0.0/28 }
  six { addrs = fd00:1::/124 }
}
secrets {
  ike { secret = "known to both" }
  eap { id = carol
 secret = "known to both"
 }
}
`;
}

const proposals = 'proposals = aes128gcm16-prfsha256-x25519-ecp256';
/** So that the answer, which names an authority, is no longer than the request, and no cookie is needed. */
const longerProposals = `${proposals}, aes256gcm16-prfsha384-x25519-ecp256`;

function gateway(side: Side, other: Side, method: Method, mobile: boolean): string {
  return `
gateway {
  version = 2
  local_addrs = ${mobile ? places[side].join(', ') : endpoints[side].address}
  remote_addrs = ${side === 'moon' ? endpoints.sun.address : '%any'}
  ${side === 'moon' ? 'vips = 0.0.0.0, ::' : 'pools = four, six'}
  ${method === 'psk' ? proposals : longerProposals}
  rekey_time = 1h
  dpd_delay = 60s
  mobike = ${mobile ? 'yes' : 'no'}
  local {
    auth = ${authentication(side, method)}
    id = ${side}.example.org
    ${authentication(side, method) === 'pubkey' ? `certs = ${side}.pem` : ''}
    ${authentication(side, method) === 'eap' ? 'eap_id = carol' : ''}
  }
  remote {
    auth = ${authentication(other, method)}
    id = ${other}.example.org
    ${authentication(other, method) === 'eap' ? 'eap_id = %any' : ''}
  }
  children {
    net {
      local_ts = ${side === 'moon' ? 'dynamic' : networks.sun}
      remote_ts = ${side === 'moon' ? networks.sun : 'dynamic'}
      esp_proposals = aes128gcm16-x25519, aes128gcm16
      dpd_action = clear
    }
    ${side === 'sun' && !mobile ? `host { mode = transport\n local_ts = dynamic\n esp_proposals = aes128-sha256\n }` : ''}
  }
}`;
}

function authentication(side: Side, method: Method): Method {
  return method === 'eap' && side === 'sun' ? 'pubkey' : method;
}

const configurations = new Map<string, EngineConfiguration>();

function configurationOf(side: Side, method: Method, variant: HostVariant): EngineConfiguration {
  const key = JSON.stringify([side, method, variant.connections, variant.onlyConnections, variant.mobile]);
  let known = configurations.get(key);
  if (known === undefined) {
    const text = configurationText(side, method, variant);
    known = loadConfiguration({ text, file: '/etc/main.conf', ports: configurationPorts }).configuration;
    configurations.set(key, known);
  }
  return known;
}

export function broken(promise: string): never {
  throw new Error(`broken promise: ${promise}`);
}

/** Draws as another one does, and knows which of the key pairs are not forgotten yet. */
class CountedRandomness implements Randomness {
  readonly #drawn: Randomness;
  readonly #alive = new Set<KeyPair>();
  readonly sign: Randomness['sign'];

  constructor(drawn: Randomness) {
    this.#drawn = drawn;
    this.sign = drawn.sign.bind(drawn);
  }

  get alive(): number {
    return this.#alive.size;
  }

  bytes(count: number): Uint8Array {
    return this.#drawn.bytes(count);
  }

  keyPair(group: number): KeyPair {
    const made = this.#drawn.keyPair(group);
    this.#alive.add(made);
    return {
      group: made.group,
      publicValue: made.publicValue,
      agree: (peerPublicValue) => made.agree(peerPublicValue),
      destroy: () => {
        this.#alive.delete(made);
        made.destroy();
      },
    };
  }
}

/** A host that is configured otherwise than its side would be. */
export interface HostVariant {
  /** In addition to the connections of its side. */
  readonly connections?: string;
  /** Instead of those. */
  readonly onlyConnections?: string;
  /** Of the connections of its side: it is willing to do MOBIKE (RFC 4555), and has no SA that could not move. */
  readonly mobile?: boolean;
  readonly seed?: number;
}

export class EngineHost {
  readonly side: Side;
  readonly engine: Engine;
  readonly sent: Transmit[] = [];
  readonly keys: IkeKeyLog[] = [];
  /** What happened, without numbers: two inputs that read the same here took the same way. */
  readonly story: Set<string> = new Set();
  now = 0;
  readonly dataPlane: DataPlaneModel = new DataPlaneModel(broken);
  readonly #randomness: CountedRandomness;

  constructor(side: Side, method: Method, variant: HostVariant = {}) {
    this.side = side;
    const seed = [side.length, method.length, ...(variant.seed === undefined ? [] : [variant.seed])];
    this.#randomness = new CountedRandomness(seededRandomness(Uint8Array.from(seed)));
    this.engine = new Engine({
      configuration: configurationOf(side, method, variant),
      randomness: this.#randomness,
      keyLog: true,
    });
    this.give({ kind: 'wall-clock', wallClockMs: 1_900_000_000_000 });
  }

  /** Hands an input over and serves what the engine wants of its driver. */
  give(first: Untimed<EngineInput>): void {
    const inputs = [first];
    let outputs = 0;
    for (let input = inputs.shift(); input !== undefined; input = inputs.shift()) {
      this.engine.handle({ ...input, at: this.now } as EngineInput);
      for (let output = this.engine.poll(); output !== undefined; output = this.engine.poll()) {
        if (++outputs > 1000) broken('a bounded number of outputs per input');
        inputs.push(...this.#serve(output));
      }
    }
  }

  #serve(output: EngineOutput): Untimed<EngineInput>[] {
    switch (output.kind) {
      case 'transmit':
        this.sent.push(output);
        return [];
      case 'hip-transmit':
      case 'icmp':
        return [];
      case 'key-log':
        if (output.entry.kind === 'ike') this.keys.push(output.entry);
        return [];
      case 'event':
        this.story.add(storyOf(output.event));
        return [];
      case 'command-result':
        return [];
      case 'store':
        return [{ kind: 'stored', id: output.id }];
      case 'compute':
        return [{ kind: 'computed', id: output.id, result: computeNow(output.job) }];
      case 'resolve':
        return [
          {
            kind: 'resolved',
            id: output.id,
            result: {
              ok: true,
              local: output.local ?? endpoints[this.side].address,
              remote: address(output.host),
            },
          },
        ];
      case 'sa-command': {
        return [{ kind: 'sa-result', id: output.id, result: this.dataPlane.apply(output.command) }];
      }
    }
  }

  /** Time passes; nobody answers, unless somebody does after each step. */
  wait(durationMs: number, afterStep?: () => void): void {
    const end = this.now + durationMs;
    for (let steps = 0; ; steps++) {
      const deadline = this.engine.deadline();
      if (deadline === undefined || deadline > end) break;
      if (steps > 2000) broken('deadlines go on');
      this.now = Math.max(this.now, deadline);
      this.give({ kind: 'timeout' });
      afterStep?.();
    }
    this.now = end;
  }

  /** It has these addresses now, the best one first, and goes on from there as the daemon has it do. */
  moveTo(own: readonly [IpAddress, ...IpAddress[]]): void {
    this.give({ kind: 'command', id: 1, command: { kind: 'own-addresses', own: new Set(own) } });
    for (const { ikeId, local, remote, mobility } of this.engine.status().ikeSas) {
      if (mobility === undefined || own.includes(local.address)) continue;
      const move = { kind: 'move-ike', ikeId, local: own[0], remote: remote.address } as const;
      this.give({ kind: 'command', id: 1, command: move });
    }
  }

  /** @param messages how many datagrams came in: what one of them can make us hold is bounded */
  checkBounds(messages: number): void {
    const { ikeSas, halfOpen } = this.engine.status();
    if (halfOpen > halfOpenMax) broken('half-open IKE SAs within their limit');
    if (ikeSas.length > messages + 2) broken('at most one IKE SA per message');
    const children = ikeSas.reduce((sum, sa) => sum + sa.children.length, 0);
    if (children > messages + 2) broken('at most one Child SA per message');
    // A Child SA has two of them, and two more while its successor is being made.
    if (this.dataPlane.sas.length > 4 * (messages + 2)) broken('a bounded number of SAs');
  }

  /** After a shutdown nothing may be left, whatever happened before. */
  close(): void {
    this.wait(600_000);
    this.give({ kind: 'command', id: 1000, command: { kind: 'shutdown' } });
    this.wait(3_600_000);
    const { ikeSas, halfOpen, pools } = this.engine.status();
    if (ikeSas.length > 0 || halfOpen > 0) broken('no IKE SA outlives a shutdown');
    const { sas, policies } = this.dataPlane;
    if (sas.length > 0) broken(`no SA outlives its IKE SA: ${sas.join(', ')}`);
    if (policies.length > 0) broken('no policy outlives its Child SA');
    if (this.#randomness.alive > 0) broken('no key pair outlives its exchange');
    if (pools.some(({ online }) => online > 0)) broken('no leased address outlives its IKE SA');
    const { reservedSpis, awaitedResults, pendingCommands, initiations } = this.engine.tables();
    if (reservedSpis + awaitedResults + pendingCommands + initiations > 0) broken('empty tables at the end');
    if (this.engine.deadline() !== undefined) broken('no deadline when nothing is left');
  }
}

/** The words of an event: its kinds, codes and reasons. */
function storyOf(event: Extract<EngineOutput, { readonly kind: 'event' }>['event']): string {
  const words: string[] = [event.kind];
  if (event.kind === 'ike') {
    words.push(event.event.kind);
    if ('failure' in event.event) words.push(event.event.failure.code);
    if ('reason' in event.event) words.push(String(event.event.reason).replace(/\d+/g, '#'));
  }
  if ('reason' in event) words.push(event.reason);
  return words.join(' ');
}
