// wayward shall log in at a charon whose certificate it does not trust: it says nothing of who it is.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { certifyPeer, makeRoot, trust } from '../../harness/certificates.ts';
import { eventually } from '../../harness/eventually.ts';
import type { Scenario } from '../../harness/scenario.ts';

const scenario: Scenario = {
  expects:
    'no word of EAP; our side says which certificate no root vouches for, at once, and charon hears of it',
  roles: ['initiator'],
  async play(stage) {
    const pki = join(stage.folder, 'pki');
    const [known, stranger] = [
      await makeRoot(pki, 'root', 'ecdsa'),
      await makeRoot(pki, 'stranger', 'ecdsa'),
    ];
    await trust(stage.wayward, known);
    await certifyPeer(stage, stage.strongswan, stranger, 'ecdsa');
    await stage.start();
    await assert.rejects(
      stage.wayward.up('net'),
      /C=CH, O=wayward, CN=right\.example: no trusted issuer "C=CH, O=wayward, CN=stranger" found/,
    );
    await eventually('charon is told', async () =>
      /parsed INFORMATIONAL request 2 \[ N\(AUTH_FAILED\) \]/.test(await stage.strongswan.log()),
    );
    assert.doesNotMatch(await stage.strongswan.log(), /EAP\/RES|received EAP identity/);
  },
};
export default scenario;
