// What one of several packet threads knows of the others, and gives to them: packets of their SAs that came to it.
import type { PacketSlot } from '#ipsec';
import type { IpAddress, SaName, SaProtocol } from '#sa';
import { Wakeup } from '../libc/epoll.ts';
import { virtioNetHeaderBytes } from '../offload/virtio-net-header.ts';
import type { OtherThreadsSetup } from '../packet-thread/control/messages.ts';
import { InboundHeader, outboundHeader } from './hand-over-header.ts';
import { PacketRing, type RecordTaker } from './packet-ring.ts';

/** An inbound SA of another thread. */
interface ReceivedElsewhere {
  readonly spi: number;
  readonly childId: number;
  readonly by: number;
  readonly remote: { readonly address: IpAddress };
}

/** The way to another thread, and from it. */
interface Way {
  readonly thread: number;
  readonly to: PacketRing;
  readonly from: PacketRing;
  /** For what goes there, and for what comes. */
  readonly header: InboundHeader;
  readonly headerBack: InboundHeader;
  readonly wakeup: Wakeup;
  /** It was given something, and does not know yet. */
  due: boolean;
}

export class OtherThreads {
  /** This one's number. */
  readonly thread: number;
  readonly #ways: readonly Way[];
  readonly #byThread: readonly (Way | undefined)[];
  readonly #sealers = new Map<number, number>();
  readonly #received: Readonly<Record<SaProtocol, Map<number, ReceivedElsewhere>>> = {
    esp: new Map(),
    ah: new Map(),
  };
  /** Packets for which the other thread had no room. */
  overflow = 0;

  constructor({ thread, wakeFds, to, from }: OtherThreadsSetup) {
    this.thread = thread;
    this.#byThread = wakeFds.map((fd, other) =>
      other === thread
        ? undefined
        : {
            thread: other,
            to: new PacketRing(to[other]!),
            from: new PacketRing(from[other]!),
            header: new InboundHeader(),
            headerBack: new InboundHeader(),
            wakeup: new Wakeup(fd),
            due: false,
          },
    );
    this.#ways = this.#byThread.filter((way) => way !== undefined);
  }

  /** @param by undefined: not elsewhere */
  noteSealer(childId: number, by: number | undefined): void {
    if (by === undefined) this.#sealers.delete(childId);
    else this.#sealers.set(childId, by);
  }

  /** @param remote where its packets come from; undefined: the SA is gone */
  noteReceiver({ protocol, spi, childId }: NameOfInbound, by: number, remote: IpAddress | undefined): void {
    if (remote === undefined) this.#received[protocol].delete(spi);
    else this.#received[protocol].set(spi, { spi, childId, by, remote: { address: remote } });
  }

  /** Inbound SAs of all others. */
  inboundSas(protocol: SaProtocol): Iterable<Omit<ReceivedElsewhere, 'by'>> {
    return this.#received[protocol].values();
  }

  /** The pair of an inbound SA that another thread has. */
  pairOf(protocol: SaProtocol, spi: number): number | undefined {
    return this.#received[protocol].get(spi)?.childId;
  }

  receives(protocol: SaProtocol, spi: number): boolean {
    return this.#received[protocol].has(spi);
  }

  /** Gives what a read of the device left, a virtio header and a packet, to the thread that seals what its pair sends. */
  handOverOutbound(childId: number, octets: Uint8Array, start: number, lengthBytes: number): void {
    const way = this.#byThread[this.#sealers.get(childId) ?? this.thread];
    if (way !== undefined) this.#push(way, outboundHeader, octets, start, lengthBytes);
  }

  /** The same with a packet alone, which is never longer than it can be sent. */
  handOverPacket(childId: number, packet: Uint8Array): void {
    const octets = new Uint8Array(virtioNetHeaderBytes + packet.length);
    octets.set(packet, virtioNetHeaderBytes);
    this.handOverOutbound(childId, octets, 0, octets.length);
    octets.fill(0);
  }

  /** Gives an inbound packet to the thread that has its SA; false if none has. */
  handOverInbound(spi: number, slot: PacketSlot): boolean {
    const by = this.#received[slot.protocol].get(spi)?.by;
    const way = by === undefined ? undefined : this.#byThread[by];
    if (way === undefined) return false;
    this.#push(way, way.header.of(slot), slot.buffer, slot.start, slot.length);
    return true;
  }

  #push(way: Way, header: Uint8Array, octets: Uint8Array, start: number, lengthBytes: number): void {
    if (way.to.push(header, octets, start, lengthBytes)) way.due = true;
    else this.overflow++;
  }

  /** At the end of each round of the loop: wakes those that were given something. */
  flush(): void {
    for (const way of this.#ways) {
      if (!way.due) continue;
      way.due = false;
      way.wakeup.wake();
    }
  }

  /** Whether others have given something that was not taken yet. */
  get hasMore(): boolean {
    return this.#ways.some(({ from }) => !from.isEmpty);
  }

  /** Takes what the others have given, some of each. */
  take(countMax: number, take: TakeHandedOver): void {
    for (const { from, headerBack } of this.#ways) {
      if (from.isEmpty) continue;
      from.take(countMax, (octets, headerAt, packetAt, lengthBytes) =>
        take(headerBack, octets, headerAt, packetAt, lengthBytes),
      );
    }
  }
}

type NameOfInbound = Omit<SaName, 'direction'>;

/** @param header reads the header, if the packet is an inbound one */
export type TakeHandedOver = (header: InboundHeader, ...record: Parameters<RecordTaker>) => void;
