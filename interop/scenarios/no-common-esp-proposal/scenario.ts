// The IKE SA comes up, but the two sides accept nothing in common for the Child SA.
import { refused } from '../../harness/refused.ts';
import type { Scenario } from '../../harness/scenario.ts';

const scenario: Scenario = {
  expects: 'the IKE SA stands, the Child SA is refused, and our side says why',
  async play(stage) {
    await refused(stage, {
      asInitiator: /accepts none of our proposals for the Child SA \(NO_PROPOSAL_CHOSEN\)/,
      asResponder: /Child SA gateway failed: no proposal suits net, offered: aes128-sha256/,
    });
  },
};
export default scenario;
