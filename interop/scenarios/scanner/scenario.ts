// A scanner sends random ESP, AH and IKE from random sources for a while. `npm run soak -- scanner` makes it a minute.
import { assertHarmless, sufferScanner } from '../../harness/scanner.ts';
import type { Scenario } from '../../harness/scenario.ts';

const scenario: Scenario = {
  expects: 'a tunnel keeps its ping through 5,000 random packets a second, and every packet is accounted for',
  families: ['IPv4'],
  roles: ['initiator'],
  async play(stage) {
    assertHarmless(await sufferScanner(stage, { rate: 5_000, seconds: 5 }));
  },
};
export default scenario;
