// IPv4 applications reach HIP peers by LSIs: what they send becomes IPv6 between HITs, and answers come back as IPv4.
import { addressBytes, type LsiPeer, type LsiTable } from '#sa';
import { IpProtocol, readU16, readU32 } from '#wire';
import type { PacketSlot } from '../packet-slot.ts';
import { lsiTooBig, quotedBy } from './lsi-errors.ts';
import { RecentFlows } from './recent-flows.ts';
import { ipv4ToIpv6, ipv6ToIpv4, untranslatable } from './translate-header.ts';

const ipv6HeaderBytes = 40;
const flowsMaxDefault = 4096;
/** Peers that can be told apart in the key of a flow. */
const peersMax = 2 ** 18;

/** What the translation asks of its host. */
export interface LsiHost {
  /** Whether only IPv4 applications listen at a port of ours. */
  onlyIpv4Listens(protocol: 'tcp' | 'udp', port: number): boolean;
}

interface Peer {
  readonly index: number;
  readonly lsi: Uint8Array;
  readonly localHit: Uint8Array;
  readonly remoteHit: Uint8Array;
}

/** Octets 10 to 15 of a HIT, as a number. */
function tailOf(octets: Uint8Array, at: number): number {
  return readU16(octets, at + 10) * 0x1_0000_0000 + readU32(octets, at + 12);
}

function peerOf({ lsi, localHit, remoteHit }: LsiPeer, index: number): Peer {
  return {
    index,
    lsi: addressBytes(lsi),
    localHit: addressBytes(localHit),
    remoteHit: addressBytes(remoteHit),
  };
}

/**
 * A flow is IPv4 on this host if an IPv4 application has begun it, or if only IPv4 applications listen where a peer begins
 * one. All others are IPv6, as they are on their way.
 */
export class LsiTranslation {
  readonly #host: LsiHost;
  readonly #flows: RecentFlows;
  readonly #byLsi = new Map<number, Peer>();
  readonly #byHit = new Map<number, Peer>();
  #own: Uint8Array = new Uint8Array(4);
  #identification = 0;

  /** @param flowsMax of half of the memory for flows */
  constructor(host: LsiHost, flowsMax: number = flowsMaxDefault) {
    this.#host = host;
    this.#flows = new RecentFlows(flowsMax);
  }

  /** Whether there is anything to translate. */
  get active(): boolean {
    return this.#byLsi.size > 0;
  }

  get flows(): number {
    return this.#flows.size;
  }

  /** Takes the place of what was loaded before; flows are forgotten, and known again by their next outbound packet. */
  load({ own, peers }: LsiTable): void {
    this.#flows.clear();
    this.#byLsi.clear();
    this.#byHit.clear();
    this.#own = addressBytes(own);
    for (const [index, one] of peers.slice(0, peersMax).entries()) {
      const peer = peerOf(one, index);
      this.#byLsi.set(readU32(peer.lsi, 0), peer);
      this.#byHit.set(tailOf(peer.remoteHit, 0), peer);
    }
  }

