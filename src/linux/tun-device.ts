// A TUN device: IP packets to and from the kernel's network stack.
import {
  IFF_MULTI_QUEUE,
  IFF_NO_PI,
  IFF_TUN,
  IFF_TUN_EXCL,
  IFF_VNET_HDR,
  O_CLOEXEC,
  O_NONBLOCK,
  O_RDWR,
  TUN_F_CSUM,
  TUN_F_TSO_ECN,
  TUN_F_TSO4,
  TUN_F_TSO6,
  TUN_F_USO4,
  TUN_F_USO6,
  TUNSETIFF,
  TUNSETOFFLOAD,
} from './libc/constants.ts';
import { isWouldBlock, SystemCallError } from './libc/errno.ts';
import { attempt, errno, must, type PacketCalls, packetCalls, pinned } from './libc/libc.ts';
import { PacketMemory } from './memory/packet-memory.ts';
import { virtioNetHeaderBytes } from './offload/virtio-net-header.ts';

/** A virtio header, and the largest packet. */
const readBytesMax = virtioNetHeaderBytes + 65_535;
/** What the kernel may leave to us, the best first: not every one can leave UDP packets uncut. */
const tcpOffloads = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
const offloads: readonly number[] = [tcpOffloads | TUN_F_USO4 | TUN_F_USO6, tcpOffloads, TUN_F_CSUM];
const interfaceNameBytesMax = 15;

export interface TunOptions {
  /** The file descriptor of a device, or a queue of one, of that name that is open already. */
  readonly adopted?: number | undefined;
  /**
   * Absent: the device has but one. `first` makes a device that more may be opened of; `further` opens another one of it,
   * which must be there, by the name that it has. The kernel sends the packets of a flow, in either direction the same one, to
   * the queue that one of them was written to last, and those of other flows to any.
   */
  readonly queue?: 'first' | 'further' | undefined;
  /** Nothing is left to us: no packet is larger than the device's MTU, and checksums are right. The header is empty. */
  readonly plain?: boolean | undefined;
}

const queueFlags = { first: IFF_MULTI_QUEUE | IFF_TUN_EXCL, further: IFF_MULTI_QUEUE } as const;

/**
 * An open TUN device, or one of its queues, whose packets have a virtio header before them, so that large ones pass as one.
 * The device disappears with its last file descriptor.
 */
export class TunDevice {
  readonly fd: number;
  readonly name: string;
  static readonly bytes: number = readBytesMax;
  /** Where in `memory` lies what `read` gave: a virtio header and a packet. */
  readonly start: number;
  readonly memory: PacketMemory;
  /** Whether this kernel knows of UDP packets to be cut, in both directions. */
  readonly takesLargeUdp: boolean;
  readonly #calls: PacketCalls = packetCalls();

  /**
   * Opens /dev/net/tun and makes the interface.
   * @param name at most 15 octets; `%d` lets the kernel number it
   * @param memory of which it takes `bytes`
   * @throws SystemCallError ENOENT without /dev/net/tun, EPERM without CAP_NET_ADMIN, EBUSY if the name is taken, EINVAL for a
   * further queue of a device that has but one
   */
  constructor(
    name: string,
    memory: PacketMemory = new PacketMemory(PacketMemory.bytesTaken(TunDevice.bytes)),
    { adopted, queue, plain = false }: TunOptions = {},
  ) {
    this.memory = memory;
    this.start = memory.take(readBytesMax);
    if (name.length === 0 || name.length > interfaceNameBytesMax) {
      throw new RangeError(`an interface name has 1 to ${interfaceNameBytesMax} characters: "${name}"`);
    }
    this.fd = adopted ?? must('open', '/dev/net/tun', '/dev/net/tun', O_RDWR | O_NONBLOCK | O_CLOEXEC);
    // struct ifreq: 16 octets of name, then the flags.
    const request = pinned(40);
    request.set(new TextEncoder().encode(name));
    const flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR | (queue === undefined ? 0 : queueFlags[queue]);
    new DataView(request.buffer).setUint16(16, flags, true);
    try {
      if (adopted === undefined) must('ioctl', `TUNSETIFF ${name}`, this.fd, TUNSETIFF, request);
      const taken =
        (plain ? [0] : offloads).find((mask) => attempt('ioctlNumber', this.fd, TUNSETOFFLOAD, mask) === 0) ??
        0;
      this.takesLargeUdp = (taken & TUN_F_USO4) !== 0;
    } catch (error) {
      attempt('close', this.fd);
      throw error;
    }
    const end = request.indexOf(0);
    this.name = new TextDecoder().decode(request.subarray(0, end < 0 ? 16 : end));
  }

  /** Reads the next packet to `start` and tells how many octets it filled; 0 when none is waiting. */
  read(): number {
    const length = this.#calls.read(this.fd, this.memory.address + this.start, readBytesMax);
    if (length >= 0) return length;
    const code = errno();
    // EIO: the interface is down, so there is nothing to read.
    if (isWouldBlock(code) || new SystemCallError('read', code).code === 'EIO') return 0;
    throw new SystemCallError('read', code, this.name);
  }

  /** Gives a virtio header and a packet in `memory` to the kernel. False when it would not take them (interface down, buffer full). */
  write(start: number, lengthBytes: number): boolean {
    return this.#calls.write(this.fd, this.memory.address + start, lengthBytes) >= 0;
  }

  /** Forgets the octets of the last packet. */
  wipe(): void {
    this.memory.wipe(this.start, readBytesMax);
  }

  close(): void {
    attempt('close', this.fd);
  }
}
