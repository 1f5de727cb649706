// The Encrypted payload: sealing and opening whole messages (RFC 7296 3.14, RFC 5282).
import type { PacketCipher, Randomness } from '#crypto';
import type { IkeHeader, IkeMessage, Payload, WireError } from '#wire';
import type { FragmentLimits } from './fragments.ts';

const todo = (): never => {
  throw new Error('not written yet');
};

/** One sending direction of one IKE SA: the cipher and the IVs it has used. Retransmit the octets, never seal again. */
export class MessageSealer {
  /** @param firstIv the counter the IVs of counter modes start from: above every one ever used with this key */
  constructor(_cipher: PacketCipher, _randomness: Randomness, _firstIv?: bigint) {
    todo();
  }

  /** The next IV of a counter mode. */
  get nextIv(): bigint {
    return todo();
  }

  /** One message with a single SK payload. */
  seal(_header: IkeHeader, _payloads: readonly Payload[]): Uint8Array {
    return todo();
  }

  /** One message with SK if it fits the limits, else several with SKF (RFC 7383 2.5). */
  sealFragmented(_header: IkeHeader, _payloads: readonly Payload[], _limits: FragmentLimits): Uint8Array[] {
    return todo();
  }

  /** Wipes the key. */
  destroy(): void {
    todo();
  }
}

/**
 * - `opened`: `payloads` were protected, `unprotected` stood before SK and is not to be trusted
 * - `forged`: the ICV does not match, or there is no room for IV and ICV; drop silently
 * - `malformed`: authentic, but not readable: INVALID_SYNTAX
 */
export type Opening =
  | {
      readonly kind: 'opened';
      readonly payloads: readonly Payload[];
      readonly unprotected: readonly Payload[];
    }
  | { readonly kind: 'forged' }
  | { readonly kind: 'malformed'; readonly error: WireError };

/** Opens a message whose last payload is SK. A message without SK is `forged`. Does not change `message.octets`. */
export function openMessage(_message: IkeMessage, _cipher: PacketCipher): Opening {
  return todo();
}
