// Packets that other threads had of the device or of a socket, and that are of an SA here.
import { type EarlyPacket, PacketSlot, Verdict } from '#ipsec';
import { isOutbound } from '../../hand-over/hand-over-header.ts';
import type { OtherThreads } from '../../hand-over/other-threads.ts';
import { monotonicMs } from '../../libc/clock.ts';
import type { PacketMemory } from '../../memory/packet-memory.ts';
import { TunDevice } from '../../tun-device.ts';
import type { Departures } from '../departures/departures.ts';
import type { Arrivals } from './arrivals.ts';

/** Of each thread, before sockets and device get their turn. */
const countMax = 256;
/** What a read of the device gives, or a datagram with the IPv6 header that was made for AH. */
const packetBytesMax = Math.max(TunDevice.bytes, 40 + 65_535);
/** As before a datagram: headers are made in place. */
const headroomBytes = 64;
const hopLimitUnknown = 64;
const areaBytes = headroomBytes + packetBytesMax;

export class HandedOver {
  static readonly bytes: number = areaBytes;
  readonly #memory: PacketMemory;
  readonly #at: number;
  readonly #slot: PacketSlot;
  readonly #slots: readonly [PacketSlot];
  readonly #arrivals: Arrivals;
  readonly #departures: Departures;
  readonly #others: OtherThreads;

  /** @param memory of which it takes `bytes` */
  constructor(memory: PacketMemory, others: OtherThreads, arrivals: Arrivals, departures: Departures) {
    this.#memory = memory;
    this.#others = others;
    this.#arrivals = arrivals;
    this.#departures = departures;
    this.#at = memory.take(areaBytes) + headroomBytes;
    this.#slot = new PacketSlot(memory.octets);
    this.#slots = [this.#slot];
  }

  take(): void {
    const at = monotonicMs();
    this.#others.take(countMax, (header, octets, headerAt, packetAt, lengthBytes) => {
      // No thread gives more than that.
      if (lengthBytes > packetBytesMax) return;
      this.#memory.copyFrom(this.#at, octets, packetAt, lengthBytes);
      if (isOutbound(octets, headerAt)) this.#departures.takeHandedOver(this.#at, lengthBytes);
      else {
        header.read(octets, headerAt, this.#slot);
        this.#open(lengthBytes, at);
      }
    });
    this.#departures.flush();
    this.#arrivals.coalescing.flush();
    this.#arrivals.drain();
  }

  #open(lengthBytes: number, at: number): void {
    const { plane, coalescing } = this.#arrivals;
    const slot = this.#slot;
    slot.start = this.#at;
    slot.length = lengthBytes;
    slot.evidenceHash = undefined;
    plane.inboundBatch(this.#slots, 1, at);
    if (slot.verdict === Verdict.OPENED) coalescing.take(slot.start, slot.length);
  }

  /** A packet came before its SA, which turns out to be another thread's. */
  passOn({ spi, received }: EarlyPacket): void {
    const { protocol, octets, local, remote, trafficClass, hopLimit } = received;
    const slot = this.#slot;
    this.#memory.octets.set(octets, this.#at);
    slot.start = this.#at;
    slot.length = octets.length;
    slot.protocol = protocol === 'ah' ? 'ah' : 'esp';
    slot.encapsulated = protocol === 'udp';
    slot.local = local;
    slot.remote = remote;
    slot.trafficClass = trafficClass ?? 0;
    slot.hopLimit = hopLimit ?? hopLimitUnknown;
    this.#others.handOverInbound(spi, slot);
  }

  /** Forgets the octets of the last packet. */
  wipe(): void {
    this.#memory.wipe(this.#at - headroomBytes, areaBytes);
  }
}
