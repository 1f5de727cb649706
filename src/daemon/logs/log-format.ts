// How a log line is written: for people, or as one JSON object with stable names (docs/logs.md); journald is told how much
// it matters.
import { createRequire } from 'node:module';
import type { LevelWithSilent, Logger, pino as Pino } from 'pino';

export type LogLevel = 'error' | 'warn' | 'info' | 'debug' | 'trace';

/** What programs read of a line. `event` is a stable name; `incident` ties lines together. */
export interface LogFields {
  readonly event: string;
  readonly incident?: string;
  readonly [name: string]: string | number | boolean | undefined;
}

export interface LogRecord {
  readonly at: Date;
  readonly level: LogLevel;
  readonly text: string;
  readonly fields: LogFields;
}

export type LogFormat = (record: LogRecord) => string;

export const textFormat: LogFormat = ({ at, level, text }) =>
  `${at.toISOString()} ${level.padEnd(5)} ${text}`;

/** One object per line: `level`, `time`, `event`, what else there is, and `msg` for people. */
export function jsonFormat(): LogFormat {
  // A start that writes for people does without it: loading it takes a good part of one.
  const { pino } = createRequire(import.meta.url)('pino') as { readonly pino: typeof Pino };
  let written = '';
  let time = '';
  const logger: Logger = pino(
    {
      level: 'trace' satisfies LevelWithSilent,
      // Neither process nor host: whoever collects lines knows both.
      base: null,
      timestamp: () => `,"time":"${time}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    {
      write: (line: string) => {
        written = line.trimEnd();
      },
    },
  );
  return ({ at, level, text, fields }) => {
    time = at.toISOString();
    logger[level](fields, text);
    return written;
  };
}

/** sd-daemon(3): what stands before a line is its priority. journald adds the time. */
const priorities: Readonly<Record<LogLevel, number>> = { error: 3, warn: 4, info: 6, debug: 7, trace: 7 };

export function journalFormat(format: 'text' | 'json'): LogFormat {
  const inner: LogFormat = format === 'json' ? jsonFormat() : ({ text }) => text;
  return (record) => `<${priorities[record.level]}>${inner(record)}`;
}

/** @param journal the standard output is journald's */
export function logFormat(format: 'text' | 'json', journal: boolean): LogFormat {
  if (journal) return journalFormat(format);
  return format === 'json' ? jsonFormat() : textFormat;
}
