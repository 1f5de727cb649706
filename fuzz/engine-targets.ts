// An engine in every stage of an IKE SA, given datagrams of strangers and authentic nonsense of its peer.
import { play } from './engine-script.ts';
import { seedsOf } from './engine-seeds.ts';
import { reach, stages } from './engine-stage.ts';
import type { FuzzTarget } from './target.ts';

export const engineTargets: readonly FuzzTarget[] = stages.map((stage) => ({
  name: `engine-${stage.name}`,
  run(octets) {
    const host = reach(stage);
    host.story.clear();
    play(host, octets);
    return [...host.story].sort().join(', ');
  },
  seeds: () => seedsOf(stage),
  // An engine never throws because of what it receives.
  refuses: () => false,
}));
