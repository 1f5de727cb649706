// The clock of the machine, the same for all threads of a process.

/** Monotonic milliseconds with microsecond resolution. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000;
}
