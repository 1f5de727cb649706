// wayward keeps checkpoints, and is killed and started again under traffic, twice. strongSwan must not notice.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readWithKeys } from '../../harness/capture.ts';
import { eventually } from '../../harness/eventually.ts';
import type { Scenario } from '../../harness/scenario.ts';

const ikeSaInit = 34;
const createChildSa = 36;

const scenario: Scenario = {
  expects:
    'the same SAs go on and are rekeyed; one IKE_SA_INIT, at the very beginning, and no ESP number twice',
  families: ['IPv4'],
  async play(stage) {
    await writeFile(join(stage.wayward.folder, 'record.key'), randomBytes(32), { mode: 0o600 });
    await stage.establish('net');
    const pings = stage.keepPinging('strongswan');
    await pings.answers(20);
    for (let round = 1; round <= 2; round++) {
      const before = await stage.agreedChild('net');
      await stage.wayward.kill();
      await stage.wayward.start();
      const log = await stage.wayward.log();
      assert.equal(log.match(/goes on from the checkpoint/g)?.length, round, log);
      await stage.replacedChild(before);
      await pings.answers(20);
      await eventually('one IKE SA at either end', async () =>
        (await Promise.all(stage.peers.map((peer) => peer.ikeSas()))).every(({ length }) => length === 1),
      );
      // The IKE SA is rekeyed half a second after its Child SAs.
      await stage.wayward.waitForLog(/rekeyed/);
      await pings.answers(50);
    }
    await pings.stop();
    await stage.stopCapture();
    const count = async (filter: string): Promise<number> =>
      (await readWithKeys(stage.capturePath, undefined, filter, ['frame.number'])).length;
    assert.equal(await count(`isakmp.exchangetype == ${ikeSaInit}`), 2);
    assert.ok((await count(`isakmp.exchangetype == ${createChildSa}`)) >= 8);
    const packets = await readWithKeys(stage.capturePath, undefined, 'esp', [
      'ip.src',
      'esp.spi',
      'esp.sequence',
    ]);
    const numbers = packets.map((packet) => packet.join(' '));
    assert.equal(new Set(numbers).size, numbers.length, 'an ESP sequence number was sent twice');
  },
};
export default scenario;
