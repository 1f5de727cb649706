// IKE SAs whose beginning is not in the capture.
import type { Sighting } from '../story.ts';
import type { TrackedIkeSa } from './tracked-ike-sa.ts';

/** Its IKE_SA_INIT is not in the capture: it began before, or another IKE SA made it. */
export function tellUnseen(sa: TrackedIkeSa, at: Sighting): void {
  const { conversation } = sa;
  const { sealedCreation } = conversation;
  sa.state = 'established';
  if (sealedCreation === undefined || sealedCreation.by.state !== 'established') {
    conversation.events.tell(
      at,
      'ike-sa-unseen',
      `${sa.name} is under way; its beginning is not in the capture`,
    );
    return;
  }
  const former = sealedCreation.by;
  former.state = 'rekeyed';
  // Nothing was seen of its own, but lengths can be read if it is as before.
  sa.suite = former.suite;
  conversation.events.tell(
    sealedCreation.at,
    'ike-sa-rekeyed',
    `that was a rekey of the IKE SA: ${sa.name} goes on for ${former.name} (seen from frame ${at.frame} on)`,
  );
}
