// The path carries less than the tunnel thinks, and what is in fragments is lost: small packets pass, and large ones do not.
import assert from 'node:assert/strict';
import { runProgram } from '../../harness/processes.ts';
import type { Scenario } from '../../harness/scenario.ts';
import { tcpWithChecksum } from '../../harness/traffic.ts';

const mtuBytes = 1400;
/** At their receiver: a router cuts packets after the last of its own hooks. */
const noFragments = `table inet path { chain in {
  type filter hook prerouting priority -450; ip frag-off & 0x3fff != 0 drop; exthdr frag exists drop;
}; }`;

// RFC 4301 8.2: the source inside is told, and it is logged why.
const scenario: Scenario = {
  expects:
    'ICMP makes packets inside smaller: TCP goes on, `why` and the log tell who said what; the SAs stay',
  roles: ['initiator'],
  network: { router: 'plain' },
  async play(stage) {
    const { wayward, network } = stage;
    const router = network.router!;
    await runProgram(['ip', '-n', router, 'link', 'set', 'eth2', 'mtu', String(mtuBytes)]);
    const { namespace } = network.strongswan;
    await runProgram(['nft', '-f', '-'], { namespace, input: noFragments });
    await stage.establish('net');
    const before = await wayward.ikeSas();
    await tcpWithChecksum(stage.path('wayward'), namespace, 500_000);
    const told = await wayward.waitForLog(
      /path to \S+: (\S+) says that the path carries (\d+) octets: packets inside may have (\d+)/,
    );
    assert.equal(Number(told[2]), mtuBytes);
    // ESP and UDP headers, IV, trailer and ICV.
    const outer = stage.family === 'IPv4' ? 20 : 40;
    assert.ok(Number(told[3]) < mtuBytes - outer && Number(told[3]) > mtuBytes - outer - 80, told[0]);
    assert.match(await wayward.command('why', 'last'), /says that the path carries 1400 octets/);
    assert.deepEqual(await wayward.ikeSas(), before);
  },
};
export default scenario;
