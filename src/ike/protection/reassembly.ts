// Collecting the fragments of one message (RFC 7383 2.6). Only authenticated fragments are kept, in bounded memory.
import type { PacketCipher } from '#crypto';
import type { IkeMessage, Payload, WireError } from '#wire';

const todo = (): never => {
  throw new Error('not written yet');
};

/** - `dropped`: forged, duplicate or inconsistent: no reaction */
export type ReassemblyStep =
  | { readonly kind: 'complete'; readonly payloads: readonly Payload[] }
  | { readonly kind: 'incomplete' }
  | {
      readonly kind: 'dropped';
      readonly reason: 'forged' | 'duplicate' | 'inconsistent' | 'limit' | 'late';
    }
  | { readonly kind: 'malformed'; readonly error: WireError };

export interface ReassemblyLimits {
  readonly fragmentsMax: number;
  readonly messageBytesMax: number;
}

export const defaultReassemblyLimits: ReassemblyLimits = { fragmentsMax: 64, messageBytesMax: 65_535 };

/** Reassembles one message at a time: the fragments of one message ID in one direction. Make a new one for the next. */
export class Reassembly {
  constructor(_messageId: number, _limits?: ReassemblyLimits) {
    todo();
  }

  /** Takes a message whose last payload is SKF. */
  add(_message: IkeMessage, _cipher: PacketCipher): ReassemblyStep {
    return todo();
  }

  /** Whether this datagram is fragment 1: only that one triggers a repeated response (RFC 7383 2.6.1). */
  static isFirst(_message: IkeMessage): boolean {
    return todo();
  }
}
