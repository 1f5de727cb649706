// Several counters that move, each as long as its thread does, as one that moves as long as all of them do.

export class CommonBeats {
  #at: readonly number[] = [];
  #beats = 0;

  /** @param each the counters as they are now, as many every time */
  of(each: readonly number[]): number {
    if (each.every((beats, i) => beats !== this.#at[i])) {
      this.#at = each;
      this.#beats++;
    }
    return this.#beats;
  }
}
