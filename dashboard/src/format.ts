// Numbers as people read them.

const units = ['', 'k', 'M', 'G', 'T'] as const;

function scaled(value: number, unit: string): string {
  let power = 0;
  let rest = value;
  while (rest >= 999.5 && power < units.length - 1) {
    rest /= 1000;
    power++;
  }
  const digits = power === 0 || rest >= 99.5 ? 0 : rest >= 9.95 ? 1 : 2;
  return `${rest.toFixed(digits)} ${units[power]}${unit}`;
}

export function octets(value: number): string {
  return scaled(value, 'B');
}

/** @param value octets per second */
export function bitRate(value: number): string {
  return scaled(value * 8, 'bit/s');
}

export function count(value: number): string {
  return value.toLocaleString('en');
}

/** `0.42 ms`, `212 ms`, `1.9 s`, `4 min 10 s`, `3 h 4 min`, `2 d 3 h`. */
export function duration(ms: number): string {
  if (ms < 0.005) return '0 ms';
  if (ms < 10) return `${ms.toFixed(ms < 1 ? 2 : 1)} ms`;
  if (ms < 1_000) return `${ms.toFixed(0)} ms`;
  const s = ms / 1_000;
  if (s < 60) return `${s.toFixed(s < 10 ? 2 : 0)} s`;
  if (s < 3_600) return `${Math.floor(s / 60)} min ${Math.floor(s % 60)} s`;
  if (s < 86_400) return `${Math.floor(s / 3_600)} h ${Math.floor((s % 3_600) / 60)} min`;
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3_600)} h`;
}

/** How long something has stood: nobody reads the hundredths of a clock that runs. */
export function age(ms: number): string {
  return ms < 60_000 ? `${Math.floor(ms / 1_000)} s` : duration(ms);
}

export function clock(ms: number): string {
  return new Date(ms).toLocaleTimeString('en-GB', { hour12: false });
}

/** `reply-credit` -> `reply credit`. */
export function words(name: string): string {
  return name.replaceAll('-', ' ');
}
