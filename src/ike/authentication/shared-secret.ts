// Which pre-shared key two identities share: the most specific match wins, as strongSwan ranks them.
import type { Identity, SharedSecret } from '../configuration.ts';

const todo = (): never => {
  throw new Error('not written yet');
};

/** `undefined` if no secret fits. A secret whose owners name the peer must not name somebody else instead of us. */
export function findSharedSecret(
  _secrets: readonly SharedSecret[],
  _local: Identity,
  _remote: Identity,
): Uint8Array | undefined {
  return todo();
}
