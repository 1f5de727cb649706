// Packets that came before their SA. Whoever asks for a Child SA chooses an SPI, and learns the keys from the answer; whoever
// answers may send at once, and the network may turn both around.
import type { SaProtocol } from '#sa';
import type { PacketSlot } from '../packet-slot.ts';
import type { ReceivedPacket } from './interface.ts';

/** Strangers can fill it, and everybody is then as well off as without it. */
const packetsMax = 16;
const octetsMax = 2_048;
/** An answer that is later than this was lost. */
const keptMs = 1_000;

export interface EarlyPacket {
  readonly protocol: SaProtocol;
  readonly spi: number;
  readonly received: ReceivedPacket;
  readonly until: number;
}

/** Times are monotonic milliseconds. What is kept is what everybody on the path has seen. */
export class EarlyPackets {
  #all: EarlyPacket[] = [];

  /** Keeps a copy of a packet whose SPI no SA has. */
  keep(slot: PacketSlot, at: number): void {
    if (slot.length > octetsMax) return;
    if (this.#all.length === packetsMax) this.#all.shift();
    const { protocol, spi, trafficClass, hopLimit, encapsulated } = slot;
    const received: ReceivedPacket = {
      local: slot.local!,
      remote: slot.remote!,
      protocol: encapsulated ? 'udp' : protocol,
      octets: slot.octets.slice(),
      trafficClass,
      hopLimit,
    };
    this.#all.push({ protocol, spi, received, until: at + keptMs });
  }

  /** Those that can be received now, in the order in which they came. They are kept no longer. */
  take(at: number, canBeReceived: (packet: EarlyPacket) => boolean): readonly EarlyPacket[] {
    if (this.#all.length === 0) return [];
    const living = this.#all.filter(({ until }) => until > at);
    const taken = living.filter(canBeReceived);
    this.#all = living.filter((one) => !taken.includes(one));
    return taken;
  }
}
