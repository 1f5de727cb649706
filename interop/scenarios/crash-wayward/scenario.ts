// wayward is killed and started again under traffic. strongSwan takes no notice of unprotected messages.
import assert from 'node:assert/strict';
import type { Scenario } from '../../harness/scenario.ts';
import { toldInOrder } from '../../harness/told-in-order.ts';

/** How long strongSwan takes with its defaults to notice anything is several times this. */
const recoveryMsMax = 30_000;
const intervalMs = 20;

const scenario: Scenario = {
  expects: 'the restarted wayward calls whom its history names; INITIAL_CONTACT clears the old IKE SA',
  families: ['IPv4'],
  async play(stage) {
    await stage.establish('net');
    const [before] = await stage.wayward.ikeSas();
    const pings = stage.keepPinging('strongswan');
    await pings.answers(20);
    await stage.wayward.kill();
    const startedAt = Date.now();
    await stage.wayward.start();
    const startMs = Date.now() - startedAt;
    await stage.wayward.waitForLog(/recovery by restart: calling/);
    await stage.wayward.waitForLog(/recovery by restart: back/);
    await pings.answers(20);
    const { lost } = await pings.stop();
    assert.ok(lost * intervalMs < startMs + recoveryMsMax, `${lost} pings were lost`);
    const sas = await stage.strongswan.ikeSas();
    assert.equal(sas.length, 1);
    const story = [
      /restart calling: a fresh IKE SA for net/,
      /restart stands: a fresh IKE SA, authenticated in full, \d+ ms after the first sign/,
      /restart back: traffic comes in again, \d+ ms after the first sign/,
    ];
    toldInOrder(await stage.wayward.command('why', 'last'), story);
    // Whose SPI it was that strongSwan went on sending to, and that it ended with the process.
    const ofSpi = await stage.wayward.command('why', before!.children[0]!.inboundSpi);
    assert.match(ofSpi, /esp of gateway\/net, ended\n/);
    assert.match(ofSpi, /ended {2}\S+, our-restart\n/);
    toldInOrder(ofSpi, [/verdict 10\.99\.2\.1:4500: notify-unprotected/, story.at(-1)!]);
  },
};
export default scenario;
