// Each side expects another identity than the one that the other has.
import { refused } from '../../harness/refused.ts';
import type { Scenario } from '../../harness/scenario.ts';

const scenario: Scenario = {
  expects: 'no SA, and our side names both identities',
  async play(stage) {
    await refused(stage, {
      asInitiator:
        /does not accept us as left\.example, or is not other\.example: .*\(AUTHENTICATION_FAILED\)/,
      asResponder:
        /IKE SA failed: no connection is for the peer's identity right\.example, which asks for us as left\.example/,
    });
  },
};
export default scenario;
