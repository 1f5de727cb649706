// Numbers in few columns.

const units = ['', 'k', 'M', 'G', 'T'] as const;

/** `13.4 kbit/s`. @param bytesPerSecond octets */
export function rate(bytesPerSecond: number): string {
  let value = bytesPerSecond * 8;
  let power = 0;
  while (value >= 999.5 && power < units.length - 1) {
    value /= 1_000;
    power++;
  }
  return `${value.toFixed(power === 0 || value >= 99.5 ? 0 : 1)} ${units[power]}bit/s`;
}

/** `152 ms`, `1.24 s`, `4 min 10 s`. */
export function span(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1_000) return `${ms.toFixed(0)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(2)} s`;
  return age(ms);
}

/** Whole seconds: `41 s`, `4 min 10 s`, `3 h 4 min`, `2 d 3 h`. */
export function age(ms: number): string {
  const s = Math.floor(ms / 1_000);
  if (s < 60) return `${s} s`;
  if (s < 3_600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86_400) return `${Math.floor(s / 3_600)} h ${Math.floor((s % 3_600) / 60)} min`;
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3_600)} h`;
}
