// How many messages of strangers may wait for the control thread: a flood must not fill its memory.

/** Messages on their way at once. */
const messagesMax = 1024;
/** And of these, from others than our peers. */
const strangersMax = 256;

/** Both threads hold one over the same memory: the packet thread admits, the control thread takes. */
export class ControlQueue {
  readonly memory: SharedArrayBuffer;
  readonly #taken: Int32Array;
  #admitted = 0;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(4)) {
    this.memory = memory;
    this.#taken = new Int32Array(memory);
  }

  /**
   * Whether one more message may be sent; if so, it counts until the other thread has taken it.
   * @param ofPeer it comes from where one of our SAs leads
   */
  admit(ofPeer: boolean): boolean {
    // Both counters wrap at 32 bits, and so does their difference.
    if (((this.#admitted - Atomics.load(this.#taken, 0)) | 0) >= (ofPeer ? messagesMax : strangersMax))
      return false;
    this.#admitted = (this.#admitted + 1) | 0;
    return true;
  }

  taken(): void {
    Atomics.add(this.#taken, 0, 1);
  }
}
