// Nobody vouches for the answer to IKE_SA_INIT: what is done where there were two, and IKE_AUTH stays without one (RFC 7296 2.4).
import type { EngineState } from '../engine-state.ts';
import type { IkeEntry } from '../ike-sas/ike-sa-registry.ts';
import { beginAgain } from './initiate-connection.ts';

/**
 * The one that was gone on with is not the peer's, or the peer has forgotten it: the exchange begins anew, and that is no failure of a
 * try. Each time more patience is had, for whoever sees our requests can always answer them.
 */
export function beginAnewInDoubt(state: EngineState, { ikeId }: IkeEntry, attempt: number): void {
  const initiation = state.initiations.byIke(ikeId);
  if (initiation === undefined || initiation.wanted.size === 0 || attempt < initiation.patience) return;
  initiation.patience *= 2;
  beginAgain(state, initiation, 'IKE_SA_INIT had two answers, and IKE_AUTH has none');
}
