// Who talks to a fuzzed HIP host: a peer with an identity, whose packets are signed and MACed whatever they say.
import { createCipheriv } from 'node:crypto';
import {
  appendHipMac,
  appendHipMac2,
  appendHipSignature,
  CryptoError,
  HipKeymat,
  type HipKeys,
  hitSuiteOfAlgorithm,
  type KeyPair,
  type Randomness,
  searchPuzzleSolution,
  seededRandomness,
} from '#crypto';
import type { LocalIdentity } from '#hip';
import { keyExchangeOfDhGroup } from '#sa';
import {
  decodeHipPacket,
  encodeHipPacket,
  HipDhGroup,
  type HipPacket,
  HipPacketType,
  HipParameterType,
  hipPacketLengthMax,
  hipParameter,
  hipParameterOctets,
  WireError,
} from '#wire';
import { identities, type PartyName } from './hip-host.ts';

const cipher = 2;
const parameterHeaderBytes = 4;

interface RawParameter {
  readonly parameterType: number;
  contents: Uint8Array;
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function u16(value: number): Uint8Array {
  return Uint8Array.of(value >>> 8, value & 0xff);
}

function padded(octets: Uint8Array): Uint8Array {
  const whole = new Uint8Array(8 * Math.ceil(octets.length / 8));
  whole.set(octets);
  return whole;
}

/** As far as octets are parameters; the rest as it is. */
function split(octets: Uint8Array): { readonly parameters: RawParameter[]; readonly rest: Uint8Array } {
  const parameters: RawParameter[] = [];
  const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
  let at = 0;
  while (at + parameterHeaderBytes <= octets.length) {
    const length = view.getUint16(at + 2);
    const end = at + 8 * Math.ceil((parameterHeaderBytes + length) / 8);
    if (end > octets.length) break;
    const start = at + parameterHeaderBytes;
    parameters.push({ parameterType: view.getUint16(at), contents: octets.slice(start, start + length) });
    at = end;
  }
  return { parameters, rest: octets.slice(at) };
}

/** What MACs and signatures do not cover comes last. */
function parted(octets: Uint8Array): { readonly covered: Uint8Array; readonly behind: Uint8Array } {
  const { parameters, rest } = split(octets);
  const last = parameters.findLastIndex(({ parameterType }) => parameterType < HipParameterType.HIP_MAC) + 1;
  return {
    covered: join(...parameters.slice(0, last).map(encode)),
    behind: padded(join(...parameters.slice(last).map(encode), rest)),
  };
}

function encode({ parameterType, contents }: RawParameter): Uint8Array {
  return padded(join(u16(parameterType), u16(contents.length), contents));
}

/** Keys of one base exchange. */
interface Keys {
  readonly responder: LocalIdentity['identity']['hit'];
  readonly own: HipKeys;
  /** The HOST_ID of our R1, if we are the Responder. */
  readonly hostId: Uint8Array | undefined;
}

/** What a packet of the peer is made of. */
export interface Said {
  readonly packetType: number;
  /** The parameters but MACs and signatures. */
  readonly parameters: Uint8Array;
  /** What only follows from what the host has said is filled in: solution, acknowledgements, echoes, ciphertext. */
  readonly live: boolean;
  /** Under the keys of the first exchange, not of the last one. */
  readonly oldest: boolean;
}

export class FuzzPeer {
  readonly #identity: LocalIdentity;
  readonly #randomness: Randomness;
  readonly #keyPair: KeyPair;
  readonly #host = identities.sun.identity.hit;
  readonly #keys: Keys[] = [];
  #r1: HipPacket | undefined;
  #ownHostId: Uint8Array | undefined;
  #updateId: number | undefined;
  #echo: Uint8Array | undefined;

  constructor(name: PartyName) {
    this.#identity = identities[name];
    this.#randomness = seededRandomness(Uint8Array.of(name.length));
    this.#keyPair = this.#randomness.keyPair(keyExchangeOfDhGroup(HipDhGroup.ECP_256)!);
  }

  /** What R1 and I2 have of it. */
  get publicValue(): Uint8Array {
    return this.#keyPair.publicValue;
  }