  /**
   * A packet of this host, before protection; `start` and `length` change if it is one to an LSI.
   * @returns false: it is to an LSI and cannot be translated, so it must not go anywhere
   */
  outbound(slot: PacketSlot): boolean {
    const { buffer, start, length } = slot;
    if (length >= ipv6HeaderBytes && buffer[start]! >>> 4 === 6) {
      // An IPv6 application may use a port that an IPv4 one has left.
      if (this.#flows.size > 0) {
        const peer = this.#peerAt(buffer, start + 24);
        const key = peer === undefined ? undefined : flowKey(peer, buffer, start, length, 'outbound');
        if (key !== undefined) this.#flows.delete(key);
      }
      return true;
    }
    if (length < 20 || buffer[start]! >>> 4 !== 4) return true;
    const peer = this.#byLsi.get(readU32(buffer, start + 16));
    if (peer === undefined) return true;
    if (readU32(buffer, start + 12) !== readU32(this.#own, 0)) return false;
    const at = ipv4ToIpv6(buffer, start, length, peer.localHit, peer.remoteHit);
    if (at === untranslatable) return false;
    slot.length = start + length - at;
    slot.start = at;
    const key = flowKey(peer, buffer, at, slot.length, 'outbound');
    if (key !== undefined) this.#flows.add(key);
    return true;
  }

  /** A packet that was opened: `start` and `length` change if its flow is IPv4 here. */
  inbound(slot: PacketSlot): void {
    const { buffer, start, length } = slot;
    if (length < ipv6HeaderBytes || buffer[start]! >>> 4 !== 6) return;
    const peer = this.#peerAt(buffer, start + 8);
    if (peer === undefined) return;
    const key = flowKey(peer, buffer, start, length, 'inbound');
    if (key === undefined || !this.#speaksIpv4(key, buffer, start)) return;
    const at = ipv6ToIpv4(buffer, start, length, {
      source: peer.lsi,
      destination: this.#own,
      identification: this.#identification,
    });
    if (at === untranslatable) return;
    this.#identification = (this.#identification + 1) & 0xffff;
    slot.length = start + length - at;
    slot.start = at;
  }

  /** An ICMP error of ours about a packet of this host; another one if that was IPv4 here. */
  error(packet: Uint8Array): Uint8Array {
    const quoteAt = quotedBy(packet);
    const peer = quoteAt === undefined ? undefined : this.#peerAt(packet, quoteAt + 24);
    if (quoteAt === undefined || peer === undefined) return packet;
    // The quote may be cut: its key is in what there is.
    const key = flowKey(peer, packet, quoteAt, packet.length - quoteAt, 'outbound');
    if (key === undefined || !this.#flows.has(key)) return packet;
    return lsiTooBig(packet, this.#own, peer.lsi);
  }

  #peerAt(buffer: Uint8Array, at: number): Peer | undefined {
    const peer = this.#byHit.get(tailOf(buffer, at));
    return peer?.remoteHit.every((octet, i) => octet === buffer[at + i]) === true ? peer : undefined;
  }

  #speaksIpv4(key: number, buffer: Uint8Array, start: number): boolean {
    const transport = start + ipv6HeaderBytes;
    switch (buffer[start + 6]) {
      case IpProtocol.TCP: {
        // SYN without ACK begins a connection, whatever had these ports before.
        if ((buffer[transport + 13]! & 0x12) !== 0x02) return this.#flows.has(key);
        return this.#begun(key, 'tcp', readU16(buffer, transport + 2));
      }
      case IpProtocol.UDP:
        return this.#flows.has(key) || this.#begun(key, 'udp', readU16(buffer, transport + 2));
      default:
        return this.#flows.has(key);
    }
  }

  #begun(key: number, protocol: 'tcp' | 'udp', port: number): boolean {
    const ipv4 = this.#host.onlyIpv4Listens(protocol, port);
    if (ipv4) this.#flows.add(key);
    else this.#flows.delete(key);
    return ipv4;
  }
}

/**
 * Peer, protocol and ports, ours first, or the identifier of an echo that we ask for; `undefined` for what has neither.
 * 18, 2 and 32 bits.
 */
function flowKey(
  { index }: Peer,
  buffer: Uint8Array,
  start: number,
  length: number,
  direction: 'inbound' | 'outbound',
): number | undefined {
  const transport = start + ipv6HeaderBytes;
  const bytes = length - ipv6HeaderBytes;
  const inbound = direction === 'inbound';
  switch (buffer[start + 6]) {
    case IpProtocol.TCP:
    case IpProtocol.UDP: {
      const tcp = buffer[start + 6] === IpProtocol.TCP;
      if (bytes < (tcp ? 20 : 8)) return undefined;
      const [source, destination] = [readU16(buffer, transport), readU16(buffer, transport + 2)];
      const ports = inbound ? destination * 0x1_0000 + source : source * 0x1_0000 + destination;
      return (index * 4 + (tcp ? 0 : 1)) * 0x1_0000_0000 + ports;
    }
    case IpProtocol.ICMPV6:
      // Echo Request of ours, or the reply to one: the kernel answers those of others by itself.
      if (bytes < 8 || buffer[transport] !== (inbound ? 129 : 128)) return undefined;
      return (index * 4 + 2) * 0x1_0000_0000 + readU16(buffer, transport + 4);
    default:
      return undefined;
  }
}
