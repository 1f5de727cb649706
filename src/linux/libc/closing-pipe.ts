// Waiting until others have closed what they got a copy of.
import { monotonicMs } from './clock.ts';
import { O_CLOEXEC } from './constants.ts';
import { Epoll } from './epoll.ts';
import { attempt, must, pinned } from './libc.ts';

/** A pipe that nothing is written to: whoever waits for its end learns when all copies of the other one are closed. */
export class ClosingPipe {
  readonly #ends: readonly [number, number];
  readonly #epoll: Epoll = new Epoll();

  constructor() {
    const ends = pinned(8);
    must('pipe2', undefined, ends, O_CLOEXEC);
    const view = new DataView(ends.buffer);
    this.#ends = [view.getInt32(0, true), view.getInt32(4, true)];
    this.#epoll.add(this.#ends[0]);
  }

  /** What others get a copy of. */
  get fd(): number {
    return this.#ends[1];
  }

  /** Closes this end, and blocks the thread until all copies are closed. False if that takes longer. */
  wait(timeoutMs: number): boolean {
    attempt('close', this.#ends[1]);
    const until = monotonicMs() + timeoutMs;
    let closed = false;
    // Signals interrupt it.
    for (let left = timeoutMs; !closed && left >= 0; left = until - monotonicMs())
      closed = this.#epoll.wait(Math.ceil(left)).length > 0;
    this.#epoll.close();
    attempt('close', this.#ends[0]);
    return closed;
  }
}
