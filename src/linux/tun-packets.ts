// A TUN device for programs that take packets one by one: whole IP packets with their checksums, in the event loop.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { EPOLLIN } from './libc/constants.ts';
import { Wakeup } from './libc/epoll.ts';
import { pinned, pollAside } from './libc/libc.ts';
import { PacketMemory } from './memory/packet-memory.ts';
import { virtioNetHeaderBytes } from './offload/virtio-net-header.ts';
import { TunDevice } from './tun-device.ts';

const packetBytesMax = 65_535;
/** So many packets are given before the rest of the program has its turn. */
const packetsPerTurnMax = 64;
// struct pollfd
const pollBytes = 8;

/**
 * An open TUN device, which disappears when it is closed. Addresses, routes and `up` are for `ip` to set, or for `TunNetwork`.
 * While packets are awaited one thread of Node's pool sleeps, and the program does not end.
 */
export class TunPackets {
  readonly name: string;
  readonly #tun: TunDevice;
  readonly #wakeup: Wakeup = new Wakeup();
  /** Where a packet to be written lies, with its header. */
  readonly #writeAt: number;
  /** The descriptors that are waited for. */
  readonly #polled: Uint8Array = pinned(2 * pollBytes);
  #reading = false;
  #closed = false;

  /**
   * Makes the interface.
   * @param name at most 15 octets; `%d` lets the kernel number it
   * @throws SystemCallError ENOENT without /dev/net/tun, EPERM without CAP_NET_ADMIN, EBUSY if the name is taken
   */
  constructor(name: string) {
    const memory = new PacketMemory(2 * PacketMemory.bytesTaken(TunDevice.bytes));
    this.#tun = new TunDevice(name, memory, { plain: true });
    this.name = this.#tun.name;
    this.#writeAt = memory.take(TunDevice.bytes);
    const view = new DataView(this.#polled.buffer);
    for (const [place, fd] of [this.#tun.fd, this.#wakeup.fd].entries()) {
      view.setInt32(place * pollBytes, fd, true);
      view.setInt16(place * pollBytes + 4, EPOLLIN, true);
    }
  }

  /**
   * The packets that the kernel routes to the device, each the caller's own, until the device is closed. For one reader.
   * @throws SystemCallError if the device was deleted by somebody else
   */
  async *packets(): AsyncGenerator<Uint8Array, void> {
    if (this.#reading) throw new Error('somebody reads this device already');
    this.#reading = true;
    try {
      const { memory, start } = this.#tun;
      for (let given = 0; !this.#closed; ) {
        const length = this.#tun.read();
        if (length > virtioNetHeaderBytes) {
          yield memory.octets.slice(start + virtioNetHeaderBytes, start + length);
          if (++given % packetsPerTurnMax === 0) await nextTurn();
        } else await pollAside(this.#polled, 2);
      }
    } finally {
      this.#reading = false;
      if (this.#closed) this.#release();
    }
  }

  /**
   * Gives the kernel an IP packet, as if it came in by this interface.
   * @returns false when it would not take it (interface down, buffer full): the packet is lost, as it could have been anywhere
   * @throws RangeError for more than 65,535 octets
   */
  write(packet: Uint8Array): boolean {
    if (this.#closed) return false;
    if (packet.length > packetBytesMax) throw new RangeError(`a packet of ${packet.length} octets`);
    const { octets } = this.#tun.memory;
    octets.fill(0, this.#writeAt, this.#writeAt + virtioNetHeaderBytes);
    octets.set(packet, this.#writeAt + virtioNetHeaderBytes);
    return this.#tun.write(this.#writeAt, virtioNetHeaderBytes + packet.length);
  }

  /** Ends `packets`, and the interface with it. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#wakeup.wake();
    // A descriptor that somebody waits for must not become another file's.
    if (!this.#reading) this.#release();
  }

  #release(): void {
    this.#tun.wipe();
    this.#tun.memory.wipe(this.#writeAt, TunDevice.bytes);
    this.#tun.close();
    this.#wakeup.close();
  }
}
