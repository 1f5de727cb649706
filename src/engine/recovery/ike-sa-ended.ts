// What goes with an IKE SA: its tokens, and everything that was suspected of it (RFC 6290 5.3).
import type { EngineState } from '../engine-state.ts';
import type { IkeEntry } from '../ike-sas/ike-sa-registry.ts';
import { pairOf } from './keep-history.ts';

export function forgetIkeSa({ recovery, deadlines, registry }: EngineState, entry: IkeEntry): void {
  const { ikeId, sa } = entry;
  deadlines.set(`silence ${ikeId}`, undefined);
  deadlines.set(`superseded ${ikeId}`, undefined);
  recovery.paths.delete(ikeId);
  recovery.silenceChecks.forget(String(ikeId));
  recovery.held.get(ikeId)?.destroy();
  recovery.held.delete(ikeId);
  recovery.given.delete(pairOf(entry));
  recovery.suspicion.forget(ikeId);
  recovery.answeredMeanwhile.delete(ikeId);
  recovery.protectedNotifies.forget(String(ikeId));
  recovery.protectedNotifiesOfOurs.forget(String(ikeId));
  // What fell silent before is on its own again: nobody carries its traffic any more.
  for (const other of registry.allOfConnection(sa.connection.name)) {
    if (other.successorOfSilence === ikeId) other.successorOfSilence = undefined;
  }
  if (recovery.parallel.get(sa.connection.name) === ikeId) recovery.parallel.delete(sa.connection.name);
}
