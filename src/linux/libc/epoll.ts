// Waiting for several file descriptors, and waking the waiter from another thread.
import { EFD_CLOEXEC, EFD_NONBLOCK, EPOLL_CLOEXEC, EPOLL_CTL_ADD, EPOLLERR, EPOLLIN } from './constants.ts';
import { isWouldBlock, SystemCallError } from './errno.ts';
import { attempt, errno, must, pinned } from './libc.ts';

const eventsMax = 64;
// struct epoll_event is packed on x86-64 only.
const eventBytes = process.arch === 'x64' ? 12 : 16;
const dataOffset = process.arch === 'x64' ? 4 : 8;

/** An epoll instance that watches for readability. */
export class Epoll {
  readonly fd: number = must('epoll_create1', undefined, EPOLL_CLOEXEC);
  readonly #events: Uint8Array = pinned(eventsMax * eventBytes);
  readonly #view: DataView = new DataView(this.#events.buffer);

  add(fd: number): void {
    const event = pinned(eventBytes);
    const view = new DataView(event.buffer);
    view.setUint32(0, EPOLLIN, true);
    view.setInt32(dataOffset, fd, true);
    must('epoll_ctl', `fd ${fd}`, this.fd, EPOLL_CTL_ADD, fd, event);
  }

  /** Of the last `wait`: the file descriptors that have errors to tell. They stay so until these are read. */
  readonly failing: number[] = [];

  /** Blocks this thread for at most `timeoutMs`; the file descriptors that can be read, or have errors to tell. */
  wait(timeoutMs: number): number[] {
    this.failing.length = 0;
    const count = attempt('epoll_wait', this.fd, this.#events, eventsMax, timeoutMs);
    if (count < 0) {
      const code = errno();
      if (isWouldBlock(code)) return [];
      throw new SystemCallError('epoll_wait', code);
    }
    const readable: number[] = [];
    for (let at = 0; at < count * eventBytes; at += eventBytes) {
      const fd = this.#view.getInt32(at + dataOffset, true);
      if ((this.#view.getUint32(at, true) & EPOLLERR) !== 0) this.failing.push(fd);
      readable.push(fd);
    }
    return readable;
  }

  close(): void {
    attempt('close', this.fd);
  }
}

/** Closes what a thread or a process before has left. */
export function closeDescriptor(fd: number): void {
  attempt('close', fd);
}

/** What is added to an eventfd, and room for what is taken from it. */
const one = pinned(8);
one[0] = 1;
const drained = pinned(8);

/** An eventfd: any thread may `wake` the one that waits for `fd`. */
export class Wakeup {
  readonly fd: number;

  /** @param fd an eventfd made elsewhere, to wake its owner; absent: a new one */
  constructor(fd?: number) {
    this.fd = fd ?? must('eventfd', undefined, 0, EFD_NONBLOCK | EFD_CLOEXEC);
  }

  wake(): void {
    attempt('write', this.fd, one, 8);
  }

  drain(): void {
    attempt('read', this.fd, drained, 8);
  }

  close(): void {
    attempt('close', this.fd);
  }
}
