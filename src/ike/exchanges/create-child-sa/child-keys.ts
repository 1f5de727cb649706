// The keys of a Child SA pair from the SK_d of its IKE SA (RFC 7296 2.17).
import { type ChildKeys, deriveChildKeys } from '#crypto';
import type { ChildSuite } from '#sa';
import type { IkeSaState } from '../../ike-sa-state.ts';

export interface ChildNonces {
  readonly nonceInitiator: Uint8Array;
  readonly nonceResponder: Uint8Array;
}

export function childKeys(
  state: IkeSaState,
  suite: ChildSuite,
  nonces: ChildNonces,
  sharedSecret?: Uint8Array,
): ChildKeys {
  const { skD, suite: ike } = state.secure();
  return deriveChildKeys({
    prf: ike.prf,
    skD,
    nonceInitiator: nonces.nonceInitiator,
    nonceResponder: nonces.nonceResponder,
    ...(sharedSecret !== undefined && { sharedSecret }),
    suite,
  });
}
