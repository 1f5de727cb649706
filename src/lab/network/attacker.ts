// An attacker without keys: sees everything (on path) or nothing (off path), sends from any address, forges what it can.
import { addressBytes, type Endpoint, type IpAddress } from '#sa';
import {
  decodeIkeMessage,
  ExchangeType,
  encodeHipPacket,
  encodeIkeMessage,
  HipPacketType,
  hipHeaderLength,
  hitFromBytes,
  hitLength,
  type IkeHeader,
  type IkeSpi,
  ikeSpiFromBytes,
  NotifyType,
  notify,
  type Payload,
  ProtocolId,
  readU32,
  TransformType,
  writeHipChecksum,
  writeU32,
  zeroIkeSpi,
} from '#wire';
import { hipPacketType, plainIkeHeader } from '../describe-datagram.ts';
import type { Prng } from '../prng.ts';
import type { Attack, HostScenario } from '../scenario.ts';
import type { Datagram } from './datagram.ts';

const recordedMax = 64;
const markerBytes = 4;
/** RFC 7401 5.1: behind it the sender's HIT stands, which begins as all HITs of its suite do. */
const senderHitOffset = 8;
const hitPrefixBytes = 4;
/** Of a QCD token as hosts of ours make them (RFC 6290 5): what is to be guessed. */
const tokenBytes = 16;

/** What an ICMP error would quote of a packet of the target. */
export interface ForgedQuote {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly spi: number;
  readonly sequence: number;
}

