// Where log lines go: stdout, one line each, with the time of day, for people or for programs.

export type LogLevel = 'error' | 'warn' | 'info' | 'debug' | 'trace';

const order: readonly LogLevel[] = ['error', 'warn', 'info', 'debug', 'trace'];

/** A line for people, or a JSON object with `time`, `level` and `text`. */
export type LogFormat = 'text' | 'json';

/** More lines per second than this are only counted. */
const linesPerSecondMax = 50;

/** A log that a flood cannot flood. */
export class Log {
  format: LogFormat = 'text';
  #threshold: number;
  readonly #write: (line: string) => void;
  readonly #clock: () => Date;
  #second = 0;
  #lines = 0;
  #folded = 0;
  #strangersSecond = 0;
  #strangersFolded = 0;
  /** Since the start. */
  linesLeftOut = 0;

  constructor(
    level: LogLevel,
    write: (line: string) => void = (line) => process.stdout.write(`${line}\n`),
    clock: () => Date = () => new Date(),
  ) {
    this.#threshold = order.indexOf(level);
    this.#write = write;
    this.#clock = clock;
  }

  /** From now on, lines of this level and of those that matter more. */
  set level(level: LogLevel) {
    this.#threshold = order.indexOf(level);
  }

  /**
   * A line that strangers cause at will: one a second, which says how many were left out since the last one. Whoever reads
   * a log of the two lowest levels wants all of them.
   */
  strangerLine(level: LogLevel, text: string): void {
    if (level === 'debug' || level === 'trace') {
      this.line(level, text);
      return;
    }
    const second = Math.floor(this.#clock().getTime() / 1000);
    if (second === this.#strangersSecond) {
      this.#strangersFolded++;
      this.linesLeftOut++;
      return;
    }
    this.#strangersSecond = second;
    const more = this.#strangersFolded === 0 ? '' : `; ${this.#strangersFolded} lines like it were left out`;
    this.#strangersFolded = 0;
    this.line(level, `${text}${more}`);
  }

  line(level: LogLevel, text: string): void {
    if (order.indexOf(level) > this.#threshold) return;
    const now = this.#clock();
    const second = Math.floor(now.getTime() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#lines = 0;
      if (this.#folded > 0) this.#put(now, 'warn', `${this.#folded} lines were left out`);
      this.#folded = 0;
    }
    if (++this.#lines > linesPerSecondMax) {
      this.#folded++;
      this.linesLeftOut++;
      return;
    }
    this.#put(now, level, text);
  }

  #put(now: Date, level: LogLevel, text: string): void {
    const time = now.toISOString();
    this.#write(
      this.format === 'json' ? JSON.stringify({ time, level, text }) : `${time} ${level.padEnd(5)} ${text}`,
    );
  }
}
