// Captures made to order: packets between hosts at given times, as one pcapng file.
import { type PacketCipher, packetCipher } from '#crypto';
import { addressBytes, Encr, type Endpoint, type IpAddress } from '#sa';
import {
  addNonEspMarker,
  CaptureWriter,
  encodeEsp,
  encodeIkeMessage,
  encodeIp,
  encodePayloads,
  encodeSealedMessage,
  encodeUdp,
  type IkeHeader,
  type IkeSpi,
  IpProtocol,
  type Payload,
} from '#wire';

export const left: IpAddress = '192.0.2.1' as IpAddress;
export const right: IpAddress = '192.0.2.2' as IpAddress;

/** 2026-01-01 00:00:00 UTC */
const beginMs = 1_767_225_600_000;

export class CaptureBuilder {
  readonly #writer = new CaptureWriter({ interfaces: [{}, {}] });
  readonly #parts: Uint8Array[] = [this.#writer.start()];
  /** Of the next packet, in milliseconds since the beginning. */
  nowMs = 0;
  frames = 0;

  /** A packet as it is, from its IP header on; the time moves on by a millisecond. */
  raw(octets: Uint8Array, originalLength: number = octets.length): this {
    const timestampNs = BigInt(Math.round((beginMs + this.nowMs) * 1_000)) * 1_000n;
    this.#parts.push(this.#writer.packet({ timestampNs, octets, originalLength }));
    this.frames++;
    this.nowMs += 1;
    return this;
  }

  ip(source: IpAddress, destination: IpAddress, protocol: number, payload: Uint8Array): this {
    return this.raw(ipPacket(source, destination, protocol, payload));
  }

  udp(source: Endpoint, destination: Endpoint, payload: Uint8Array): this {
    const octets = udpDatagram(source, destination, payload);
    return this.ip(source.address, destination.address, IpProtocol.UDP, octets);
  }

  /** A message on port 500, or on `port` behind the marker. */
  ike(source: IpAddress, destination: IpAddress, message: Uint8Array, port = 500): this {
    const octets = port === 500 ? message : addNonEspMarker(message);
    return this.udp({ address: source, port }, { address: destination, port }, octets);
  }

  esp(
    source: IpAddress,
    destination: IpAddress,
    spi: number,
    sequence: number,
    body: Uint8Array = new Uint8Array(64),
  ): this {
    return this.ip(source, destination, IpProtocol.ESP, encodeEsp({ spi, sequence, body }));
  }

  /** One packet each way for every number from `first` to `last`, every `intervalMs`. */
  espBothWays(spis: readonly [number, number], first: number, last: number, intervalMs = 100): this {
    for (let sequence = first; sequence <= last; sequence++) {
      this.esp(left, right, spis[0], sequence);
      this.esp(right, left, spis[1], sequence);
      this.nowMs += intervalMs - 2;
    }
    return this;
  }

  wait(ms: number): this {
    this.nowMs += ms;
    return this;
  }

  file(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.#parts));
  }
}

export function ipPacket(
  source: IpAddress,
  destination: IpAddress,
  protocol: number,
  payload: Uint8Array,
  fragment: { offset?: number; more?: boolean; identification?: number } = {},
): Uint8Array {
  const addresses = { source: addressBytes(source), destination: addressBytes(destination) };
  const { offset = 0, more = false, identification = 7 } = fragment;
  if (addresses.source.length === 4) {
    return encodeIp({
      version: 4,
      dscp: 0,
      ecn: 0,
      identification,
      dontFragment: false,
      moreFragments: more,
      fragmentOffset: offset,
      timeToLive: 64,
      protocol,
      ...addresses,
      options: new Uint8Array(),
      payload,
    });
  }
  const isFragment = offset > 0 || more;
  return encodeIp({
    version: 6,
    dscp: 0,
    ecn: 0,
    flowLabel: 0,
    hopLimit: 64,
    protocol,
    ...addresses,
    extensions: isFragment ? [{ kind: 'fragment', offset, moreFragments: more, identification }] : [],
    payload,
  });
}

