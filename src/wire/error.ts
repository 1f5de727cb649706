// The one error type of every codec in this room.

/**
 * Why octets could not be read (or a message could not be written).
 *
 * - `truncated`: the input ends before the field does
 * - `length`: a length field contradicts its surroundings
 * - `value`: a field holds a value that its format forbids
 * - `version`: a version this codec does not read
 * - `checksum`: a checksum does not match
 * - `limit`: more elements, nesting or octets than this codec accepts
 * - `trailing`: octets are left where the format has none
 */
export type WireErrorCode = 'truncated' | 'length' | 'value' | 'version' | 'checksum' | 'limit' | 'trailing';

/** Thrown by every decoder and encoder of this room; nothing else is thrown for bad input. */
export class WireError extends Error {
  readonly code: WireErrorCode;
  /** Octets from the start of the outermost input to the offending field. */
  readonly offset: number;
  /** The field as the RFC names it, for example `SA.proposal.length`. */
  readonly field: string;

  constructor(code: WireErrorCode, offset: number, field: string, detail?: string) {
    super(`${field} at octet ${offset}: ${detail ?? code}`);
    this.name = 'WireError';
    this.code = code;
    this.offset = offset;
    this.field = field;
  }
}

/** What `decode` returns, or `undefined` where the octets are malformed. Whatever else it throws is a mistake of ours. */
export function unlessMalformed<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
