// The two sides accept nothing in common for the IKE SA.
import { refused } from '../../harness/refused.ts';
import type { Scenario } from '../../harness/scenario.ts';

const scenario: Scenario = {
  expects: 'NO_PROPOSAL_CHOSEN, and our side says so',
  async play(stage) {
    await refused(stage, {
      asInitiator: /accepts none of our IKE proposals.*\(NO_PROPOSAL_CHOSEN\)/,
      asResponder:
        /info .* wants an IKE SA, refused: no proposal suits, offered: aes128-sha256-prfsha256-modp2048/,
    });
  },
};
export default scenario;
