// The C library's system calls, bound once through koffi. Every other file of this room goes through these names.
import koffi from 'koffi';
import { MAP_SHARED, PROT_READ, PROT_WRITE } from './constants.ts';
import { SystemCallError } from './errno.ts';

type Pointer = Uint8Array | bigint | null;

function bind(): Record<string, (...args: never[]) => number> {
  const libc = koffi.load(null);
  return {
    open: libc.func('int open(const char *path, int flags)'),
    close: libc.func('int close(int fd)'),
    read: libc.func('long read(int fd, void *buffer, unsigned long count)'),
    write: libc.func('long write(int fd, void *buffer, unsigned long count)'),
    ioctl: libc.func('int ioctl(int fd, unsigned long request, void *argument)'),
    ioctlNumber: libc.func('int ioctl(int fd, unsigned long request, unsigned long argument)'),
    socket: libc.func('int socket(int domain, int type, int protocol)'),
    bind: libc.func('int bind(int fd, void *address, unsigned int length)'),
    connect: libc.func('int connect(int fd, void *address, unsigned int length)'),
    getsockname: libc.func('int getsockname(int fd, void *address, void *length)'),
    setsockopt: libc.func('int setsockopt(int fd, int level, int name, void *value, unsigned int length)'),
    getsockopt: libc.func('int getsockopt(int fd, int level, int name, void *value, void *length)'),
    sendmsg: libc.func('long sendmsg(int fd, void *message, int flags)'),
    recvmsg: libc.func('long recvmsg(int fd, void *message, int flags)'),
    epoll_create1: libc.func('int epoll_create1(int flags)'),
    epoll_ctl: libc.func('int epoll_ctl(int epoll, int operation, int fd, void *event)'),
    epoll_wait: libc.func('int epoll_wait(int epoll, void *events, int max, int timeoutMs)'),
    flock: libc.func('int flock(int fd, int operation)'),
    pipe2: libc.func('int pipe2(void *ends, int flags)'),
    eventfd: libc.func('int eventfd(unsigned int initial, int flags)'),
  };
}

let bound: Record<string, (...args: never[]) => number> | undefined;

/**
 * Calls `name`; a negative result is returned as is, with the errno from `errno()`.
 * Buffers that outlive a call (iovecs) must be made by `pinned`.
 */
export function attempt(name: string, ...args: readonly (number | string | Pointer)[]): number {
  bound ??= bind();
  const call = bound[name];
  if (call === undefined) throw new Error(`${name} is not bound`);
  return Number((call as (...rest: unknown[]) => number)(...args));
}

/** Like `attempt`, but a failure throws `SystemCallError`. */
export function must(
  name: string,
  detail: string | undefined,
  ...args: readonly (number | string | Pointer)[]
): number {
  const result = attempt(name, ...args);
  if (result < 0) throw new SystemCallError(name, koffi.errno(), detail);
  return result;
}

export function errno(): number {
  return koffi.errno();
}

/** The calls that are made for packets: pointers are addresses as numbers, which koffi passes twice as fast as views. */
export interface PacketCalls {
  read(fd: number, buffer: number, bytes: number): number;
  write(fd: number, buffer: number, bytes: number): number;
  sendmmsg(fd: number, messages: number, count: number, flags: number): number;
  recvmmsg(fd: number, messages: number, count: number, flags: number, timeout: 0): number;
  memcpy(to: number, from: number, bytes: number): void;
  memset(to: number, octet: number, bytes: number): void;
}

let pollBound: ReturnType<ReturnType<typeof koffi.load>['func']> | undefined;
let packetCallsBound: PacketCalls | undefined;

/** A negative result comes with its errno from `errno()`. */
export function packetCalls(): PacketCalls {
  if (packetCallsBound !== undefined) return packetCallsBound;
  const libc = koffi.load(null);
  packetCallsBound = {
    read: libc.func('long read(int fd, uintptr_t buffer, unsigned long count)') as PacketCalls['read'],
    write: libc.func('long write(int fd, uintptr_t buffer, unsigned long count)') as PacketCalls['write'],
    sendmmsg: libc.func(
      'int sendmmsg(int fd, uintptr_t messages, unsigned int count, int flags)',
    ) as PacketCalls['sendmmsg'],
    recvmmsg: libc.func(
      'int recvmmsg(int fd, uintptr_t messages, unsigned int count, int flags, uintptr_t timeout)',
    ) as PacketCalls['recvmmsg'],
    memcpy: libc.func(
      'void memcpy(uintptr_t to, uintptr_t from, unsigned long bytes)',
    ) as PacketCalls['memcpy'],
    memset: libc.func('void memset(uintptr_t to, int octet, unsigned long bytes)') as PacketCalls['memset'],
  };
  return packetCallsBound;
}

/**
 * Waits for readable descriptors in a thread of libuv's pool.
 * @param polled structs pollfd, made by `pinned`; no other call has them meanwhile
 */
export function pollAside(polled: Uint8Array, count: number): Promise<void> {
  pollBound ??= koffi.load(null).func('int poll(void *polled, unsigned long count, int timeoutMs)');
  const poll = pollBound;
  return new Promise((resolve, reject) => {
    // An interrupted call has found nothing, and is made again by whoever still waits.
    poll.async(polled, count, -1, (error: Error | null) => (error === null ? resolve() : reject(error)));
  });
}

/** Maps the beginning of a file into memory, shared with whoever maps it too; for as long as the process lives. */
export function mapShared(fd: number, bytes: number): ArrayBuffer {
  const mmap = koffi
    .load(null)
    .func('intptr_t mmap(void *address, size_t length, int protection, int flags, int fd, long offset)');
  const address = BigInt(mmap(null, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) as number | bigint);
  if (address === -1n) throw new SystemCallError('mmap', koffi.errno());
  return koffi.view(address, bytes);
}

/**
 * Octets whose address stays the same: V8 keeps small typed arrays inside its moving heap unless they are views of an
 * ArrayBuffer, and the kernel reads message headers that point at each other.
 */
export function pinned(length: number): Uint8Array {
  return new Uint8Array(new ArrayBuffer(length));
}

/** The machine address of octets made by `pinned`. */
export function addressOf(octets: Uint8Array): bigint {
  return BigInt(koffi.address(octets) as bigint | number);
}
