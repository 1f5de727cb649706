// A HIP host in every state of an association, given packets of strangers and authentic nonsense of its peer.
import { FuzzedHipHost } from './hip-host.ts';
import { decodeHipSteps, HipPlay } from './hip-script.ts';
import { hipSeedsOf, hipStages } from './hip-seeds.ts';
import type { FuzzTarget } from './target.ts';

export const hipTargets: readonly FuzzTarget[] = hipStages.map((stage) => ({
  name: `hip-host-${stage.name}`,
  run(octets) {
    const host = new FuzzedHipHost({ opportunistic: stage.opportunistic === true });
    const conversation = new HipPlay(host);
    conversation.play(stage.begin);
    host.story.clear();
    conversation.play(decodeHipSteps(octets));
    host.close();
    return [...host.story].sort().join(', ');
  },
  seeds: () => hipSeedsOf(stage),
  // A host never throws because of what it receives.
  refuses: () => false,
}));