  /** A packet that the host has sent. */
  hear(octets: Uint8Array): void {
    const copy = octets.slice();
    copy.fill(0, 4, 6);
    const packet = decodeHipPacket(copy);
    const { parameters, header } = packet;
    if (header.packetType === HipPacketType.R1) this.#r1 = packet;
    if (header.packetType === HipPacketType.I2) this.#agreeAsResponder(packet);
    this.#updateId = hipParameter(parameters, 'SEQ')?.updateId ?? this.#updateId;
    this.#echo = hipParameter(parameters, 'ECHO_REQUEST_SIGNED')?.data.slice() ?? this.#echo;
  }

  #agreeAsResponder({ parameters }: HipPacket): void {
    const solution = hipParameter(parameters, 'SOLUTION');
    const keyExchange = hipParameter(parameters, 'DIFFIE_HELLMAN');
    if (solution === undefined || keyExchange === undefined) return;
    const { hit } = this.#identity.identity;
    this.#agree({ ...keyExchange, ...solution, initiator: this.#host, responder: hit });
  }

  #agree(of: {
    readonly initiator: Keys['responder'];
    readonly responder: Keys['responder'];
    readonly publicValue: Uint8Array;
    readonly random: Uint8Array;
    readonly solution: Uint8Array;
  }): void {
    const { initiator, responder, publicValue, random, solution } = of;
    const { hit } = this.#identity.identity;
    try {
      const sharedSecret = this.#keyPair.agree(publicValue);
      const drawn = new HipKeymat({ initiator, responder, sharedSecret, random, solution }).drawHipKeys(
        cipher,
      );
      const own = initiator === hit ? drawn.initiator : drawn.responder;
      this.#keys.push({ responder, own, hostId: initiator === hit ? undefined : this.#ownHostId });
    } catch (error) {
      // The R1 that it answers was nonsense of ours.
      if (!(error instanceof CryptoError)) throw error;
    }
  }

  say(said: Said): Uint8Array {
    const { packetType, live, oldest } = said;
    const { covered, behind } = parted(live ? this.#filledIn(said) : said.parameters);
    let octets = bare(this.#identity, packetType, covered);
    if (packetType === HipPacketType.R1) this.#ownHostId = hostIdIn(octets) ?? this.#ownHostId;
    const keys = oldest ? this.#keys[0] : this.#keys.at(-1);
    for (const add of this.#authentication(packetType, keys)) octets = unlessMalformed(octets, add);
    return withLength(join(octets, behind));
  }

  /** The same in the name of the peer, by somebody who has none of its keys. */
  static forged(name: PartyName, by: PartyName, { packetType, parameters }: Said): Uint8Array {
    const { key } = identities[by];
    const randomness = seededRandomness(Uint8Array.of(9));
    const mac = new Uint8Array(48);
    const { hit } = identities.sun.identity;
    const added: ((octets: Uint8Array) => Uint8Array)[] = [
      (octets) => appendHipMac(octets, hit, mac),
      (octets) => appendHipSignature(octets, key, randomness),
    ];
    if (packetType === HipPacketType.R1)
      added.splice(0, 2, (octets) => appendHipSignature(octets, key, randomness, 'HIP_SIGNATURE_2'));
    if (packetType === HipPacketType.R2)
      added[0] = (octets) => appendHipMac2(octets, hit, mac, new Uint8Array(8));
    if (packetType === HipPacketType.I1) added.length = 0;
    return added.reduce(unlessMalformed, bare(identities[name], packetType, parameters));
  }

  #authentication(packetType: number, keys: Keys | undefined): ((octets: Uint8Array) => Uint8Array)[] {
    const { key } = this.#identity;
    const sign = (octets: Uint8Array): Uint8Array => appendHipSignature(octets, key, this.#randomness);
    switch (packetType) {
      case HipPacketType.I1:
        return [];
      case HipPacketType.R1:
        return [(octets) => appendHipSignature(octets, key, this.#randomness, 'HIP_SIGNATURE_2')];
      case HipPacketType.NOTIFY:
        return [sign];
      case HipPacketType.R2:
        return keys?.hostId === undefined
          ? [sign]
          : [(octets) => appendHipMac2(octets, keys.responder, keys.own.integrity, keys.hostId!), sign];
      default:
        return keys === undefined
          ? [sign]
          : [(octets) => appendHipMac(octets, keys.responder, keys.own.integrity), sign];
    }
  }

  #filledIn({ packetType, parameters: octets }: Said): Uint8Array {
    const { parameters, rest } = split(octets);
    if (packetType === HipPacketType.I2) this.#answerR1(parameters);
    for (const one of parameters) {
      if (one.parameterType === HipParameterType.ACK && this.#updateId !== undefined) {
        const ids = one.contents.slice();
        if (ids.length >= 4) new DataView(ids.buffer).setUint32(0, this.#updateId);
        one.contents = ids;
      }
      if (one.parameterType === HipParameterType.ECHO_RESPONSE_SIGNED && this.#echo !== undefined)
        one.contents = this.#echo;
    }
    return join(...parameters.map(encode), rest);
  }

  /** The puzzle is solved, the keys are agreed on, and what ENCRYPTED has is enciphered. */
  #answerR1(parameters: RawParameter[]): void {
    const puzzle = this.#r1 && hipParameter(this.#r1.parameters, 'PUZZLE');
    const keyExchange = this.#r1 && hipParameter(this.#r1.parameters, 'DIFFIE_HELLMAN');
    const counter = this.#r1 && hipParameter(this.#r1.parameters, 'R1_COUNTER')?.counter;
    if (puzzle === undefined || keyExchange === undefined) return;
    const { random, difficulty, opaque } = puzzle;
    const initiator = this.#identity.identity.hit;
    const responder = this.#host;
    const start = this.#randomness.bytes(random.length);
    const search = searchPuzzleSolution({ initiator, responder, random, difficulty }, start, 4_096);
    if (!search.solved) return;
    const { solution } = search;
    this.#agree({ initiator, responder, publicValue: keyExchange.publicValue, random, solution });
    for (const one of parameters) {
      if (one.parameterType === HipParameterType.SOLUTION)
        one.contents = join(Uint8Array.of(difficulty, 0), u16(opaque), random, solution);
      if (one.parameterType === HipParameterType.R1_COUNTER && counter !== undefined) {
        const contents = new Uint8Array(12);
        new DataView(contents.buffer).setBigUint64(4, counter);
        one.contents = contents;
      }
      if (one.parameterType === HipParameterType.ENCRYPTED) {
        const iv = this.#randomness.bytes(16);
        const sealing = createCipheriv('aes-128-cbc', this.#keys.at(-1)!.own.encryption, iv);
        const text = one.contents.subarray(4);
        one.contents = join(new Uint8Array(4), iv, sealing.update(text), sealing.final());
      }
    }
  }
}

function unlessMalformed(octets: Uint8Array, add: (octets: Uint8Array) => Uint8Array): Uint8Array {
  try {
    return add(octets);
  } catch (error) {
    if (error instanceof WireError) return octets;
    throw error;
  }
}

function hostIdIn(octets: Uint8Array): Uint8Array | undefined {
  try {
    return hipParameterOctets(octets, 'HOST_ID')?.slice();
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

/** Without MAC and signature, and with a length that leaves room for them. */
function bare({ identity }: LocalIdentity, packetType: number, parameters: Uint8Array): Uint8Array {
  const receiver = identities.sun.identity.hit;
  const header = { packetType: packetType & 0x7f, anonymous: false, sender: identity.hit, receiver };
  return withLength(join(encodeHipPacket({ header, parameters: [] }), padded(parameters)));
}

function withLength(octets: Uint8Array): Uint8Array {
  const packet = octets.slice(0, hipPacketLengthMax);
  packet[1] = packet.length / 8 - 1;
  return packet;
}

/** For HOST_ID of the peer. */
export function rhashBytes(): number {
  return hitSuiteOfAlgorithm(identities.sun.identity.algorithm).hashBytes;
}
