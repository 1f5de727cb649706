// Credit-based authorisation: an address that nobody has verified gets no more than the peer has sent (RFC 8046 3.3.2, 5.6).

/** RFC 8046 5.6.2 */
const agingFactor = 7 / 8;
const agingIntervalMs = 5_000;

/**
 * The credit counter of one peer. Received are octets from the ESP header on, sent are those of the IP packet, so that the
 * difference is on the safe side.
 */
export class Credit {
  #bytes = 0;
  #agedAt: number;

  constructor(at: number) {
    this.#agedAt = at;
  }

  add(bytes: number, at: number): void {
    this.#age(at);
    this.#bytes += bytes;
  }

  /** False: it does not suffice, and nothing is taken. */
  take(bytes: number, at: number): boolean {
    this.#age(at);
    if (bytes > this.#bytes) return false;
    this.#bytes -= bytes;
    return true;
  }

  /** RFC 8046 5.6.2: what was saved up slowly cannot be spent at once. */
  #age(at: number): void {
    const intervals = Math.floor((at - this.#agedAt) / agingIntervalMs);
    if (intervals <= 0) return;
    this.#bytes *= agingFactor ** intervals;
    this.#agedAt += intervals * agingIntervalMs;
  }
}
