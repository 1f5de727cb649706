// A router refuses ESP and says so with ICMP. Anybody can say that: it is a reason to ask, and no more.
import assert from 'node:assert/strict';
import type { Scenario } from '../../harness/scenario.ts';
import type { Stage } from '../../harness/stage.ts';
import { noPing } from '../../harness/traffic.ts';

/** What shares port 4500 with IKE is ESP if it does not begin with four octets of zero (RFC 3948 2.2). */
const refuseEsp = 'udp dport 4500 @th,64,32 != 0 reject with icmpx type port-unreachable';

function hints(story: string): { readonly checks: number; readonly others: number } {
  const count = (what: RegExp): number => [...story.matchAll(what)].length;
  return { checks: count(/icmp: check/g), others: count(/icmp: back-off/g) };
}

async function refuse(stage: Stage): Promise<void> {
  await stage.network.nft(
    `table inet refuse { chain through { type filter hook forward priority 0; ${refuseEsp}; }; }`,
  );
}

const scenario: Scenario = {
  expects: 'one liveness check for port-unreachable within a window, answered; the SAs stay',
  roles: ['initiator'],
  network: { router: 'plain' },
  async play(stage) {
    const { wayward } = stage;
    await stage.establish('net');
    await stage.pingBothWays();
    const before = await wayward.ikeSas();
    await refuse(stage);
    // Further apart than what would count as a silent flow, and all of them within the window of the first check.
    for (let i = 0; i < 3; i++) await noPing(stage.path('wayward'));
    await wayward.waitForLog(/unprotected icmp from .* about SPI [0-9a-f]+: check/);
    await wayward.waitForLog(/peer is alive, answered after/);
    const story = await wayward.command('why', 'last');
    const told = hints(story);
    assert.equal(told.checks, 1, story);
    assert.ok(told.others >= 1, story);
    assert.doesNotMatch(story, /recovery|parallel|calling/);
    assert.deepEqual(await wayward.ikeSas(), before);
    await stage.network.nft('delete table inet refuse');
    await stage.pingBothWays();
    assert.deepEqual(await wayward.ikeSas(), before);
  },
};
export default scenario;
