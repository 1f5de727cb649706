// A TUN device: IP packets to and from the kernel's network stack.
import { IFF_NO_PI, IFF_TUN, O_CLOEXEC, O_NONBLOCK, O_RDWR, TUNSETIFF } from './constants.ts';
import { isWouldBlock, SystemCallError } from './errno.ts';
import { attempt, errno, must, pinned } from './libc.ts';

const packetBytesMax = 65_535;
const interfaceNameBytesMax = 15;

/** An open TUN device; it disappears with its last file descriptor. */
export class TunDevice {
  readonly fd: number;
  readonly name: string;
  readonly #in: Uint8Array = pinned(packetBytesMax);

  /**
   * Opens /dev/net/tun and makes the interface.
   * @param name at most 15 octets; `%d` lets the kernel number it
   * @throws SystemCallError ENOENT without /dev/net/tun, EPERM without CAP_NET_ADMIN, EBUSY if the name is taken
   */
  constructor(name: string) {
    if (name.length === 0 || name.length > interfaceNameBytesMax) {
      throw new RangeError(`an interface name has 1 to ${interfaceNameBytesMax} characters: "${name}"`);
    }
    this.fd = must('open', '/dev/net/tun', '/dev/net/tun', O_RDWR | O_NONBLOCK | O_CLOEXEC);
    // struct ifreq: 16 octets of name, then the flags.
    const request = pinned(40);
    request.set(new TextEncoder().encode(name));
    new DataView(request.buffer).setUint16(16, IFF_TUN | IFF_NO_PI, true);
    try {
      must('ioctl', `TUNSETIFF ${name}`, this.fd, TUNSETIFF, request);
    } catch (error) {
      attempt('close', this.fd);
      throw error;
    }
    const end = request.indexOf(0);
    this.name = new TextDecoder().decode(request.subarray(0, end < 0 ? 16 : end));
  }

  /** The next packet from the kernel as a view that the next `read` overwrites, or `undefined` when none is waiting. */
  read(): Uint8Array | undefined {
    const length = attempt('read', this.fd, this.#in, this.#in.length);
    if (length >= 0) return this.#in.subarray(0, length);
    const code = errno();
    // EIO: the interface is down, so there is nothing to read.
    if (isWouldBlock(code) || new SystemCallError('read', code).code === 'EIO') return undefined;
    throw new SystemCallError('read', code, this.name);
  }

  /** Gives a packet to the kernel. False when it would not take it (interface down, buffer full). */
  write(packet: Uint8Array): boolean {
    return attempt('write', this.fd, packet, packet.length) >= 0;
  }

  close(): void {
    attempt('close', this.fd);
  }
}
