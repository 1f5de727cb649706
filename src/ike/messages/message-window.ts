// Message IDs and windows of one IKE SA (RFC 7296 2.2, 2.3): which request may go out, which answer belongs to what.

/** Our own requests: at most as many outstanding as the peer promised to keep. */
export class RequestWindow<Exchange> {
  #nextMessageId: number;
  #size = 1;
  readonly #outstanding = new Map<number, Exchange>();

  constructor(firstMessageId: number) {
    this.#nextMessageId = firstMessageId;
  }

  get size(): number {
    return this.#size;
  }

  get nextMessageId(): number {
    return this.#nextMessageId;
  }

  /** RFC 7296 2.3: the peer's window can only grow. */
  enlarge(size: number): void {
    if (size > this.#size) this.#size = size;
  }

  /** RFC 7296 2.3: request X waits until everything through X - N is answered. */
  hasRoom(): boolean {
    let oldest = this.#nextMessageId;
    for (const messageId of this.#outstanding.keys()) oldest = Math.min(oldest, messageId);
    // RFC 7296 2.2: Message IDs do not wrap; the IKE SA has to be replaced before they would.
    return this.#nextMessageId < oldest + this.#size && this.#nextMessageId < 0xffff_ffff;
  }

  open(exchange: Exchange): number {
    if (!this.hasRoom()) throw new Error('a request was sent beyond the window');
    const messageId = this.#nextMessageId++;
    this.#outstanding.set(messageId, exchange);
    return messageId;
  }

  outstanding(messageId: number): Exchange | undefined {
    return this.#outstanding.get(messageId);
  }

  all(): readonly Exchange[] {
    return [...this.#outstanding.values()];
  }

  close(messageId: number): void {
    this.#outstanding.delete(messageId);
  }

  /** IKE_SA_INIT alone is sent anew under its old Message ID (RFC 7296 2.6). */
  restart(messageId: number): void {
    this.#outstanding.clear();
    this.#nextMessageId = messageId;
  }

  /** Gives up what is outstanding and goes on at a later Message ID (RFC 6311). */
  skipTo(messageId: number): void {
    this.#outstanding.clear();
    this.#nextMessageId = Math.max(this.#nextMessageId, messageId);
  }

  clear(): void {
    this.#outstanding.clear();
  }

  /** Takes over what an earlier run had sent: its Message ID lies before the next one. */
  adopt(messageId: number, exchange: Exchange): void {
    this.#outstanding.set(messageId, exchange);
  }
}

/** What a request's Message ID says about it. */
export type Receipt =
  | { readonly kind: 'fresh' }
  /** Seen and answered: the very datagrams to send again (RFC 7296 2.1). */
  | { readonly kind: 'answered'; readonly datagrams: readonly Uint8Array[] }
  /** Seen, and still being worked on. */
  | { readonly kind: 'in-progress' }
  | { readonly kind: 'outside' };

/** Nobody waits for the same answer for longer. Who caught a request, or made it, can have its answers sent to anybody. */
const repetitionsMax = 64;

interface Answer {
  readonly datagrams: readonly Uint8Array[];
  repetitions: number;
}

/** The peer's requests: what we promised to accept and to remember. */
export class ResponseWindow {
  readonly #size: number;
  /** The lowest Message ID not seen yet. */
  #expected: number;
  readonly #seen = new Map<number, Answer | undefined>();

  constructor(firstMessageId: number, size: number) {
    this.#expected = firstMessageId;
    this.#size = size;
  }

  get size(): number {
    return this.#size;
  }

  get expected(): number {
    return this.#expected;
  }

  /** One more than the highest Message ID seen. */
  get next(): number {
    let next = this.#expected;
    for (const messageId of this.#seen.keys()) next = Math.max(next, messageId + 1);
    return next;
  }

  classify(messageId: number): Receipt {
    if (this.#seen.has(messageId)) {
      const answer = this.#seen.get(messageId);
      return answer === undefined
        ? { kind: 'in-progress' }
        : { kind: 'answered', datagrams: answer.datagrams };
    }
    const inside = messageId >= this.#expected && messageId < this.#expected + this.#size;
    return inside ? { kind: 'fresh' } : { kind: 'outside' };
  }

  /** The request passed its integrity check: its Message ID is used up. */
  accept(messageId: number): void {
    this.#seen.set(messageId, undefined);
    while (this.#seen.has(this.#expected)) this.#expected++;
    for (const [id, answer] of this.#seen) {
      if (answer !== undefined && id < this.#expected - this.#size) this.#seen.delete(id);
    }
  }

  answer(messageId: number, datagrams: readonly Uint8Array[]): void {
    if (!this.#seen.has(messageId)) throw new Error('a request was answered that never came');
    this.#seen.set(messageId, { datagrams, repetitions: 0 });
  }

  /** An answered request was repeated. False: its answer has gone out again often enough. */
  repeat(messageId: number, timesMax: number = repetitionsMax): boolean {
    const answer = this.#seen.get(messageId);
    if (answer === undefined || answer.repetitions >= timesMax) return false;
    answer.repetitions++;
    return true;
  }

  /** All answers that are remembered; `undefined` while a request is being worked on. */
  answered(): { readonly messageId: number; readonly datagrams: readonly Uint8Array[] }[] | undefined {
    const answers = [];
    for (const [messageId, answer] of this.#seen) {
      if (answer === undefined) return undefined;
      answers.push({ messageId, datagrams: answer.datagrams });
    }
    return answers;
  }

  /** Takes over what an earlier run had answered. */
  adopt(messageId: number, datagrams: readonly Uint8Array[]): void {
    this.#seen.set(messageId, { datagrams, repetitions: 0 });
  }
}
