// What a benchmark found, in one shape for people and programs: tables of contenders, and ratios between their medians.
import type { Spread } from './measure.ts';

export interface Table {
  /** What was measured, with its unit. */
  readonly title: string;
  readonly rows: Readonly<Record<string, Spread | number>>;
}

export interface Report {
  readonly tables: readonly Table[];
  /** What could not be measured, and why. */
  readonly skipped?: Readonly<Record<string, string>>;
}

function number(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  return value.toFixed(Math.abs(value) >= 100 ? 0 : 2);
}

function text(value: Spread | number): string {
  if (typeof value === 'number') return number(value);
  return `${number(value.median)} (${number(value.min)}-${number(value.max)})`;
}

/** A spread is printed as its median, its least and its largest value. */
export function printed({ tables, skipped = {} }: Report): string {
  const lines = tables.flatMap(({ title, rows }) => [
    '',
    title,
    ...Object.entries(rows).map(([name, value]) => `  ${name.padEnd(34)} ${text(value)}`),
  ]);
  for (const [name, why] of Object.entries(skipped)) lines.push('', `${name} was not measured: ${why}`);
  return lines.join('\n');
}
