// A packet socket (AF_PACKET) that sees what arrives, from the IP header on, as far as a filter lets it through.

import { attachFilter } from '../../filters/socket-filter.ts';
import { AF_PACKET, SOCK_CLOEXEC, SOCK_DGRAM, SOCK_NONBLOCK } from '../../libc/constants.ts';
import { isWouldBlock, SystemCallError } from '../../libc/errno.ts';
import { attempt, errno, must, pinned } from '../../libc/libc.ts';

const etherTypes = { 4: 0x0800, 6: 0x86dd } as const;
const packetBytesMax = 512;

export class PacketSocket {
  readonly #fd: number;
  readonly #in = pinned(packetBytesMax);

  /**
   * @param filter instructions of classic BPF
   * @throws SystemCallError EPERM without CAP_NET_RAW
   */
  constructor(version: 4 | 6, filter: Uint8Array) {
    const detail = 'packet socket';
    // Without a protocol it sees nothing yet: the filter must be there before the first packet.
    this.#fd = must('socket', detail, AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    try {
      attachFilter(this.#fd, filter);
      const link = pinned(20);
      const linkView = new DataView(link.buffer);
      linkView.setUint16(0, AF_PACKET, true);
      linkView.setUint16(2, etherTypes[version]);
      must('bind', detail, this.#fd, link, link.length);
    } catch (error) {
      attempt('close', this.#fd);
      throw error;
    }
  }

  /** The beginning of the next packet, which the next call overwrites; undefined when none waits. */
  receive(): Uint8Array | undefined {
    const length = attempt('read', this.#fd, this.#in, this.#in.length);
    if (length >= 0) return this.#in.subarray(0, length);
    const code = errno();
    // A device that goes down says so once.
    if (isWouldBlock(code) || new SystemCallError('read', code).code === 'ENETDOWN') return undefined;
    throw new SystemCallError('read', code, 'packet socket');
  }

  close(): void {
    attempt('close', this.#fd);
  }
}
