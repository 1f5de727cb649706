// The octets that AUTH covers, and the AUTH value of a shared key (RFC 7296 2.15).
import type { PseudorandomFunction } from '#crypto';
import type { Identity } from '../configuration.ts';

const todo = (): never => {
  throw new Error('not written yet');
};

/** What one side signs: its own first message, the other side's nonce, and its own identity under its own SK_p. */
export interface SignedOctetsInput {
  /** The signer's IKE_SA_INIT message exactly as it went over the wire, without non-ESP marker. */
  readonly message: Uint8Array;
  /** The other side's nonce: the data of its Nonce payload. */
  readonly nonce: Uint8Array;
  readonly prf: PseudorandomFunction;
  /** SK_pi if the initiator signs, SK_pr if the responder does. */
  readonly skP: Uint8Array;
  readonly identity: Identity;
}

export function signedOctets(_input: SignedOctetsInput): Uint8Array {
  return todo();
}

/** prf(prf(secret, "Key Pad for IKEv2"), octets) */
export function sharedKeyAuth(
  _prf: PseudorandomFunction,
  _secret: Uint8Array,
  _octets: Uint8Array,
): Uint8Array {
  return todo();
}
