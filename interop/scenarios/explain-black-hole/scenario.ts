// A router goes on forwarding in one direction only: what `wayward explain` says of a capture on the side that hears nothing.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Explained } from '../../harness/explained.ts';
import type { Scenario } from '../../harness/scenario.ts';

const scenario: Scenario = {
  expects: 'explain says who fell silent, since which frame, and how many packets went without an answer',
  roles: ['initiator'],
  network: { router: 'plain' },
  async play(stage) {
    await stage.establish('net');
    const child = await stage.agreedChild('net');
    const pings = stage.keepPinging('wayward');
    await pings.answers(20);
    const silent = stage.network.strongswan.outer[stage.family];
    const family = stage.family === 'IPv4' ? 'ip' : 'ip6';
    const rule = `type filter hook forward priority 0; ${family} saddr ${silent} drop;`;
    await stage.network.nft(`table inet hole { chain c { ${rule} }; }`);
    await sleep(4_000);
    await pings.abandon();
    await stage.stopCapture();

    const told = await Explained.read(stage.capturePath, stage.wayward.keyLogPath);
    const hole = told.finding('black-hole');
    assert.ok(hole.what.startsWith(`${silent} falls silent`), hole.what);
    assert.equal(hole.severity, 'problem');
    const [there, back] = ['outboundSpi', 'inboundSpi'].map((side) =>
      told.flows.find(({ spi }) => spi === child[side as 'outboundSpi' | 'inboundSpi']),
    );
    assert.ok(there !== undefined && back !== undefined);
    // The finding begins with the first packet behind the last answer.
    assert.ok(hole.frame > back.last.frame && there.last.frame > hole.frame);
    const unanswered = Number(/(\d+) ESP packets?/.exec(hole.why)?.[1]);
    assert.equal(unanswered, there.lastSequence - back.lastSequence);
  },
};
export default scenario;
