// strongSwan rekeys the IKE SA, and wayward is killed before its answer gets out. strongSwan asks again, and gets the answer.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readWithKeys } from '../../harness/capture.ts';
import { eventually } from '../../harness/eventually.ts';
import type { Scenario } from '../../harness/scenario.ts';

const ikeSaInit = 34;
const mute = 'table inet mute { chain out { type filter hook output priority 0; oifname "eth0" drop; }; }';

// RFC 7296 2.1, 2.8
const scenario: Scenario = {
  expects:
    'the repeated rekeying is answered by the next process, and the new IKE SA stands; one IKE_SA_INIT',
  families: ['IPv4'],
  async play(stage) {
    const { wayward, strongswan, network } = stage;
    await writeFile(join(wayward.folder, 'record.key'), randomBytes(32), { mode: 0o600 });
    await stage.establish('net');
    const pings = stage.keepPinging('strongswan');
    await pings.answers(20);
    const [before] = await wayward.ikeSas();
    await network.nft(mute);
    await strongswan.rekeyIke('gateway');
    const made = await eventually('wayward has the new IKE SA', async () => {
      const all = await wayward.ikeSas();
      return all.find(({ initiatorSpi }) => initiatorSpi !== before?.initiatorSpi);
    });
    const keptAt = async (key: string): Promise<bigint | undefined> =>
      (
        await stat(join(wayward.folder, 'control.state', encodeURIComponent(key)), { bigint: true }).catch(
          () => undefined,
        )
      )?.ctimeNs;
    await eventually('the new IKE SA is on disk, and the index that names it', async () => {
      const record = await keptAt(`checkpoint-sa/${made.responderSpi}`);
      return record !== undefined && ((await keptAt('checkpoint-index')) ?? 0n) >= record;
    });
    await wayward.kill();
    await network.nft('delete table inet mute');
    await wayward.start();
    // It says nothing on the new IKE SA before strongSwan has it.
    await eventually('strongSwan has it too', async () =>
      (await strongswan.ikeSas()).some(({ initiatorSpi }) => initiatorSpi === made.initiatorSpi),
    );
    await stage.replacedIkeSa(made);
    await pings.answers(50);
    await pings.stop();
    const log = await wayward.log();
    assert.equal(log.match(/goes on from the checkpoint/g)?.length, 1, log);
    await stage.stopCapture();
    const inits = await readWithKeys(stage.capturePath, undefined, `isakmp.exchangetype == ${ikeSaInit}`, [
      'frame.number',
    ]);
    assert.equal(inits.length, 2);
  },
};
export default scenario;
