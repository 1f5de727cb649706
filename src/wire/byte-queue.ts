// A queue of octets between chunks as they arrive and records as the parsers want them.

/** Holds what was pushed and not yet consumed, in one buffer that grows to the largest backlog and is reused. */
export class ByteQueue {
  #buffer: Uint8Array = new Uint8Array(4096);
  #start = 0;
  #end = 0;
  #consumed = 0;

  /** Octets waiting. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** Octets consumed since the beginning: the position of the next one in the whole input. */
  get offset(): number {
    return this.#consumed;
  }

  push(chunk: Uint8Array): void {
    if (this.#end + chunk.length > this.#buffer.length) this.#makeRoom(chunk.length);
    this.#buffer.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  #makeRoom(count: number): void {
    const waiting = this.length;
    // Moving what waits is paid for by at least as many octets consumed before it, or by doubling.
    if (waiting + count <= this.#buffer.length && waiting <= this.#start) {
      this.#buffer.copyWithin(0, this.#start, this.#end);
    } else {
      const larger = new Uint8Array(Math.max(this.#buffer.length * 2, waiting + count));
      larger.set(this.#buffer.subarray(this.#start, this.#end));
      this.#buffer = larger;
    }
    this.#start = 0;
    this.#end = waiting;
  }

  /** A view on the next `count` octets, valid until the next `push`; undefined if fewer are waiting. */
  peek(count: number): Uint8Array | undefined {
    if (count > this.length) return undefined;
    return this.#buffer.subarray(this.#start, this.#start + count);
  }

  /** Drops up to `count` octets and says how many. */
  skip(count: number): number {
    const dropped = Math.min(count, this.length);
    this.#start += dropped;
    this.#consumed += dropped;
    if (this.#start === this.#end) {
      this.#start = 0;
      this.#end = 0;
    }
    return dropped;
  }
}
