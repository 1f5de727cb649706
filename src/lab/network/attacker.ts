// An attacker without keys: sees everything, sends from any address, and forges what it can.
import type { Endpoint } from '#sa';
import {
  ExchangeType,
  encodeIkeMessage,
  type IkeHeader,
  type IkeSpi,
  ikeSpiFromBytes,
  NotifyType,
  notify,
  ProtocolId,
  readU32,
  TransformType,
  writeU32,
  zeroIkeSpi,
} from '#wire';
import type { Prng } from '../prng.ts';
import type { Attack, HostScenario } from '../scenario.ts';
import type { Datagram } from './datagram.ts';

const recordedMax = 64;
const markerBytes = 4;

export class Attacker {
  readonly #prng: Prng;
  readonly #recorded: Datagram[] = [];

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  overhear(datagram: Datagram): void {
    this.#recorded.push(datagram);
    if (this.#recorded.length > recordedMax) this.#recorded.shift();
  }

  /** The datagrams of one attack. @param source where they claim to come from */
  forge(attack: Attack, target: HostScenario, source: Endpoint): Datagram[] {
    const { ike, natTraversal } = target.configuration.ports;
    const forged: Datagram[] = [];
    for (let i = 0; i < attack.count; i++) {
      const shared = this.#prng.chance(0.5);
      const destination = { address: target.address, port: shared ? natTraversal : ike };
      const datagram = this.#one(attack.kind, source, destination, shared, i);
      if (datagram !== undefined) forged.push(datagram);
    }
    return forged;
  }

  #one(
    kind: Attack['kind'],
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
        return ike(this.#invalidSpi());
      case 'forged-invalid-ike-spi':
        return this.#aboutRecorded(source, destination, shared, true);
      case 'forged-delete':
        return this.#aboutRecorded(source, destination, shared, false);
      case 'init-flood':
        // Each from an address of its own if none is spoofed on purpose.
        return { ...ike(this.#init()), source: { ...source, port: 1024 + index } };
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

  /** RFC 7296 1.5: one-way, outside any IKE SA. It names an SPI that was overheard, if one was. */
  #invalidSpi(): Uint8Array {
    const esp = this.#recorded.filter(({ octets }) => octets.length > 8 && readU32(octets, 0) !== 0);
    const spi = esp.length > 0 ? this.#prng.pick(esp).octets.slice(0, 4) : this.#prng.bytes(4);
    return encodeIkeMessage({
      header: {
        ...this.#header({ exchangeType: ExchangeType.INFORMATIONAL, response: false }),
        initiatorSpi: zeroIkeSpi,
        responderSpi: zeroIkeSpi,
        initiator: true,
        messageId: 0,
      },
      payloads: [notify(NotifyType.INVALID_SPI, { data: spi })],
    });
  }

  /** An unprotected message that names an IKE SA which was overheard: an error answer, or a Delete. */
  #aboutRecorded(
    source: Endpoint,
    destination: Endpoint,
    shared: boolean,
    answer: boolean,
  ): Datagram | undefined {
    const heard = this.#recorded.flatMap((datagram) => {
      const octets = ikeOctets(datagram, destination);
      return octets === undefined ? [] : [octets];
    });
    if (heard.length === 0) return undefined;
    const octets = this.#prng.pick(heard);
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
        ? [notify(NotifyType.INVALID_IKE_SPI, { data: new Uint8Array(0) })]
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
