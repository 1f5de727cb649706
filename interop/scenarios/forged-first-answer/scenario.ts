// Somebody who sees the first request answers it before the peer does (RFC 7296 2.4).
import { fileURLToPath } from 'node:url';
import { RunningProcess } from '../../harness/processes.ts';
import type { Scenario } from '../../harness/scenario.ts';

const program = fileURLToPath(new URL('./two-answers.js', import.meta.url));
const port = 5_000;
const redirect = `iifname "eth1" udp dport 500 redirect to :${port}`;

const scenario: Scenario = {
  expects:
    'where IKE_AUTH after two answers stays unanswered the exchange begins anew, and the tunnel stands long before tries are spent',
  // Nobody can initiate to who is hidden behind the forger.
  roles: ['initiator'],
  network: { router: 'plain' },
  async play(stage) {
    const { network, family, wayward } = stage;
    const between = new RunningProcess(
      [process.execPath, program, String(port), network.strongswan.outer[family]],
      { namespace: network.router!, listens: true },
    );
    try {
      await between.waitForOutput(/^ready$/m);
      await network.nft(
        `table inet between { chain arrivals { type nat hook prerouting priority dstnat; ${redirect}; }; }`,
      );
      // Nobody waits for three minutes here.
      await stage.establish('net');
      await wayward.waitForLog(/the first request has two answers/);
      await wayward.waitForLog(/IKE_SA_INIT had two answers, and IKE_AUTH has none/);
      await stage.pingBothWays();
    } finally {
      await between.end('SIGKILL');
    }
  },
};
export default scenario;