export function udpDatagram(source: Endpoint, destination: Endpoint, payload: Uint8Array): Uint8Array {
  return encodeUdp(
    { sourcePort: source.port, destinationPort: destination.port, checksummed: true, payload },
    { source: addressBytes(source.address), destination: addressBytes(destination.address) },
  );
}

/** An ICMP error of `from` about `quoted`. */
export function icmpv4Error(
  from: IpAddress,
  to: IpAddress,
  type: number,
  code: number,
  quoted: Uint8Array,
): Uint8Array {
  const payload = new Uint8Array(8 + quoted.length);
  payload.set([type, code]);
  payload.set(quoted, 8);
  return ipPacket(from, to, IpProtocol.ICMP, payload);
}

export const spis = {
  initiatorSpi: '1111111111111111' as IkeSpi,
  responderSpi: '2222222222222222' as IkeSpi,
} as const;

export function ikeHeader(exchangeType: number, messageId: number, more: Partial<IkeHeader> = {}): IkeHeader {
  return {
    ...spis,
    majorVersion: 2,
    minorVersion: 0,
    exchangeType,
    initiator: true,
    response: false,
    higherVersion: false,
    messageId,
    ...more,
  };
}

export function clear(header: IkeHeader, payloads: readonly Payload[]): Uint8Array {
  return encodeIkeMessage({ header, payloads });
}

export const ikeKey: Uint8Array = Uint8Array.from({ length: 20 }, (_, i) => i);
export const ikeKeyHex: string = Buffer.from(ikeKey).toString('hex');

export function gcm(key: Uint8Array = ikeKey): PacketCipher {
  return packetCipher({ encryption: { id: Encr.AES_GCM_16, keyLengthBits: 128, key } });
}

/** The message sealed by AES-128-GCM under `ikeKey`; in `fragments` pieces if there are to be several. */
export function sealed(header: IkeHeader, payloads: readonly Payload[], fragments = 1): Uint8Array[] {
  const { firstPayload, octets } = encodePayloads(payloads);
  const cipher = gcm();
  const size = Math.ceil(octets.length / fragments);
  return Array.from({ length: fragments }, (_, i) => {
    const text = octets.subarray(i * size, (i + 1) * size);
    const bodyBytes = 8 + text.length + 1 + 16;
    const fragment = { fragmentNumber: i + 1, totalFragments: fragments };
    const shape = { header, firstPayload, bodyBytes, ...(fragments === 1 ? {} : { fragment }) };
    const { octets: message, aad, body } = encodeSealedMessage(shape);
    body.set([header.messageId, i, header.response ? 1 : 0, header.initiator ? 1 : 0]);
    body.set(text, 8);
    cipher.seal({
      aad,
      iv: body.subarray(0, 8),
      text: body.subarray(8, 8 + text.length + 1),
      icv: body.subarray(body.length - 16),
    });
    return message;
  });
}

/** The body of an ESP packet: IV, sealed text with its trailer, ICV; AES-128-GCM under `key`. */
export function espBody(
  spi: number,
  sequence: number,
  text: Uint8Array,
  key: Uint8Array,
  esnHigh?: number,
): Uint8Array {
  const padding = (4 - ((text.length + 2) % 4)) % 4;
  const body = new Uint8Array(8 + text.length + padding + 2 + 16);
  new DataView(body.buffer).setUint32(4, sequence);
  body.set(text, 8);
  for (let i = 1; i <= padding; i++) body[8 + text.length + i - 1] = i;
  body[body.length - 18] = padding;
  body[body.length - 17] = IpProtocol.IPV4;
  const aad = new Uint8Array(esnHigh === undefined ? 8 : 12);
  const view = new DataView(aad.buffer);
  view.setUint32(0, spi);
  if (esnHigh !== undefined) view.setUint32(4, esnHigh);
  view.setUint32(aad.length - 4, sequence);
  gcm(key).seal({
    aad,
    iv: body.subarray(0, 8),
    text: body.subarray(8, body.length - 16),
    icv: body.subarray(body.length - 16),
  });
  return body;
}
