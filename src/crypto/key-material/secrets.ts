// Handling of secret octets: comparing them without leaking where they differ, and forgetting them.
import { timingSafeEqual } from 'node:crypto';

/** Whether two strings of octets are equal, in a time that depends on their lengths only. */
export function equalConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Overwrites secrets with zeros. Absent ones are allowed, so that optional keys need no case of their own. */
export function wipe(...secrets: readonly (Uint8Array | undefined)[]): void {
  for (const secret of secrets) secret?.fill(0);
}
