// Where log lines go: stdout, one line each, as much of them as anybody can read.
import { type LogFields, type LogFormat, type LogLevel, type LogRecord, textFormat } from './log-format.ts';

const order: readonly LogLevel[] = ['error', 'warn', 'info', 'debug', 'trace'];

/** More lines per second than this are only counted. Details have an allowance of their own, and push out nothing else. */
const linesPerSecondMax = 50;

/** What is costly to put together is not, for a line that is left out. */
type Lazy<Value> = Value | (() => Value);

function madeOf<Value extends string | LogFields>(lazy: Lazy<Value>): Value {
  return typeof lazy === 'function' ? lazy() : lazy;
}

/** Of a text: names that strangers give themselves may be as long as a datagram. */
const charactersMax = 2_000;

function shortened(text: string): string {
  if (text.length <= charactersMax) return text;
  return `${text.slice(0, charactersMax)} [${text.length - charactersMax} characters more]`;
}

function shortenedFields(fields: LogFields): LogFields {
  const entries = Object.entries(fields).map(([name, value]) => [
    name,
    typeof value === 'string' ? shortened(value) : value,
  ]);
  return { ...Object.fromEntries(entries), event: fields.event };
}

/** Of what is no event of the engine. */
const plain: LogFields = { event: 'message' };

/** Octets of lines that may wait for a reader who stands still. */
const unreadBytesMax = 1 << 20;

export interface LogOptions {
  readonly write?: (line: string) => void;
  /** False: the reader does not keep up, and what would be written is only counted. */
  readonly hasRoom?: () => boolean;
  readonly clock?: () => Date;
  readonly format?: LogFormat;
}

/** What cannot be written is lost: that a log has no reader, or a disk no room, is no reason for a host to end. */
function standardOutput(): Required<Pick<LogOptions, 'write' | 'hasRoom'>> {
  process.stdout.on('error', () => undefined);
  return {
    write: (line) => process.stdout.write(`${line}\n`),
    hasRoom: () => process.stdout.writableLength <= unreadBytesMax,
  };
}

/** A log that a flood cannot flood. */
export class Log {
  #threshold: number;
  readonly #write: (line: string) => void;
  readonly #hasRoom: () => boolean;
  readonly #clock: () => Date;
  readonly #format: LogFormat;
  #second = 0;
  #lines = { matters: 0, detail: 0 };
  #folded = 0;
  #strangersSecond = 0;
  #strangersFolded = 0;
  /** Since the start. */
  linesLeftOut = 0;

  constructor(level: LogLevel, options: LogOptions = {}) {
    this.#threshold = order.indexOf(level);
    const { write, hasRoom = () => true } =
      options.write === undefined ? standardOutput() : { ...options, write: options.write };
    this.#write = write;
    this.#hasRoom = hasRoom;
    this.#clock = options.clock ?? (() => new Date());
    this.#format = options.format ?? textFormat;
  }

  /** From now on, lines of this level and of those that matter more. */
  set level(level: LogLevel) {
    this.#threshold = order.indexOf(level);
  }

  /**
   * A line that strangers cause at will: one a second, which says how many were left out since the last one. Whoever reads
   * a log of the two lowest levels wants all of them.
   */
  strangerLine(level: LogLevel, text: Lazy<string>, fields: Lazy<LogFields> = plain): void {
    if (level === 'debug' || level === 'trace') {
      this.line(level, text, fields);
      return;
    }
    const second = Math.floor(this.#clock().getTime() / 1000);
    if (second === this.#strangersSecond) {
      this.#strangersFolded++;
      this.linesLeftOut++;
      return;
    }
    this.#strangersSecond = second;
    const leftOut = this.#strangersFolded;
    this.#strangersFolded = 0;
    if (leftOut === 0) this.line(level, text, fields);
    else {
      const words = `${madeOf(text)}; ${leftOut} lines like it were left out`;
      this.line(level, words, { ...madeOf(fields), leftOut });
    }
  }

  line(level: LogLevel, text: Lazy<string>, fields: Lazy<LogFields> = plain): void {
    if (order.indexOf(level) > this.#threshold) return;
    const at = this.#clock();
    const second = Math.floor(at.getTime() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#lines = { matters: 0, detail: 0 };
      this.#tellLeftOut(at);
    }
    const allowance = level === 'debug' || level === 'trace' ? 'detail' : 'matters';
    if (++this.#lines[allowance] > linesPerSecondMax || !this.#hasRoom()) {
      this.#folded++;
      this.linesLeftOut++;
      return;
    }
    const record: LogRecord = {
      at,
      level,
      text: shortened(madeOf(text)),
      // Lines for people have none.
      get fields() {
        return shortenedFields(madeOf(fields));
      },
    };
    this.#write(this.#format(record));
  }

  #tellLeftOut(at: Date): void {
    const leftOut = this.#folded;
    if (leftOut === 0 || !this.#hasRoom()) return;
    this.#folded = 0;
    const fields = { event: 'lines-left-out', leftOut };
    this.#write(this.#format({ at, level: 'warn', text: `${leftOut} lines were left out`, fields }));
  }
}
