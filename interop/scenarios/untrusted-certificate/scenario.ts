// strongSwan has a certificate of a root that wayward does not trust.

import { join } from 'node:path';
import { certifyPeer, makeRoot, trust } from '../../harness/certificates.ts';
import { refused } from '../../harness/refused.ts';
import type { Scenario } from '../../harness/scenario.ts';

const scenario: Scenario = {
  expects: 'no SA, and our side says which certificate no root vouches for',
  async play(stage) {
    const pki = join(stage.folder, 'pki');
    const [known, stranger] = [
      await makeRoot(pki, 'root', 'ecdsa'),
      await makeRoot(pki, 'stranger', 'ecdsa'),
    ];
    await trust(stage.wayward, known);
    await trust(stage.strongswan, known);
    await certifyPeer(stage, stage.wayward, known, 'ecdsa');
    await certifyPeer(stage, stage.strongswan, stranger, 'ecdsa');
    await refused(stage, {
      asInitiator:
        /^C=CH, O=wayward, CN=right\.example: no trusted issuer "C=CH, O=wayward, CN=stranger" found$/,
      asResponder:
        /IKE SA failed: C=CH, O=wayward, CN=right\.example: no trusted issuer "C=CH, O=wayward, CN=stranger" found/,
    });
  },
};
export default scenario;
