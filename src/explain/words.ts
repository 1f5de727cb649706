// Pieces of sentences that several trackers use.

/** `1 packet`, `3 packets`. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** `12 ms`, `3.4 s`, `2 min 5 s`, from microseconds. */
export function duration(us: number): string {
  if (us < 1_000) return `${Math.max(0, Math.round(us))} us`;
  if (us < 10_000) return `${(us / 1_000).toFixed(1)} ms`;
  if (us < 1_000_000) return `${Math.round(us / 1_000)} ms`;
  const seconds = us / 1_000_000;
  if (seconds < 120) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes} min ${Math.round(seconds - 60 * minutes)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function frames(numbers: readonly number[]): string {
  return `frame${numbers.length === 1 ? '' : 's'} ${numbers.join(', ')}`;
}
