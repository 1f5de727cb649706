// The octets that AUTH covers, and the AUTH value of a shared key (RFC 7296 2.15).
import type { PseudorandomFunction } from '#crypto';
import { encodeUtf8 } from '#wire';
import type { Identity } from '../configuration.ts';

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

export function signedOctets(input: SignedOctetsInput): Uint8Array {
  const { message, nonce, prf, skP, identity } = input;
  // The ID payload without its generic header: type, three reserved octets, data.
  const macedId = prf.compute(skP, Uint8Array.of(identity.idType, 0, 0, 0), identity.data);
  const octets = new Uint8Array(message.length + nonce.length + macedId.length);
  octets.set(message);
  octets.set(nonce, message.length);
  octets.set(macedId, message.length + nonce.length);
  return octets;
}

const keyPad = encodeUtf8('Key Pad for IKEv2');

/** prf(prf(secret, "Key Pad for IKEv2"), octets) */
export function sharedKeyAuth(prf: PseudorandomFunction, secret: Uint8Array, octets: Uint8Array): Uint8Array {
  const padded = prf.compute(secret, keyPad);
  const auth = prf.compute(padded, octets);
  padded.fill(0);
  return auth;
}
