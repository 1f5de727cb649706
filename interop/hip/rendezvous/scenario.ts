// A client of a rendezvous server is found by its HIT, wherever it goes and whoever starts anew (RFC 8003, RFC 8004).
import assert from 'node:assert/strict';
import { readWithKeys } from '../../harness/capture.ts';
import { eventually } from '../../harness/eventually.ts';
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
  await stage.registered();
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
  // Otherwise who moves first may still tell the other.
  await Promise.all([stage.leave(sun), stage.leave(moon)]);
  const from = performance.now();
  await Promise.all([stage.move(sun, 'sunMovedAgain'), stage.move(moon, 'moonMoved')]);
  await stage.registered();
  // A ping that is lost stays lost.
  await eventually('moon finds sun', () =>
    ping(stage.path(moon, sun), 1, 56, 2).then(
      () => true,
      () => false,
    ),
  );
  stage.notes.push(`both move at once: ${Math.round(performance.now() - from)} ms`);
}

/** A HIP packet on the link as tshark, whose dissector we did not write, reads it; a field that is there twice has commas. */
interface LinkPacket {
  readonly packetType: string;
  readonly parameters: readonly string[];
  readonly lifetimeMin: string;
  readonly lifetimeMax: string;
  readonly lifetime: string;
  readonly registrationType: string;
  readonly from: string;
  readonly via: string;
}

/** @throws AssertionError if one of them is malformed or has a wrong checksum */
async function linkPackets(stage: RendezvousStage): Promise<readonly LinkPacket[]> {
  // Of the packets that ICMP quotes only the beginnings are there.
  const notQuoted = 'hip && !icmp && !icmpv6';
  const rows = await readWithKeys(`${stage.folder}/link.pcap`, undefined, notQuoted, [
    'frame.number',
    '_ws.malformed',
    'hip.checksum.status',
    'hip.packet_type',
    'hip.type',
    'hip.tlv.reg_ltmin',
    'hip.tlv.reg_ltmax',
    'hip.tlv.reg_lt',
    'hip.tlv.reg_type',
    'hip.tlv_from_address',
    'hip.tlv_rvs_address',
  ]);
  const checksumIsBad = '0';
  const wrong = rows.filter(
    ([, malformed, checksum]) => malformed !== '' || checksum!.split(',').includes(checksumIsBad),
  );
  assert.deepEqual(wrong, []);
  return rows.map((row) => {
    const [packetType, parameters, lifetimeMin, lifetimeMax, lifetime, registrationType, from, via] =
      row.slice(3) as [string, string, string, string, string, string, string, string];
    const words = { lifetimeMin, lifetimeMax, lifetime, registrationType, from, via };
    return { packetType, parameters: parameters.split(','), ...words };
  });
}

async function readCapture(stage: RendezvousStage, initiator: string): Promise<void> {
  const packets = await linkPackets(stage);
  const mapped = (address: string): string => (address.includes(':') ? address : `::ffff:${address}`);
  const having = (packetType: string, parameter: string): readonly LinkPacket[] =>
    packets.filter((one) => one.packetType === packetType && one.parameters.includes(parameter));

  // 10 s and an hour at most; 12 s wanted and granted.
  const [offer] = having('2', '930');
  assert.deepEqual([offer?.lifetimeMin, offer?.lifetimeMax, offer?.registrationType], ['90', '158', '1']);
  const [wish] = having('3', '932');
  assert.deepEqual([wish?.lifetime, wish?.registrationType], ['92', '1']);
  const [grant] = having('4', '934');
  assert.deepEqual([grant?.lifetime, grant?.registrationType], ['92', '1']);
  const relayed = having('1', '65498');
  assert.ok(relayed.length >= 5, `${relayed.length} I1 were relayed`);
  assert.deepEqual([relayed[0]?.parameters.join(), relayed[0]?.from], ['511,65498,65500', mapped(initiator)]);
  const answers = having('2', '65502');
  assert.ok(answers.length >= 5);
  for (const { via } of answers) assert.equal(via, mapped(stage.address(stage.hub)));
}