export class Attacker {
  readonly #prng: Prng;
  readonly #recorded: Datagram[] = [];
  /** IKE messages by themselves: traffic would soon push them out. */
  readonly #recordedIke: Datagram[] = [];
  readonly #recordedHip: Datagram[] = [];

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  overhear(datagram: Datagram): void {
    if (datagram.protocol === 'icmp') return;
    if (datagram.protocol === 'hip') {
      this.#recordedHip.push(datagram);
      if (this.#recordedHip.length > recordedMax) this.#recordedHip.shift();
      return;
    }
    this.#recorded.push(datagram);
    if (this.#recorded.length > recordedMax) this.#recorded.shift();
    if (plainIkeHeader(datagram) === undefined) return;
    this.#recordedIke.push(datagram);
    if (this.#recordedIke.length > recordedMax) this.#recordedIke.shift();
  }

  /** What an ICMP error would have to quote to be believed: the newest packet of the target, or a guess. */
  forgeQuote(target: HostScenario, source: Endpoint, offPath: boolean): ForgedQuote {
    const heard = offPath ? undefined : this.#espFrom(target).at(-1);
    const at = heard === undefined ? 0 : heard.octets.length;
    return {
      source: target.address,
      destination: source.address,
      spi: heard === undefined || at < 8 ? this.#prng.u32() : readU32(heard.octets, 0),
      sequence: heard === undefined || at < 8 ? this.#prng.below(1_000) : readU32(heard.octets, 4),
    };
  }

  #espFrom({ address }: HostScenario): Datagram[] {
    return this.#recorded.filter(
      (one) => one.source.address === address && one.octets.length > 8 && readU32(one.octets, 0) !== 0,
    );
  }

  /** The datagrams of one attack. @param source where they claim to come from */
  forge(attack: Attack, target: HostScenario, source: Endpoint): Datagram[] {
    const { ike, natTraversal } = target.configuration.ports;
    const forged: Datagram[] = [];
    for (let i = 0; i < attack.count; i++) {
      const shared = this.#prng.chance(0.5);
      const destination = { address: target.address, port: shared ? natTraversal : ike };
      const datagram = this.#one(attack, source, destination, shared, i);
      if (datagram !== undefined) forged.push(datagram);
    }
    return forged;
  }

  #one(
    { kind, offPath = false }: Attack,
    source: Endpoint,
    destination: Endpoint,
    shared: boolean,
    index: number,
  ): Datagram | undefined {
    const prng = this.#prng;
    const udp = (octets: Uint8Array): Datagram => ({
      protocol: 'udp',
      source,
      destination,
      octets,
      origin: 'forged',
    });
    const ike = (octets: Uint8Array): Datagram => udp(shared ? marked(octets) : octets);
    switch (kind) {
      case 'garbage':
        return udp(prng.bytes(prng.between(0, 120)));
      case 'unknown-ike-spi':
        return ike(
          encodeIkeMessage({
            header: this.#header({ exchangeType: ExchangeType.INFORMATIONAL, response: prng.chance(0.3) }),
            payloads: [notify(NotifyType.INITIAL_CONTACT, { data: new Uint8Array(0) })],
          }),
        );
      case 'higher-version': {
        const octets = encodeIkeMessage({
          header: this.#header({ exchangeType: ExchangeType.INFORMATIONAL, response: false }),
          payloads: [notify(NotifyType.INITIAL_CONTACT, { data: new Uint8Array(0) })],
        });
        octets[17] = prng.between(3, 15) << 4;
        return ike(octets);
      }
      case 'forged-invalid-spi':
        return ike(this.#invalidSpi(offPath));
      case 'forged-invalid-ike-spi':
        return offPath
          ? ike(this.#guessedRefusal([]))
          : this.#aboutRecorded(source, destination, shared, true);
      case 'forged-tokens': {
        const tokens = Array.from({ length: prng.between(1, 4) }, () =>
          notify(NotifyType.QUICK_CRASH_DETECTION, {
            protocolId: ProtocolId.IKE,
            data: prng.bytes(tokenBytes),
          }),
        );
        if (prng.chance(0.5)) return ike(this.#invalidSpi(offPath, tokens));
        return offPath
          ? ike(this.#guessedRefusal(tokens))
          : this.#aboutRecorded(source, destination, shared, true, tokens);
      }
      case 'forged-hip':
        return this.#hip(source, destination, offPath);
      case 'replayed-hip': {
        const heard = this.#hipTo(destination);
        return heard.length === 0 ? undefined : { ...prng.pick(heard), origin: 'replayed' };
      }
      case 'i1-flood':
        return this.#i1(source, destination);
      case 'forged-icmp':
        // No datagram of a port of ours: see `forgeQuote`.
        return undefined;
      case 'forged-delete':
        return this.#aboutRecorded(source, destination, shared, false);
      case 'init-flood':
        // Each from an address of its own if none is spoofed on purpose.
        return { ...ike(this.#init()), source: { ...source, port: 1024 + index } };
      case 'forged-first-answer':
        return this.#firstAnswer(destination, offPath);
      case 'random-esp': {
        const octets = prng.bytes(prng.between(20, 120));
        if (readU32(octets, 0) < 256) writeU32(octets, 0, 256);
        return prng.chance(0.5)
          ? { ...udp(octets), destination: { ...destination, port: destination.port } }
          : {
              protocol: 'esp',
              source: { ...source, port: 0 },
              destination: { ...destination, port: 0 },
              octets,
              origin: 'forged',
            };
      }
      case 'replay': {
        const recorded = this.#recording(destination);
        return recorded === undefined ? undefined : { ...recorded, origin: 'replayed' };
      }
      case 'truncation': {
        const recorded = this.#recording(destination);
        if (recorded === undefined || recorded.octets.length === 0) return undefined;
        const octets = recorded.octets.slice(0, prng.below(recorded.octets.length));
        return { ...recorded, octets, origin: 'forged' };
      }
    }
  }

  #recording(destination: Endpoint): Datagram | undefined {
    const toTarget = this.#recorded.filter((one) => one.destination.address === destination.address);
    return toTarget.length === 0 ? undefined : this.#prng.pick(toTarget);
  }

  #header(fields: { readonly exchangeType: number; readonly response: boolean }): IkeHeader {
    return {
      initiatorSpi: this.#spi(),
      responderSpi: this.#spi(),
      majorVersion: 2,
      minorVersion: 0,
      initiator: this.#prng.chance(0.5),
      higherVersion: false,
      messageId: this.#prng.below(8),
      ...fields,
    };
  }

  #spi(): IkeSpi {
    return ikeSpiFromBytes(this.#prng.bytes(8));
  }

  /** A HIP packet that was overheard, with an octet changed, or, off path, the header of one between guessed hosts. */
  #hip(source: Endpoint, destination: Endpoint, offPath: boolean): Datagram | undefined {
    const prng = this.#prng;
    const heard = offPath ? [] : this.#hipTo(destination);
    let octets: Uint8Array;
    if (heard.length === 0) {
      const packetType = prng.pick([HipPacketType.UPDATE, HipPacketType.CLOSE, HipPacketType.NOTIFY]);
      const [sender, receiver] = [hitFromBytes(prng.bytes(16)), hitFromBytes(prng.bytes(16))];
      const header = { packetType, anonymous: false, sender, receiver };
      octets = encodeHipPacket({ header, parameters: [] });
    } else {
      octets = prng.pick(heard).octets.slice();
      const at = prng.between(hipHeaderLength, octets.length - 1);
      octets[at] = octets[at]! ^ prng.between(1, 255);
    }
    return hipDatagram(source, destination, octets);
  }

  #hipTo({ address }: Endpoint): readonly Datagram[] {
    return this.#recordedHip.filter((one) => one.destination.address === address);
  }

  /** As somebody else whom nobody knows would call, if a call was overheard (RFC 7401 5.3.1). */
  #i1(source: Endpoint, destination: Endpoint): Datagram | undefined {
    const heard = this.#hipTo(destination).find((one) => hipPacketType(one) === HipPacketType.I1);
    if (heard === undefined) return undefined;
    const octets = heard.octets.slice();
    octets.set(this.#prng.bytes(hitLength - hitPrefixBytes), senderHitOffset + hitPrefixBytes);
    return hipDatagram(source, destination, octets);
  }

  /** RFC 7296 1.5: one-way, outside any IKE SA. It names an SPI that was overheard, if one was. */
  #invalidSpi(offPath: boolean, tokens: readonly Payload[] = []): Uint8Array {
    const esp = offPath
      ? []
      : this.#recorded.filter(({ octets }) => octets.length > 8 && readU32(octets, 0) !== 0);
    const spi = esp.length > 0 ? this.#prng.pick(esp).octets.slice(0, 4) : this.#prng.bytes(4);
    return encodeIkeMessage({
      header: {
        ...this.#header({ exchangeType: ExchangeType.INFORMATIONAL, response: false }),
        initiatorSpi: zeroIkeSpi,
        responderSpi: zeroIkeSpi,
        initiator: true,
        messageId: 0,
      },
      payloads: [notify(NotifyType.INVALID_SPI, { data: spi }), ...tokens],
    });
  }

  /** An error answer about an IKE SA whose SPIs are guessed. */
  #guessedRefusal(tokens: readonly Payload[]): Uint8Array {
    return encodeIkeMessage({
      header: this.#header({ exchangeType: ExchangeType.INFORMATIONAL, response: true }),
      payloads: [notify(NotifyType.INVALID_IKE_SPI, { data: new Uint8Array(0) }), ...tokens],
    });
  }

