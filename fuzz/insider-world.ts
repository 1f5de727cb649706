// A host, a peer of it whose keys are known, and another peer that has nothing to do with all that.
import { type Endpoint, spiBytes } from '#sa';
import { decodeIkeMessage, ExchangeType, type IkeHeader, type IkeMessage } from '#wire';
import {
  broken,
  EngineHost,
  endpoints,
  type IkeKeyLog,
  natTraversalPort,
  places,
  type Side,
} from './engine-host.ts';
import { chainOf, type Material, octetsOf, type RawPayload } from './payload-chain.ts';
import { openText, sealText } from './peer-cipher.ts';

/** A message that was said and is not delivered yet. */
export interface Underway {
  readonly message: IkeMessage;
  readonly local: Endpoint;
  readonly remote: Endpoint;
}

/** How a message is sent, other than as it stands. */
export interface Delivery {
  readonly chain: readonly RawPayload[];
  readonly header: IkeHeader;
  /** 1: in a message of its own, as SK. */
  readonly fragments: number;
  /** The fragment that is left out (from 1), if there is one with this number. */
  readonly missing: number;
  /** It claims to come from where nobody is. */
  readonly elsewhere: boolean;
  /** Between which ends of the victim; absent: as the last one. */
  readonly path?: { readonly local: Endpoint; readonly remote: Endpoint };
}

const bystanderAddress = '192.0.2.3';
const elsewhereEnd = '198.51.100.9';
const saidMax = 256;

function bystanderConnection(own: string, id: string, other: string, otherId: string, nets: string): string {
  return `aside {
  version = 2
  local_addrs = ${own}
  remote_addrs = ${other}
  proposals = aes128gcm16-prfsha256-x25519
  rekey_time = 8h
  mobike = no
  local { auth = psk\n id = ${id} }
  remote { auth = psk\n id = ${otherId} }
  children { aside { ${nets} esp_proposals = aes128gcm16\n rekey_time = 8h } }
}`;
}

export class InsiderWorld {
  readonly victim: EngineHost;
  /** A host like ours: what it says is true until it is changed on its way. */
  readonly accomplice: EngineHost;
  readonly #bystander: EngineHost;
  readonly toVictim: Underway[] = [];
  readonly toAccomplice: Underway[] = [];
  #said: RawPayload[] = [];
  #stands = '';
  #nextIv = 0x7000_0000;
  #messages = 0;
  /** By IKE SA: the Message IDs of requests that the accomplice knows nothing of. */
  readonly #forged = new Map<string, number[]>();

  readonly #mobile: boolean;
  #path: { readonly local: Endpoint; readonly remote: Endpoint };

