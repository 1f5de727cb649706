// Both sides rekey the same SA at the same time (RFC 7296 2.8.1, 2.25), while pings run both ways.
import assert from 'node:assert/strict';
import { eventually } from '../../harness/eventually.ts';
import type { Peer } from '../../harness/peer.ts';
import type { Scenario } from '../../harness/scenario.ts';
import type { Stage } from '../../harness/stage.ts';

const rounds = 2;

/** IKE messages have four octets of zero where ESP has its SPI (RFC 3948 2.2). */
const hold =
  'table inet hold { chain out { type filter hook output priority 0; udp dport 4500 @th,64,32 0 drop; }; }';

/**
 * Both sides send a request, and wayward's messages are lost until both requests are on their way: each side gets the
 * other's request while it waits for the answer to its own.
 */
async function crossing(stage: Stage, rekey: (peer: Peer) => Promise<void>): Promise<void> {
  const { wayward, strongswan, network } = stage;
  const requests = async (): Promise<number> =>
    (await strongswan.log()).split('generating CREATE_CHILD_SA request').length;
  const before = await requests();
  await network.nft(hold);
  await rekey(wayward);
  await rekey(strongswan);
  await eventually('charon has sent its request', async () => (await requests()) > before);
  await network.nft('delete table inet hold');
}

const scenario: Scenario = {
  expects: 'both sides rekey at the same time, Child SA and IKE SA; one of each is left, no ping lost',
  families: ['IPv4'],
  async play(stage) {
    await stage.establish('net');
    const pings = [stage.keepPinging('wayward'), stage.keepPinging('strongswan')];
    for (let round = 0; round < rounds; round++) {
      const child = await stage.agreedChild('net');
      await crossing(stage, (peer) => peer.rekeyChild('net'));
      await stage.replacedChild(child);

      const [ike] = await stage.wayward.ikeSas();
      await crossing(stage, (peer) => peer.rekeyIke('gateway'));
      await stage.replacedIkeSa(ike!);
    }
    const log = await stage.wayward.log();
    assert.match(log, /collision \(child-rekey\)/);
    assert.match(log, /collision \(ike-rekey\)/);
    for (const one of pings) {
      const { answered, lost } = await one.stop();
      assert.equal(lost, 0, `${lost} pings lost, ${answered} answered`);
    }
  },
};
export default scenario;
