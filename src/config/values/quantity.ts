// Numbers with and without units: durations, octets, counts, ports, booleans.
import { BadValue } from './bad-value.ts';

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `1h`, `30m`, `10s`, `2d`, `500ms`, or plain seconds -> milliseconds. */
export function parseDuration(text: string): number {
  const match = /^(\d+)\s*(ms|s|m|h|d)?$/.exec(text);
  const milliseconds = match === null ? Number.NaN : Number(match[1]) * unitMs[match[2] ?? 's']!;
  if (!Number.isSafeInteger(milliseconds)) {
    throw new BadValue('a time in seconds, or with one of the units ms, s, m, h and d, for example "30m"');
  }
  return milliseconds;
}

const unitBytes: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** `1G`, `500M`, `64k`, or plain octets -> octets. */
export function parseBytes(text: string): number {
  const match = /^(\d+)\s*([kmg]?)$/i.exec(text);
  const bytes = match === null ? Number.NaN : Number(match[1]) * unitBytes[match[2]!.toLowerCase()]!;
  if (!Number.isSafeInteger(bytes)) {
    throw new BadValue('a number of octets, or with one of the units k, M and G, for example "1G"');
  }
  return bytes;
}

export function parseCount(text: string, minimum: number, maximum: number): number {
  const count = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!(count >= minimum && count <= maximum)) {
    throw new BadValue(
      maximum === Number.MAX_SAFE_INTEGER
        ? `a whole number from ${minimum}`
        : `a whole number from ${minimum} to ${maximum}`,
    );
  }
  return count;
}

/** A decimal fraction within bounds. */
export function parseNumber(text: string, minimum: number, maximum: number): number {
  const value = /^\d{1,9}(\.\d{1,9})?$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= minimum && value <= maximum)) throw new BadValue(`a number from ${minimum} to ${maximum}`);
  return value;
}

export function parseBoolean(text: string): boolean {
  const word = text.toLowerCase();
  if (['yes', 'true', 'enabled', '1'].includes(word)) return true;
  if (['no', 'false', 'disabled', '0'].includes(word)) return false;
  throw new BadValue('"yes" or "no"');
}
