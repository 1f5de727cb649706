// What the readers of single exchanges need of the tracker of them all.
import type { IpAddress } from '#sa';
import type { WireProposal } from '#wire';
import type { Sighting } from '../story.ts';
import type { TrackedIkeSa } from './tracked-ike-sa.ts';

/** What a host was seen to offer or to accept last. */
export interface AcceptedOffer extends Sighting {
  readonly proposals: readonly WireProposal[];
}

export interface IkeContext {
  readonly accepts: ReadonlyMap<IpAddress, AcceptedOffer>;
  /** An IKE SA that another one made by CREATE_CHILD_SA. */
  adopt(sa: TrackedIkeSa): void;
}
