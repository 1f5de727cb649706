// Checks that encoders share for fields narrower than the octets they sit in.
import { WireError } from './error.ts';

/** Throws `WireError('value')` unless `value` is an integer from 0 to `max`. */
export function requireRange(value: number, max: number, offset: number, field: string): void {
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new WireError('value', offset, field, `${value} does not fit`);
  }
}

/** Throws `WireError('length')` unless `octets` has exactly `length` octets. */
export function requireLength(octets: Uint8Array, length: number, offset: number, field: string): void {
  if (octets.length !== length) {
    throw new WireError('length', offset, field, `${octets.length} octets, not ${length}`);
  }
}
