// A client of a rendezvous server is found by its HIT, wherever it goes and whoever starts anew (RFC 8003, RFC 8004).
import assert from 'node:assert/strict';
import { readWithKeys } from '../../harness/capture.ts';
import { ping } from '../../harness/traffic.ts';
import { type RendezvousNetwork, RendezvousStage } from './rendezvous-stage.ts';

export async function playRendezvous(
  network: RendezvousNetwork,
): Promise<{ readonly stage: RendezvousStage; play(): Promise<void> }> {
  const stage = await RendezvousStage.prepare(network);
  return { stage, play: () => play(stage) };
}

async function play(stage: RendezvousStage): Promise<void> {
  const { moon, hub, sun } = stage;
  const atFirst = stage.address(moon);
  await stage.start();
  await stage.registered();
  await found(stage, 'at first');

  await moon.hip('down', 'sun');
  await stage.move(sun, 'sunMoved');
  await stage.registered();
  await found(stage, 'after it has moved');

  await moon.hip('down', 'sun');
  await hub.kill();
  await hub.start();
  await stage.registered(40_000);
  await found(stage, 'after its server was killed');

  await moon.hip('down', 'sun');
  await sun.kill();
  await sun.start();
  await stage.registered();
  await found(stage, 'after it was killed');

  await moveBoth(stage);
  await stage.capture!.stop();
  await readCapture(stage, atFirst);
}

/** A ping by HIT brings an association about, straight between the two. */
async function found(stage: RendezvousStage, when: string): Promise<void> {
  const { moon, sun } = stage;
  const from = performance.now();
  await ping(stage.path(moon, sun), 1);
  stage.notes.push(`found ${when}: ${Math.round(performance.now() - from)} ms`);
  const { path } = (await moon.association(sun))!;
  assert.deepEqual([path.local.address, path.remote.address], [stage.address(moon), stage.address(sun)]);
  await ping(stage.path(sun, moon), 1, 1_300);
}

/** Neither hears of the other's move: the association comes back through the server. */
async function moveBoth(stage: RendezvousStage): Promise<void> {
  const { moon, sun } = stage;
  const from = performance.now();
  await Promise.all([stage.move(sun, 'sunMovedAgain'), stage.move(moon, 'moonMoved')]);
  await stage.registered();
  const deadline = from + 60_000;
  for (;;) {
    try {
      await ping(stage.path(moon, sun), 1);
      break;
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
  }
  stage.notes.push(`both move at once: ${Math.round(performance.now() - from)} ms`);
}

/** Of the packets that ICMP quotes only the beginnings are there. */
const notQuoted = 'hip && !icmp && !icmpv6';

/** What tshark, whose dissector we did not write, reads in what went over the link. */
async function readCapture(stage: RendezvousStage, initiator: string): Promise<void> {
  const read = (filter: string, ...fields: string[]): Promise<readonly (readonly string[])[]> =>
    readWithKeys(`${stage.folder}/link.pcap`, undefined, `${notQuoted} && ${filter}`, fields);
  const mapped = (address: string): string => (address.includes(':') ? address : `::ffff:${address}`);
  const wrong = await read(
    '(_ws.malformed || hip.checksum.status == 0)',
    'frame.number',
    'hip.packet_type',
    'hip.type',
    '_ws.malformed',
  );
  assert.deepEqual(wrong, []);

  const first = async (filter: string, ...fields: string[]): Promise<readonly string[]> =>
    (await read(filter, ...fields))[0] ?? [];
  // 10 s and an hour at most; 20 s wanted and granted.
  assert.deepEqual(
    await first(
      'hip.packet_type == 2 && hip.type == 930',
      'hip.tlv.reg_ltmin',
      'hip.tlv.reg_ltmax',
      'hip.tlv.reg_type',
    ),
    ['90', '158', '1'],
  );
  assert.deepEqual(
    await first('hip.packet_type == 3 && hip.type == 932', 'hip.tlv.reg_lt', 'hip.tlv.reg_type'),
    ['98', '1'],
  );
  assert.deepEqual(
    await first('hip.packet_type == 4 && hip.type == 934', 'hip.tlv.reg_lt', 'hip.tlv.reg_type'),
    ['98', '1'],
  );
  const relayed = await read('hip.packet_type == 1 && hip.type == 65498', 'hip.type', 'hip.tlv_from_address');
  assert.ok(relayed.length >= 5, `${relayed.length} I1 were relayed`);
  assert.deepEqual(relayed[0], ['511,65498,65500', mapped(initiator)]);
  const answers = await read('hip.packet_type == 2 && hip.type == 65502', 'hip.tlv_rvs_address');
  assert.ok(answers.length >= 5);
  for (const [via] of answers) assert.equal(via, mapped(stage.address(stage.hub)));
}
