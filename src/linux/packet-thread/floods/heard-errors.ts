// While somebody floods a socket with ICMP errors nothing of them is heard: unread, they take the room of what is received, each fails
// a send, and to read them all would keep the thread from its packets. They are hints, of which the next ones will do.
import type { TooBig } from '#ipsec';
import type { IcmpError, IcmpErrors } from '../../sockets/icmp-errors.ts';

/** What one look takes, before sockets and device get their turn. */
const errorsPerLookMax = 16;
const intervalMs = 100;
/** Errors in an interval after which it is a flood. */
const errorsMax = 256;

/** What tells of errors. */
export type ErrorSource = Pick<IcmpErrors, 'receive' | 'taken' | 'listen'>;

/** Of one socket. Times are monotonic milliseconds. */
export class HeardErrors {
  readonly #source: ErrorSource;
  #since = Number.NEGATIVE_INFINITY;
  #takenBefore = 0;
  #rests = false;
  /** Intervals of which the rest was not listened to. */
  floods = 0;

  constructor(source: ErrorSource) {
    this.#source = source;
  }

  /** Reads what there is, some at a time. */
  read(at: number, hear: (error: IcmpError | TooBig) => void): void {
    this.advance(at);
    for (let i = 0; i < errorsPerLookMax; i++) {
      const error = this.#source.receive();
      if (error === undefined) break;
      hear(error);
    }
    if (this.#rests || this.#source.taken - this.#takenBefore < errorsMax) return;
    this.#rests = true;
    this.floods++;
    this.#source.listen(false);
  }

  /** Listens again once the interval is over. */
  advance(at: number): void {
    if (at - this.#since < intervalMs) return;
    this.#since = at;
    this.#takenBefore = this.#source.taken;
    if (this.#rests) this.#source.listen(true);
    this.#rests = false;
  }
}
