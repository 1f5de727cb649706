// Work that strangers make for the control thread: a little of it at a time, so that peers, timers and SAs get their turn.

const itemsPerTurn = 16;

/** Items wait until everything else that is there has been looked at. Whoever adds them bounds their number. */
export class PatientQueue<Item> {
  readonly #take: (item: Item) => void;
  #waiting: Item[] = [];
  #next = 0;
  #scheduled = false;

  constructor(take: (item: Item) => void) {
    this.#take = take;
  }

  add(item: Item): void {
    this.#waiting.push(item);
    this.#schedule();
  }

  clear(): void {
    this.#waiting = [];
    this.#next = 0;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#scheduled = false;
    for (let i = 0; i < itemsPerTurn && this.#next < this.#waiting.length; i++) {
      this.#take(this.#waiting[this.#next++]!);
    }
    if (this.#next < this.#waiting.length) this.#schedule();
    else this.clear();
  }
}