  /** @param mobile both do MOBIKE (RFC 4555), and nothing gets to where they are not */
  constructor(side: Side, mobile = false) {
    this.#mobile = mobile;
    const other: Side = side === 'moon' ? 'sun' : 'moon';
    this.#path = { local: endpoints[side], remote: endpoints[other] };
    const own = endpoints[side].address;
    const mars = 'mars.example.org';
    const id = `${side}.example.org`;
    this.victim = new EngineHost(side, 'psk', {
      connections: bystanderConnection(
        own,
        id,
        bystanderAddress,
        mars,
        'local_ts = 10.9.0.0/16\n remote_ts = 10.3.0.0/16\n',
      ),
      mobile,
    });
    this.accomplice = new EngineHost(other, 'psk', { mobile });
    this.#bystander = new EngineHost(side, 'psk', {
      onlyConnections: bystanderConnection(
        bystanderAddress,
        mars,
        own,
        id,
        'local_ts = 10.3.0.0/16\n remote_ts = 10.9.0.0/16\n',
      ),
      seed: 3,
    });
    this.#bystander.give({ kind: 'command', id: 1, command: { kind: 'initiate', child: 'aside' } });
    this.collect();
    this.#stands = this.#standing();
    if (!this.#stands.startsWith('established')) throw new Error(`the bystander is ${this.#stands}`);
  }

  get messages(): number {
    return this.#messages;
  }

  /** What the three have said finds its way: the bystander's at once, the others' when somebody delivers it. */
  collect(): void {
    for (let again = true; again; ) {
      again = false;
      for (const [host, queue] of [
        [this.victim, this.toAccomplice],
        [this.accomplice, this.toVictim],
        [this.#bystander, undefined],
      ] as const) {
        for (const { local, remote, octets } of host.sent.splice(0)) {
          const aside = host === this.#bystander ? this.victim : this.#bystander;
          if (host === this.#bystander || remote.address === bystanderAddress) {
            again = true;
            aside.now = host.now;
            aside.give({ kind: 'datagram', local: remote, remote: local, octets });
          } else if (this.#mobile && remote.address === elsewhereEnd) {
            // Nobody is there.
          } else if (local.port === natTraversalPort ? octets.length > 4 : true) {
            const content = local.port === natTraversalPort ? octets.subarray(4) : octets;
            queue?.push({ message: decodeIkeMessage(content), local, remote });
          }
        }
      }
    }
  }

  /** As this host has them: a key exchange that was changed on its way makes two kinds. */
  #keysOf(host: EngineHost, { initiatorSpi, responderSpi }: IkeHeader): IkeKeyLog | undefined {
    return host.keys.find((keys) => keys.initiatorSpi === initiatorSpi && keys.responderSpi === responderSpi);
  }

  /** The payloads of a message, opened if they were sealed. */
  chainOf({ message }: Underway): RawPayload[] {
    const { header, octets, payloads } = message;
    const sealed = payloads.at(-1);
    const keys = this.#keysOf(this.accomplice, header);
    const chain =
      sealed?.type === 'SK' && keys !== undefined
        ? chainOf(sealed.firstPayload, openText(keys, header, octets, sealed.body))
        : chainOf(octets[16]!, octets.subarray(28));
    this.#said = [...this.#said, ...chain].slice(-saidMax);
    return chain;
  }

  /** What changes may be made of. */
  get material(): Material {
    const spis = this.victim.engine
      .childSas()
      .flatMap(({ inboundSpi, outboundSpi }) => [spiBytes(outboundSpi), spiBytes(inboundSpi)]);
    return { said: this.#said, spis };
  }

  /** Gives the victim a message as its peer could send it. */
  say({ chain, header, fragments, missing, elsewhere, path }: Delivery): void {
    const { firstPayload, octets } = octetsOf(chain);
    this.#path = path ?? this.#path;
    // Nothing of such a length leaves in one datagram.
    if (octets.length > 60_000) return;
    const keys = this.#keysOf(this.victim, header) ?? this.#keysOf(this.accomplice, header);
    const { exchangeType } = header;
    const sealed =
      keys !== undefined &&
      exchangeType !== ExchangeType.IKE_SA_INIT &&
      exchangeType !== ExchangeType.IKE_SESSION_RESUME;
    if (!sealed || keys === undefined) {
      this.#deliver(plainMessage(header, firstPayload, octets), elsewhere);
      return;
    }
    if (fragments < 2) {
      this.#deliver(sealText(keys, { header, firstPayload, text: octets }, this.#nextIv++), elsewhere);
      return;
    }
    const size = Math.ceil(octets.length / fragments);
    for (let number = 1; number <= fragments; number++) {
      if (number === missing) continue;
      const text = octets.slice((number - 1) * size, number * size);
      const fragment = { fragmentNumber: number, totalFragments: fragments };
      this.#deliver(sealText(keys, { header, firstPayload, text, fragment }, this.#nextIv++), elsewhere);
    }
  }

  #deliver(octets: Uint8Array, elsewhere: boolean): void {
    const { victim } = this;
    const { local, remote } = this.#path;
    this.#messages++;
    victim.give({
      kind: 'datagram',
      local,
      remote: elsewhere ? { ...remote, address: elsewhereEnd as Endpoint['address'] } : remote,
      octets: onPort(local.port, octets),
    });
    // A response may come in fragments, requests may begin beside it; more would be amplification.
    if (victim.sent.length > 16) broken(`${victim.sent.length} datagrams for one`);
    this.collect();
    victim.checkBounds(this.#messages + 2);
    this.#checkBystander();
    this.#checkMoves();
  }

  /** RFC 4555 3.7: traffic is led nowhere before the peer has answered from there. */
  #checkMoves(): void {
    const { engine, dataPlane } = this.victim;
    for (const { childId, to } of dataPlane.moved.splice(0)) {
      if (to !== elsewhereEnd) continue;
      const sa = engine
        .status()
        .ikeSas.find(({ children }) => children.some((child) => child.childId === childId));
      if (sa?.mobility !== undefined) broken('Child SAs lead where the peer has answered from');
    }
  }

  /** A message to the accomplice, as it stands; answers to what it never asked are kept from it. */
  inform({ message, local, remote }: Underway): void {
    const { header, octets } = message;
    const forged = this.#forged.get(saOf(header)) ?? [];
    if (header.response && forged.includes(header.messageId)) return;
    this.accomplice.give({
      kind: 'datagram',
      local: remote,
      remote: local,
      octets: onPort(remote.port, octets),
    });
    this.collect();
  }

  /** The header of a request of the accomplice's that it knows nothing of, or of an answer to what the victim asked last. */
  headerFor(newest: boolean, response: boolean, exchangeType: number): IkeHeader | undefined {
    const known = this.accomplice.keys.filter(({ responderSpi }) => responderSpi !== undefined);
    const keys = newest ? known.at(-1) : known[0];
    if (keys === undefined) return undefined;
    const { initiatorSpi, responderSpi } = keys;
    const sa = this.accomplice.engine
      .status()
      .ikeSas.find((one) => one.initiatorSpi === initiatorSpi && one.responderSpi === responderSpi);
    const name = `${initiatorSpi} ${responderSpi}`;
    const asked = this.toAccomplice.findLast(
      ({ message: { header } }) => !header.response && saOf(header) === name,
    )?.message.header;
    const forged = this.#forged.get(name) ?? [];
    const initiator = sa?.initiator ?? this.accomplice.side === 'moon';
    const messageId = response ? (asked?.messageId ?? 0) : this.#nextRequestId(name) + forged.length;
    if (!response) this.#forged.set(name, [...forged, messageId]);
    return {
      initiatorSpi,
      responderSpi,
      majorVersion: 2,
      minorVersion: 0,
      exchangeType: response ? (asked?.exchangeType ?? exchangeType) : exchangeType,
      initiator,
      response,
      higherVersion: false,
      messageId,
    };
  }

  readonly #lastRequests = new Map<string, number>();

  #nextRequestId(name: string): number {
    return (this.#lastRequests.get(name) ?? -1) + 1;
  }

  /** The accomplice's own requests count on behind those that were slipped in. */
  renumbered(header: IkeHeader): IkeHeader {
    if (header.response) return header;
    const name = saOf(header);
    const forged = this.#forged.get(name) ?? [];
    this.#lastRequests.set(name, Math.max(this.#lastRequests.get(name) ?? -1, header.messageId));
    return { ...header, messageId: header.messageId + forged.length };
  }

  /** Time passes for all of them. */
  wait(durationMs: number): void {
    const from = this.victim.now;
    this.victim.wait(durationMs, () => this.collect());
    this.accomplice.now = Math.max(this.accomplice.now, from);
    this.accomplice.wait(this.victim.now - this.accomplice.now, () => this.collect());
    this.collect();
    this.#checkBystander();
    this.#checkMoves();
  }

  /** @param first of the addresses that a host of this side may have, the one that it has now. @param count how many it has */
  move(host: EngineHost, first: number, count: number): void {
    const all = places[host.side];
    const from = first % all.length;
    const [best, ...others] = [...all.slice(from), ...all.slice(0, from)];
    if (best !== undefined) host.moveTo([best, ...others.slice(0, count % all.length)]);
    this.collect();
    this.#checkMoves();
  }

  #standing(): string {
    const sa = this.victim.engine.status().ikeSas.find(({ connection }) => connection === 'aside');
    if (sa === undefined) return 'gone';
    const { phase, remote, children } = sa;
    const spis = children.map(
      ({ childId, inboundSpi, outboundSpi, phase: one }) =>
        `${one} ${inboundSpi} ${outboundSpi} ${this.victim.dataPlane.ofChild(childId).join(', ')}`,
    );
    return `${phase} ${remote.address} ${spis.join('; ')}`;
  }

  #checkBystander(): void {
    const now = this.#standing();
    if (now !== this.#stands) broken(`what another peer has stands: ${this.#stands} became ${now}`);
  }

  close(): void {
    this.#checkBystander();
    this.victim.close();
  }
}

function saOf({ initiatorSpi, responderSpi }: IkeHeader): string {
  return `${initiatorSpi} ${responderSpi}`;
}

/** ESP shares this port: a marker says that it is none (RFC 3948 2.2). */
function onPort(port: number, octets: Uint8Array): Uint8Array {
  return port === natTraversalPort ? Uint8Array.of(0, 0, 0, 0, ...octets) : octets;
}

/** A message whose payloads nobody sealed, however wrong they are. */
function plainMessage(header: IkeHeader, firstPayload: number, octets: Uint8Array): Uint8Array {
  const message = new Uint8Array(28 + octets.length);
  const view = new DataView(message.buffer);
  view.setBigUint64(0, BigInt(`0x${header.initiatorSpi}`));
  view.setBigUint64(8, BigInt(`0x${header.responderSpi}`));
  message.set([firstPayload, 0x20, header.exchangeType], 16);
  message[19] = (header.initiator ? 0x08 : 0) | (header.response ? 0x20 : 0);
  view.setUint32(20, header.messageId);
  view.setUint32(24, message.length);
  message.set(octets, 28);
  return message;
}