  /** An unprotected message that names an IKE SA which was overheard: an error answer, or a Delete. */
  #aboutRecorded(
    source: Endpoint,
    destination: Endpoint,
    shared: boolean,
    answer: boolean,
    tokens: readonly Payload[] = [],
  ): Datagram | undefined {
    const heard = this.#recordedIke.flatMap((datagram) => {
      const octets = ikeOctets(datagram, destination);
      return octets === undefined ? [] : [octets];
    });
    if (heard.length === 0) return undefined;
    // Mostly the newest: a request that still waits for its answer is what a refusal must fit.
    const octets = this.#prng.chance(0.5) ? heard.at(-1)! : this.#prng.pick(heard);
    const initiator = (octets[19]! & 0x08) !== 0;
    const header: IkeHeader = {
      initiatorSpi: ikeSpiFromBytes(octets.slice(0, 8)),
      responderSpi: ikeSpiFromBytes(octets.slice(8, 16)),
      majorVersion: 2,
      minorVersion: 0,
      exchangeType: octets[18]!,
      initiator: answer ? !initiator : initiator,
      response: answer,
      higherVersion: false,
      messageId: readU32(octets, 20) + (answer ? 0 : 1),
    };
    const forged = encodeIkeMessage({
      header,
      payloads: answer
        ? [notify(NotifyType.INVALID_IKE_SPI, { data: new Uint8Array(0) }), ...tokens]
        : [{ type: 'D', protocolId: ProtocolId.IKE, spiSize: 0, spis: [] }],
    });
    return {
      protocol: 'udp',
      source,
      destination,
      octets: shared ? marked(forged) : forged,
      origin: 'forged',
    };
  }

  /**
   * RFC 7296 2.4: nobody vouches for the answer to IKE_SA_INIT. It takes the first of what was offered, and a public value that
   * any 32 octets are (RFC 7748). Off path the SPI of the initiator is a guess.
   */
  #firstAnswer(target: Endpoint, offPath: boolean): Datagram | undefined {
    const asked = this.#recordedIke.findLast((one) => {
      const header = plainIkeHeader(one);
      const request = header?.exchangeType === ExchangeType.IKE_SA_INIT && !header.response;
      return request && one.source.address === target.address;
    });
    const octets = asked === undefined ? undefined : ikeOctets(asked, target);
    if (asked === undefined || octets === undefined) return undefined;
    const { header, payloads } = decodeIkeMessage(octets);
    const offered = payloads.find((payload) => payload.type === 'SA')?.proposals[0];
    const ke = payloads.find((payload) => payload.type === 'KE');
    if (offered === undefined || ke === undefined) return undefined;
    const transforms = new Map(offered.transforms.toReversed().map((one) => [one.type, one]));
    const answer = encodeIkeMessage({
      header: {
        ...header,
        initiatorSpi: offPath ? this.#spi() : header.initiatorSpi,
        responderSpi: this.#spi(),
        initiator: false,
        response: true,
      },
      payloads: [
        { type: 'SA', proposals: [{ ...offered, transforms: [...transforms.values()].toReversed() }] },
        { type: 'KE', group: ke.group, data: this.#prng.bytes(ke.data.length) },
        { type: 'Nonce', data: this.#prng.bytes(32) },
      ],
    });
    return {
      protocol: 'udp',
      source: asked.destination,
      destination: asked.source,
      octets: answer,
      origin: 'forged',
    };
  }

  #init(): Uint8Array {
    return encodeIkeMessage({
      header: {
        ...this.#header({ exchangeType: ExchangeType.IKE_SA_INIT, response: false }),
        responderSpi: zeroIkeSpi,
        initiator: true,
        messageId: 0,
      },
      payloads: [
        {
          type: 'SA',
          proposals: [
            {
              number: 1,
              protocolId: ProtocolId.IKE,
              spi: new Uint8Array(0),
              transforms: [
                {
                  type: TransformType.ENCR,
                  id: 20,
                  attributes: [{ type: 14, value: 128 }],
                },
                { type: TransformType.PRF, id: 5, attributes: [] },
                { type: TransformType.KE, id: 31, attributes: [] },
              ],
            },
          ],
        },
        { type: 'KE', group: 31, data: this.#prng.bytes(32) },
        { type: 'Nonce', data: this.#prng.bytes(32) },
      ],
    });
  }
}

/** With the checksum that belongs to these addresses. */
function hipDatagram(source: Endpoint, destination: Endpoint, octets: Uint8Array): Datagram {
  writeHipChecksum(octets, {
    source: addressBytes(source.address),
    destination: addressBytes(destination.address),
  });
  const ends = { source: { ...source, port: 0 }, destination: { ...destination, port: 0 } };
  return { protocol: 'hip', ...ends, octets, origin: 'forged' };
}

function marked(octets: Uint8Array): Uint8Array {
  const datagram = new Uint8Array(markerBytes + octets.length);
  datagram.set(octets, markerBytes);
  return datagram;
}

/** The IKE message in a datagram that came from or went to the target's side, without its marker. */
function ikeOctets(datagram: Datagram, target: Endpoint): Uint8Array | undefined {
  const { octets, protocol, source, destination } = datagram;
  if (protocol !== 'udp' || octets.length < 32) return undefined;
  if (source.address !== target.address && destination.address !== target.address) return undefined;
  // A marker is four octets of zero, which an initiator's SPI hardly ever begins with.
  return readU32(octets, 0) === 0
    ? octets.subarray(markerBytes)
    : (octets[17] ?? 0) === 0x20
      ? octets
      : undefined;
}
