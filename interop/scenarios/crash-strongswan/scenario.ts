// strongSwan is killed and started again under traffic. It knows none of our ways to say so, and is not set to call.
import assert from 'node:assert/strict';
import type { Scenario } from '../../harness/scenario.ts';
import { toldInOrder } from '../../harness/told-in-order.ts';

const scenario: Scenario = {
  expects: 'traffic is back by a fresh IKE SA beside the silent one, long before retransmissions end',
  roles: ['initiator'],
  families: ['IPv4'],
  async play(stage) {
    await stage.establish('net');
    const [before] = await stage.wayward.ikeSas();
    const pings = stage.keepPinging('wayward');
    await pings.answers(20);
    await stage.strongswan.kill();
    await stage.strongswan.start();
    await stage.wayward.waitForLog(/recovery by silence: back/, 10_000);
    await pings.answers(20);
    const { lost } = await pings.stop();
    // Half a minute is what strongSwan's own defaults never reach.
    assert.ok(lost < 250, `${lost} pings were lost`);
    const sas = await stage.wayward.ikeSas();
    assert.ok(sas.some(({ initiatorSpi }) => initiatorSpi !== before?.initiatorSpi));
    const story = [
      /silence checking: no answer to our traffic for \d+ ms \(a round trip .*\)/,
      /silence parallel: .* a liveness check is not answered/,
      /silence calling: a fresh IKE SA for net/,
      /silence stands: a fresh IKE SA, authenticated in full, \d+ ms after the first sign/,
      /silence back: traffic comes in again, \d+ ms after the first sign/,
    ];
    toldInOrder(await stage.wayward.command('why', 'last'), story);
    const spi = before!.children[0]!.outboundSpi;
    toldInOrder(await stage.wayward.command('why', spi), story);
  },
};
export default scenario;
