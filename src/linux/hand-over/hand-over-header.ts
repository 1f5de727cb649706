// What stands before a packet that one thread hands over to another: where it goes, and for an inbound one what its outer headers said.
import type { PacketSlot } from '#ipsec';
import { addressBytes, addressFromBytes, type Endpoint } from '#sa';
import { readU16, writeU16 } from '#wire';
import { handOverHeaderBytes } from './packet-ring.ts';

const kinds = { outbound: 0, esp: 1, ah: 2, 'esp-in-udp': 3 } as const;
const localAt = 8;
const remoteAt = 24;

/** Of a packet of the device: all else stands in the packet. */
export const outboundHeader: Uint8Array = new Uint8Array(handOverHeaderBytes);

export function isOutbound(octets: Uint8Array, at: number): boolean {
  return octets[at] === kinds.outbound;
}

/** One endpoint's place in a header. Packets of one peer come in long runs: it is made of text, or of octets, once for each. */
class EndpointField {
  readonly #at: number;
  readonly #portAt: number;
  #written: Endpoint | undefined;
  #read: Endpoint | undefined;

  constructor(at: number, portAt: number) {
    this.#at = at;
    this.#portAt = portAt;
  }

  write(header: Uint8Array, endpoint: Endpoint): void {
    if (endpoint === this.#written) return;
    this.#written = endpoint;
    const bytes = addressBytes(endpoint.address);
    header.fill(0, this.#at, this.#at + 16);
    header.set(bytes, this.#at);
    header[3] = bytes.length;
    writeU16(header, this.#portAt, endpoint.port);
  }

  /** @param same whether the header is the one that was read last, but for what differs from packet to packet */
  read(header: Uint8Array, same: boolean): Endpoint {
    if (!same || this.#read === undefined) {
      const address = addressFromBytes(header.subarray(this.#at, this.#at + header[3]!));
      this.#read = { address, port: readU16(header, this.#portAt) };
    }
    return this.#read;
  }
}

/** Writes headers for one other thread, or reads those of one. */
export class InboundHeader {
  readonly #header: Uint8Array = new Uint8Array(handOverHeaderBytes);
  readonly #local = new EndpointField(localAt, 4);
  readonly #remote = new EndpointField(remoteAt, 6);

  /** What the inputs of a slot for an inbound packet say. The next call overwrites it. */
  of({ protocol, encapsulated, trafficClass, hopLimit, local, remote }: InboundInputs): Uint8Array {
    const header = this.#header;
    header[0] = protocol === 'ah' ? kinds.ah : encapsulated ? kinds['esp-in-udp'] : kinds.esp;
    header[1] = trafficClass;
    header[2] = hopLimit;
    this.#local.write(header, local!);
    this.#remote.write(header, remote!);
    return header;
  }

  /** Puts these inputs into a slot. */
  read(octets: Uint8Array, at: number, slot: PacketSlot): void {
    const header = this.#header;
    let same = true;
    for (let i = 3; i < handOverHeaderBytes; i++) {
      if (header[i] === octets[at + i]) continue;
      same = false;
      header[i] = octets[at + i]!;
    }
    const kind = octets[at]!;
    slot.protocol = kind === kinds.ah ? 'ah' : 'esp';
    slot.encapsulated = kind === kinds['esp-in-udp'];
    slot.trafficClass = octets[at + 1]!;
    slot.hopLimit = octets[at + 2]!;
    slot.local = this.#local.read(header, same);
    slot.remote = this.#remote.read(header, same);
  }
}

export type InboundInputs = Pick<
  PacketSlot,
  'protocol' | 'encapsulated' | 'trafficClass' | 'hopLimit' | 'local' | 'remote'
>;
