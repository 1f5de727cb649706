// charon asks wayward's pools for addresses of both families and name servers.
import assert from 'node:assert/strict';
import { eventually } from '../../harness/eventually.ts';
import type { Scenario } from '../../harness/scenario.ts';
import { ping } from '../../harness/traffic.ts';

const scenario: Scenario = {
  expects: "charon gets addresses and DNS of wayward's pools, traffic from them; leases end",
  roles: ['responder'],
  async play(stage) {
    await stage.establish('net');
    const log = await stage.strongswan.log();
    assert.match(log, /installing new virtual IP 10\.3\.0\.1/);
    assert.match(log, /installing new virtual IP fd03::1/);
    assert.match(log, /CPRP\(ADDR ADDR6 DNS DNS6\)/);
    const child = await stage.agreedChild('net');
    assert.deepEqual(child.remoteSelectors, ['10.3.0.1/32', 'fd03::1/128']);

    const { namespace } = stage.network.strongswan;
    for (const [family, source] of [
      ['IPv4', '10.3.0.1'],
      ['IPv6', 'fd03::1'],
    ] as const) {
      const { destination } = stage.path('strongswan', family);
      await ping({ namespace, source, destination });
      const back = { namespace: stage.network.wayward.namespace, source: destination, destination: source };
      await ping(back);
    }

    const online = async (): Promise<readonly number[]> =>
      (await stage.wayward.status()).engine.pools.map((pool) => pool.online);
    assert.deepEqual(await online(), [1, 1]);
    await stage.strongswan.downIke('gateway');
    await eventually('the leases have ended', async () => (await online()).every((count) => count === 0));
  },
};
export default scenario;
