// What a packet thread has open. Descriptors outlive a thread that dies: the control thread hears of each as soon as it is there.
import type { HeldDescriptors } from './control/messages.ts';

export class Holdings {
  readonly #tell: (held: HeldDescriptors) => void;
  readonly #own: number[] = [];
  readonly #sockets: number[];
  #socketsTaken = 0;
  #tun: HeldDescriptors['tun'];

  /** @param left by a thread before this one */
  constructor(tell: (held: HeldDescriptors) => void, left: HeldDescriptors) {
    this.#tell = tell;
    this.#sockets = [...left.sockets];
    this.#tun = left.tun;
  }

  get #held(): HeldDescriptors {
    const tun = this.#tun;
    return { own: [...this.#own], sockets: [...this.#sockets], ...(tun === undefined ? {} : { tun }) };
  }

  /** The device that is left, or that this thread has opened. */
  get tun(): HeldDescriptors['tun'] {
    return this.#tun;
  }

  /** The next socket that is left. */
  takeSocket(): number | undefined {
    return this.#sockets[this.#socketsTaken++];
  }

  /** One that no thread after this one has any use for. */
  addOwn(fd: number): void {
    this.#own.push(fd);
    this.#tell(this.#held);
  }

  /** One that was not left. */
  addSocket(fd: number): void {
    this.#sockets.push(fd);
    this.#tell(this.#held);
  }

  addTun(fd: number, name: string): void {
    this.#tun = { fd, name };
    this.#tell(this.#held);
  }
}
