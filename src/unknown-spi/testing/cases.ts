// How many cases a property is tried on: its own number, or what was set for all of them before the tests were loaded.
import fc from 'fast-check';

export function cases(count: number): { readonly numRuns: number } {
  return { numRuns: Math.max(count, fc.readConfigureGlobal().numRuns ?? 0) };
}
