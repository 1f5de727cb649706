// Lines from a socket whose other end may send anything.

/** Calls back for each whole line; false once a line is too long. */
export class LineReader {
  readonly #charactersMax: number;
  readonly #take: (line: string) => void;
  #pending = '';

  constructor(charactersMax: number, take: (line: string) => void) {
    this.#charactersMax = charactersMax;
    this.#take = take;
  }

  push(text: string): boolean {
    const lines = (this.#pending + text).split('\n');
    this.#pending = lines.pop() ?? '';
    for (const line of lines) {
      if (line.length > this.#charactersMax) return false;
      this.#take(line);
    }
    return this.#pending.length <= this.#charactersMax;
  }
}
