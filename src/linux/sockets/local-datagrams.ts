// Datagrams to a local socket: node:dgram has none, and this is how systemd is told of a service.
import {
  AF_UNIX,
  SCM_RIGHTS,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOL_SOCKET,
} from '../libc/constants.ts';
import { SystemCallError } from '../libc/errno.ts';
import { addressOf, attempt, errno, must, pinned } from '../libc/libc.ts';
import { MessageHeader } from './message-header.ts';

/** sockaddr_un: its family, and a path that is not longer. */
const pathBytesMax = 108;

/** A way to one local socket. */
export class LocalDatagrams {
  readonly #fd: number;
  readonly #sending = new MessageHeader();

  /**
   * @param name a path, or `@` and an abstract name, as systemd writes it
   * @throws SystemCallError for example ENOENT, or ECONNREFUSED if nobody listens
   */
  constructor(name: string) {
    const path = new TextEncoder().encode(name);
    const abstract = path[0] === '@'.charCodeAt(0);
    if (abstract) path[0] = 0;
    if (path.length === 0 || path.length > pathBytesMax - (abstract ? 0 : 1)) {
      throw new RangeError(`the name of a local socket has 1 to ${pathBytesMax} octets: "${name}"`);
    }
    // An abstract name is as long as is said; the end of a path is a zero octet.
    const address = pinned(2 + path.length + (abstract ? 0 : 1));
    new DataView(address.buffer).setUint16(0, AF_UNIX, true);
    address.set(path, 2);
    this.#fd = must('socket', name, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (attempt('connect', this.#fd, address, address.length) < 0) {
      const failed = new SystemCallError('connect', errno(), name);
      attempt('close', this.#fd);
      throw failed;
    }
  }

  /**
   * False if the other end takes nothing now, or is gone.
   * @param descriptors file descriptors of which the other end gets copies (unix(7), SCM_RIGHTS)
   */
  send(octets: Uint8Array, descriptors: readonly number[] = []): boolean {
    const data = pinned(octets.length);
    data.set(octets);
    if (descriptors.length === 0) return attempt('write', this.#fd, data, data.length) === data.length;
    const message = this.#sending;
    message.prepare(addressOf(data), data.length, 0, writeRights(message, descriptors));
    return attempt('sendmsg', this.#fd, message.header, 0) === data.length;
  }

  close(): void {
    attempt('close', this.#fd);
  }
}

const controlHeaderBytes = 16;

/** Writes struct cmsghdr with file descriptors. Returns its length. */
function writeRights({ controlView: view }: MessageHeader, descriptors: readonly number[]): number {
  const length = controlHeaderBytes + 4 * descriptors.length;
  view.setBigUint64(0, BigInt(length), true);
  view.setInt32(8, SOL_SOCKET, true);
  view.setInt32(12, SCM_RIGHTS, true);
  for (const [i, fd] of descriptors.entries()) view.setInt32(controlHeaderBytes + 4 * i, fd, true);
  return Math.ceil(length / 8) * 8;
}
