// The two sides have different pre-shared keys.
import { refused } from '../../harness/refused.ts';
import type { Scenario } from '../../harness/scenario.ts';

const scenario: Scenario = {
  expects: 'no SA, and our side says that the keys, or else identities, differ',
  async play(stage) {
    await refused(stage, {
      asInitiator:
        /does not accept us as left\.example, or is not right\.example: .*\(AUTHENTICATION_FAILED\)/,
      asResponder: /gateway\[1\] .*: IKE SA failed: shared keys differ/,
    });
  },
};
export default scenario;
