// Fresh keys for an IKE SA that was taken over, and for all of its Child SAs.
import type { IkeSaState } from '../ike-sa-state.ts';

/** Child SAs come first, as traffic depends on them; the IKE SA follows when they have had the time. */
const rekeyIkeAfterMs = 500;

/** Whatever the lifetimes say: what a former process knew, others may know. */
export function rekeyEverything(state: IkeSaState): void {
  if (state.phase.name !== 'established') return;
  for (const child of state.children) if (child.phase === 'installed') child.rekeyAt = state.at;
  state.rekeyAt = state.at + rekeyIkeAfterMs;
}
