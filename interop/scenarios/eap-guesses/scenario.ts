// charon tries wrong passwords at wayward, one after another, until it is made to wait; the user whose password it guesses at comes from
// another address, and notices nothing.
import assert from 'node:assert/strict';
import { certifyGateway } from '../../harness/certificates.ts';
import { eventually } from '../../harness/eventually.ts';
import { runProgram } from '../../harness/processes.ts';
import type { Scenario } from '../../harness/scenario.ts';

/** Of another /48, which is another source. */
const elsewhere = { IPv4: '10.99.2.9', IPv6: 'fd99:0:1::9' } as const;

/** No longer than this without a brake. */
const loginMsMax = 3_000;

const scenario: Scenario = {
  expects: 'after some wrong passwords each waits to be judged, and the true user gets in at once meanwhile',
  roles: ['responder'],
  variables: { password: 'roses & tulips', elsewhere: '' },
  timeLimitMs: 60_000,
  async play(stage) {
    const { family, network } = stage;
    const { wayward, strongswan } = network;
    const address = elsewhere[family];
    const bits = family === 'IPv4' ? '16' : '64';
    await runProgram([
      'ip',
      '-n',
      strongswan.namespace,
      'address',
      'add',
      `${address}/${bits}`,
      'dev',
      'eth0',
      'nodad',
    ]);
    if (family === 'IPv6') {
      await runProgram(['ip', '-n', wayward.namespace, 'route', 'add', `${address}/${bits}`, 'dev', 'eth0']);
    }
    await stage.configure({ elsewhere: address });
    await certifyGateway(stage, stage.wayward, stage.strongswan, 'ecdsa');
    await stage.start();

    const heldUp = async (): Promise<number> =>
      [...(await stage.wayward.log()).matchAll(/who says to be carol, has to wait to be heard/g)].length;
    let guesses = 0;
    while ((await heldUp()) < 1) {
      assert.ok(guesses++ < 20, 'nobody is made to wait');
      await assert.rejects(stage.strongswan.up('guess'));
    }
    // This one has to wait for five seconds.
    let pending = true;
    const last = assert.rejects(stage.strongswan.up('guess')).finally(() => {
      pending = false;
    });
    await eventually('the next guess waits', async () => (await heldUp()) === 2);

    await stage.configure({ password: 'tulips & roses', elsewhere: address });
    await stage.strongswan.reload();
    const began = Date.now();
    await stage.strongswan.up('net');
    const tookMs = Date.now() - began;
    assert.ok(tookMs < loginMsMax, `the user waited for ${tookMs} ms`);
    assert.ok(pending, 'the guess was judged before');
    await stage.wayward.waitForLog(/IKE SA established \[left\.example\]\.\.\.\[\S+\] user carol/);
    await last;
    await stage.wayward.waitForLog(/EAP: carol gave a wrong password/);
    await stage.strongswan.downIke('user');
    await stage.nothingLeft();
  },
};
export default scenario;
