// What a loop waits for: file descriptors, and what is done with each when it can be read.
import { Epoll } from '../libc/epoll.ts';

interface Source {
  readonly fd: number;
  readonly read: () => void;
}

export class WatchedDescriptors {
  readonly #epoll = new Epoll();
  readonly #readers = new Map<number, () => void>();
  readonly #heldBack: Source[] = [];

  /** Of the epoll instance itself. */
  get fd(): number {
    return this.#epoll.fd;
  }

  watch(fd: number, read: () => void): void {
    this.#readers.set(fd, read);
    this.#epoll.add(fd);
  }

  /** Watches from `release` on: until there is somebody to tell, the kernel keeps what comes. */
  watchLater(fd: number, read: () => void): void {
    this.#heldBack.push({ fd, read });
  }

  release(): void {
    for (const { fd, read } of this.#heldBack.splice(0)) this.watch(fd, read);
  }

  /** Waits for at most so long, and has read whatever can be. @returns those that have errors to tell */
  serve(timeoutMs: number): readonly number[] {
    for (const fd of this.#epoll.wait(timeoutMs)) this.#readers.get(fd)?.();
    return this.#epoll.failing;
  }

  close(): void {
    this.#epoll.close();
  }
}
