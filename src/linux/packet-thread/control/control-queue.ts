// What both threads know of each other without a message: how many messages wait, and that packets are looked at.

/** Messages on their way at once. */
const messagesMax = 1024;
/** And of these, from others than our peers. */
const strangersMax = 256;

/** Both threads hold one over the same memory: the packet thread admits, the control thread takes. */
export class ControlQueue {
  readonly memory: SharedArrayBuffer;
  /** Messages that were taken, and rounds of the packet thread. */
  readonly #counts: Int32Array;
  #admitted = 0;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(8)) {
    this.memory = memory;
    this.#counts = new Int32Array(memory);
  }

  /**
   * Whether one more message may be sent; if so, it counts until the other thread has taken it.
   * @param ofPeer it comes from where one of our SAs leads
   */
  admit(ofPeer: boolean): boolean {
    // Both counters wrap at 32 bits, and so does their difference.
    if (((this.#admitted - Atomics.load(this.#counts, 0)) | 0) >= (ofPeer ? messagesMax : strangersMax))
      return false;
    this.#admitted = (this.#admitted + 1) | 0;
    return true;
  }

  taken(): void {
    Atomics.add(this.#counts, 0, 1);
  }

  /** Each round of the packet thread, which lasts half a second at most. */
  beat(): void {
    Atomics.add(this.#counts, 1, 1);
  }

  get beats(): number {
    return Atomics.load(this.#counts, 1);
  }
}
