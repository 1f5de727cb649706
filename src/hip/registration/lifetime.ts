// Lifetimes of registrations as exponents: eighths of powers of two seconds, in one octet (RFC 8003 4.1).

const exponentMax = 255;
/** Of an exponent that comes out of a lifetime by way of a logarithm. */
const roundingError = 1e-9;

/** 0 is no time at all, and cancels. */
export function registrationLifetimeMs(exponent: number): number {
  return exponent === 0 ? 0 : 1000 * 2 ** ((exponent - 64) / 8);
}

/** The longest lifetime that is no longer than this; at least the shortest that there is. */
export function registrationLifetimeOf(ms: number): number {
  const exponent = Math.floor(64 + 8 * Math.log2(ms / 1000) + roundingError);
  return Math.min(exponentMax, Math.max(1, exponent));
}

/** @param limits as REG_INFO has them; the maximum counts if they contradict each other */
export function lifetimeWithin(
  exponent: number,
  limits: { readonly minimumLifetime: number; readonly maximumLifetime: number },
): number {
  return Math.min(Math.max(exponent, limits.minimumLifetime), limits.maximumLifetime);
}
