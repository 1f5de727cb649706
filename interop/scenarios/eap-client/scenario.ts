// wayward logs in at charon with a user name and a password (EAP-MSCHAPv2), first with a wrong one, and gets virtual addresses.
import assert from 'node:assert/strict';
import { certifyGateway } from '../../harness/certificates.ts';
import type { Scenario } from '../../harness/scenario.ts';
import { ping } from '../../harness/traffic.ts';

const scenario: Scenario = {
  expects: 'a wrong password is refused and said; with the right one addresses of the pools and traffic',
  roles: ['initiator'],
  variables: { password: 'roses & tulips' },
  async play(stage) {
    // Large enough for fragments.
    await certifyGateway(stage, stage.strongswan, stage.wayward, 'rsa');
    await stage.start();
    await assert.rejects(
      stage.wayward.up('net'),
      /EAP: the gateway refuses us.*user name or the password is wrong/,
    );
    assert.match(await stage.strongswan.log(), /EAP method EAP_MSCHAPV2 failed for peer/);

    await stage.configure({ password: 'tulips & roses' });
    await stage.wayward.reload();
    await stage.wayward.up('net');
    const child = await stage.agreedChild('net');
    await stage.routed(child);
    assert.deepEqual(child.localSelectors, ['10.3.0.1/32', 'fd03::1/128']);
    const log = await stage.strongswan.log();
    assert.match(log, /received EAP identity 'carol'/);
    assert.match(log, /EAP method EAP_MSCHAPV2 succeeded, MSK established/);

    assert.match(await stage.wayward.command('status'), /MOBIKE, as the end that moves/);
    const { namespace } = stage.network.wayward;
    for (const [family, source] of [
      ['IPv4', '10.3.0.1'],
      ['IPv6', 'fd03::1'],
    ] as const) {
      await ping({ namespace, source, destination: stage.path('wayward', family).destination });
    }
    await stage.wayward.downIke('gateway');
    await stage.nothingLeft();
  },
};
export default scenario;
