// wayward asks charon's pools for addresses of both families and name servers, uses them and gives them back.
import assert from 'node:assert/strict';
import { runProgram } from '../../harness/processes.ts';
import type { Scenario } from '../../harness/scenario.ts';
import { ping } from '../../harness/traffic.ts';

const scenario: Scenario = {
  expects: "addresses and DNS of charon's pools, traffic from them, gone at the end",
  roles: ['initiator'],
  async play(stage) {
    await stage.establish('net');
    await stage.wayward.waitForLog(/virtual addresses 10\.3\.0\.1 fd03::1, DNS 10\.2\.0\.53 fd02::53/);
    const child = await stage.agreedChild('net');
    assert.deepEqual(child.localSelectors, ['10.3.0.1/32', 'fd03::1/128']);

    const { namespace } = stage.network.wayward;
    const addresses = (): Promise<string> => runProgram(['ip', '-n', namespace, 'address']);
    assert.match(await addresses(), /inet 10\.3\.0\.1\/32/);
    assert.match(await addresses(), /inet6 fd03::1\/128/);
    for (const [family, source] of [
      ['IPv4', '10.3.0.1'],
      ['IPv6', 'fd03::1'],
    ] as const) {
      const { destination } = stage.path('wayward', family);
      await ping({ namespace, source, destination });
      const back = {
        namespace: stage.network.strongswan.namespace,
        source: destination,
        destination: source,
      };
      await ping(back);
    }

    await stage.wayward.downIke('gateway');
    await stage.nothingLeft();
    assert.doesNotMatch(await addresses(), /10\.3\.0\.1|fd03::1/);
    assert.match(await stage.strongswan.swanctl('--list-pools'), /four +\S+ +0 \/ \d+ \/ 254/);
  },
};
export default scenario;
