// charon logs in at wayward with a user name and a password (EAP-MSCHAPv2), which swanctl has to bring first, and gets virtual addresses.
import assert from 'node:assert/strict';
import { certifyGateway } from '../../harness/certificates.ts';
import { eventually } from '../../harness/eventually.ts';
import type { Scenario } from '../../harness/scenario.ts';
import { swanctl } from '../../harness/swanctl.ts';
import { ping } from '../../harness/traffic.ts';

const scenario: Scenario = {
  expects:
    'a wrong password is refused and said; once swanctl brings the right one, addresses of the pools and traffic',
  roles: ['responder'],
  variables: { password: 'tulips & roses', known: 'roses & tulips' },
  async play(stage) {
    // Large enough for fragments.
    await certifyGateway(stage, stage.wayward, stage.strongswan, 'rsa');
    await stage.start();
    await assert.rejects(stage.strongswan.up('net'));
    await stage.wayward.waitForLog(/gateway\[1\] .*: IKE SA failed: EAP: carol gave a wrong password/);
    await eventually('charon hears of it', async () =>
      /EAP-MS-CHAPv2 failed with error ERROR_AUTHENTICATION_FAILURE/.test(await stage.strongswan.log()),
    );

    await stage.configure({ known: 'tulips & roses' });
    const loaded = await swanctl(stage.wayward, '--load-creds', '--clear', '--noprompt');
    assert.equal(loaded.status, 0, loaded.output);
    assert.match(loaded.output, /loaded eap secret 'eap-carol'/);
    await stage.strongswan.up('net');
    const child = await stage.agreedChild('net');
    await stage.routed(child);
    assert.deepEqual(child.remoteSelectors, ['10.3.0.1/32', 'fd03::1/128']);
    const log = await stage.strongswan.log();
    assert.match(log, /server requested EAP_IDENTITY/);
    assert.match(log, /authentication of 'left\.example' with EAP successful/);
    await stage.wayward.waitForLog(/IKE SA established \[left\.example\]\.\.\.\[\S+\] user carol/);
    const status = await stage.wayward.command('status');
    assert.match(status, /, user carol$/m);
    assert.match(status, /MOBIKE, the peer moves/);
    assert.match(log, /received fragment #1 of \d/);

    const { namespace } = stage.network.strongswan;
    for (const [family, source] of [
      ['IPv4', '10.3.0.1'],
      ['IPv6', 'fd03::1'],
    ] as const) {
      await ping({ namespace, source, destination: stage.path('strongswan', family).destination });
    }
    await stage.strongswan.rekeyIke('gateway');
    await stage.agreedChild('net');
    await stage.strongswan.downIke('gateway');
    await stage.nothingLeft();
  },
};
export default scenario;
