// strongSwan is killed and started again under traffic. It knows none of our ways to say so, and is not set to call.
import assert from 'node:assert/strict';
import type { Scenario } from '../../harness/scenario.ts';
import { toldInOrder } from '../../harness/told-in-order.ts';

/** What strongSwan's own defaults never reach. */
const recoveryMsMax = 30_000;
const intervalMs = 20;

const scenario: Scenario = {
  expects: 'traffic is back by a fresh IKE SA beside the silent one, long before retransmissions end',
  roles: ['initiator'],
  families: ['IPv4'],
  async play(stage) {
    await stage.establish('net');
    const [before] = await stage.wayward.ikeSas();
    const pings = stage.keepPinging('wayward');
    await pings.answers(20);
    const killedAt = Date.now();
    await stage.strongswan.kill();
    await stage.strongswan.start();
    const startMs = Date.now() - killedAt;
    await stage.wayward.waitForLog(/recovery by silence: back/);
    await pings.answers(20);
    const { lost } = await pings.stop();
    assert.ok(lost * intervalMs < startMs + recoveryMsMax, `${lost} pings were lost`);
    const sas = await stage.wayward.ikeSas();
    assert.ok(sas.some(({ initiatorSpi }) => initiatorSpi !== before?.initiatorSpi));
    const story = [
      // The kernel on which charon is missing says so, unless nothing is sent in that moment.
      /^hint .*: icmp check|silence checking: no answer to our traffic for \d+ ms \(a round trip takes \d+ ms\)/,
      /silence parallel: .*(a liveness check is not answered|a request was not answered in time)/,
      /silence calling: a fresh IKE SA for net/,
      /silence stands: a fresh IKE SA, authenticated in full, \d+ ms after the first sign/,
      /silence back: traffic comes in again, \d+ ms after the first sign/,
    ];
    // Whoever reads this and nothing else knows what happened, in which order, when, and what carries the traffic now.
    const fresh = sas.find(({ initiatorSpi }) => initiatorSpi !== before?.initiatorSpi)!;
    const successor = new RegExp(`^then SPI ${fresh.children[0]!.inboundSpi}, alive`);
    const last = await stage.wayward.command('why', 'last');
    const told = toldInOrder(last, story);
    const backMs = Date.now();
    for (const { atMs, text } of told) assert.ok(atMs >= killedAt - 100 && atMs <= backMs, text);
    const sinceFirst = (at: number): number =>
      Number(/(\d+) ms after the first sign/.exec(told[at]!.text)?.[1]);
    const elapsed = (from: number, to: number): number => told[to]!.atMs - told[from]!.atMs;
    // The lines about the same first sign agree with each other, and with the times they stand at.
    assert.ok(Math.abs(sinceFirst(4) - sinceFirst(3) - elapsed(3, 4)) <= 250, last);
    toldInOrder(last, [story[2]!, successor]);
    const spi = before!.children[0]!.outboundSpi;
    toldInOrder(await stage.wayward.command('why', spi), story);
  },
};
export default scenario;
