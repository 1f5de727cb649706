// A pair whose outbound SAs another data plane has: its packets are handed over, and what came early is handed on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SaProtocol } from '#sa';
import { encapsulationHeadroomBytes, encapsulationTailroomBytes, PacketSlot } from '../packet-slot.ts';
import {
  delivered,
  drain,
  eventsOf,
  flow,
  ipPacket,
  policyFor,
  receive,
  testRandomness,
  toHex,
  transmitted,
} from '../testing/fixtures.ts';
import { hosts, seal } from '../testing/hosts.ts';
import { Verdict, verdictNames } from '../verdicts.ts';
import type { DataPlaneOutput, MemoryDataPlaneOptions } from './interface.ts';
import { MemoryDataPlane } from './memory-data-plane.ts';

/** With a policy that names pair 1, and no SA. */
function reader(options: Partial<MemoryDataPlaneOptions> = {}): MemoryDataPlane {
  const plane = new MemoryDataPlane({ randomness: testRandomness, ...options });
  plane.apply({ kind: 'install-policy', policy: policyFor(flow().sender) }, 0);
  return plane;
}

function handedOver(outputs: readonly DataPlaneOutput[]): [number, string][] {
  return outputs.flatMap((output): [number, string][] =>
    output.kind === 'hand-over' ? [[output.childId, toHex(output.packet)]] : [],
  );
}

/** What the plane makes of a packet in the caller's buffer. */
function batched(plane: MemoryDataPlane, packet: Uint8Array): PacketSlot {
  const room = Math.max(packet.length, plane.paddedBytesMax);
  const buffer = new Uint8Array(encapsulationHeadroomBytes + room + encapsulationTailroomBytes);
  buffer.set(packet, encapsulationHeadroomBytes);
  const slot = new PacketSlot(buffer, encapsulationHeadroomBytes, packet.length);
  plane.outboundBatch([slot], 1, 0);
  return slot;
}

test('a packet of a pair that is sealed elsewhere stays in its slot as it was, with the pair beside it', () => {
  const plane = reader();
  const packet = ipPacket();
  plane.sealElsewhere(1, true, 0);
  const slot = batched(plane, packet);
  assert.equal(verdictNames[slot.verdict], 'handed-over');
  assert.equal(slot.policy?.childId, 1);
  assert.equal(toHex(slot.octets), toHex(packet));
  assert.deepEqual(drain(plane), []);
  assert.equal(plane.verdictCount(Verdict.HANDED_OVER), 1);
});

test('other pairs are not', () => {
  const plane = reader();
  plane.sealElsewhere(2, true, 0);
  assert.equal(batched(plane, ipPacket()).verdict, Verdict.NO_SA);
});

test('a packet by itself comes out of poll, and keeps its hop limit for the data plane that seals it', () => {
  const plane = reader({ decrementHopLimit: true });
  const packet = ipPacket({ hopLimit: 1 });
  plane.sealElsewhere(1, true, 0);
  plane.outbound(packet, 0);
  packet.fill(0);
  assert.deepEqual(handedOver(drain(plane)), [[1, toHex(ipPacket({ hopLimit: 1 }))]]);
});

test('flows that are under way change over at once and back, whatever SA of the pair is here', () => {
  const { sender } = hosts();
  const verdictOfNext = (): string | undefined => verdictNames[batched(sender, ipPacket()).verdict];
  const verdicts = [verdictOfNext()];
  for (const elsewhere of [true, true, false]) {
    sender.sealElsewhere(1, elsewhere, 0);
    verdicts.push(verdictOfNext());
  }
  assert.deepEqual(verdicts, ['sealed', 'handed-over', 'handed-over', 'sealed']);
  assert.equal(transmitted(drain(sender)).length, 0, 'what is sealed stays in its slot');
});

test('without an SA, a pair that is no longer sealed elsewhere has none', () => {
  const plane = reader();
  const verdicts = [true, false].map((elsewhere) => {
    plane.sealElsewhere(1, elsewhere, 0);
    return verdictNames[batched(plane, ipPacket()).verdict];
  });
  assert.deepEqual(verdicts, ['handed-over', 'no-sa']);
});

test('a pair that is sealed elsewhere sends no dummy packets from here', () => {
  const { sender } = hosts();
  sender.sealElsewhere(1, true, 0);
  sender.dummy(1, 40, 0);
  assert.deepEqual(drain(sender), []);
});

test('packets that a trap holds leave as soon as another data plane seals for them, and once', () => {
  const { sender } = flow();
  const packets = [ipPacket({ dataBytes: 1 }), ipPacket({ dataBytes: 2 })];
  for (const order of ['policy first', 'pair first']) {
    const plane = new MemoryDataPlane({ randomness: testRandomness });
    const trap = policyFor(sender, { action: 'trap', policyId: 9 });
    plane.apply({ kind: 'install-policy', policy: trap }, 0);
    for (const packet of packets) plane.outbound(packet, 0);
    assert.deepEqual(eventsOf(drain(plane)), ['acquire']);
    const steps = [
      () => plane.apply({ kind: 'install-policy', policy: policyFor(sender, { priority: 1 }) }, 10),
      () => plane.sealElsewhere(1, true, 10),
    ];
    const [first, second] = order === 'policy first' ? steps : steps.reverse();
    first?.();
    assert.deepEqual(drain(plane), [], order);
    second?.();
    assert.deepEqual(
      handedOver(drain(plane)),
      packets.map((packet) => [1, toHex(packet)]),
    );
    plane.sealElsewhere(1, false, 20);
    plane.sealElsewhere(1, true, 20);
    assert.deepEqual(drain(plane), [], 'they are kept no longer');
  }
});

test('packets that a trap holds are handed over even if the data plane has an SA of the pair', () => {
  const { sender } = flow();
  const plane = new MemoryDataPlane({ randomness: testRandomness });
  plane.apply({ kind: 'install-policy', policy: policyFor(sender, { action: 'trap' }) }, 0);
  plane.outbound(ipPacket(), 0);
  plane.apply({ kind: 'install', sa: sender }, 0);
  plane.sealElsewhere(1, true, 0);
  drain(plane);
  plane.apply({ kind: 'install-policy', policy: policyFor(sender) }, 0);
  assert.equal(handedOver(drain(plane)).length, 1);
});

test('what another data plane is handed can be sealed there', () => {
  const { sender, receiver } = hosts();
  const plane = reader();
  plane.sealElsewhere(1, true, 0);
  plane.outbound(ipPacket(), 0);
  for (const output of drain(plane)) {
    assert.ok(output.kind === 'hand-over');
    assert.equal(delivered(receive(receiver, seal(sender, output.packet), 0)).length, 1);
  }
});

test('packets that came before their SA are given to the data plane that gets it: these, in order, and only once', () => {
  const here = new MemoryDataPlane({ randomness: testRandomness });
  const { sender, receiver, receiverSa } = hosts({ encapsulated: true });
  const { sender: strange } = hosts({ spi: 0x7777 });
  const sent = [1, 2, 3].map((dataBytes) => seal(sender, ipPacket({ dataBytes })));
  for (const packet of [sent[0]!, seal(strange, ipPacket()), sent[1]!, sent[2]!]) receive(here, packet, 0);
  const pairThere = (protocol: SaProtocol, spi: number): number | undefined =>
    protocol === 'esp' && spi === receiverSa.spi ? receiverSa.childId : undefined;
  assert.deepEqual(here.takeEarly(400, pairThere), [], 'there is no policy that would let them in');
  here.apply({ kind: 'install-policy', policy: policyFor(flow().sender) }, 400);
  const early = here.takeEarly(500, pairThere).map(({ received }) => received);
  assert.deepEqual(
    early.map(({ protocol, octets, remote }) => [protocol, toHex(octets), remote]),
    sent.map(({ octets, local }) => ['udp', toHex(octets), local]),
  );
  for (const packet of early) receiver.inbound(packet, 500);
  assert.equal(delivered(drain(receiver)).length, 3);
  assert.deepEqual(here.takeEarly(500, pairThere), []);
  assert.equal(here.takeEarly(500, () => 1).length, 1, 'the stranger stays');
});

test('those that came too long ago are given to nobody', () => {
  const here = reader();
  receive(here, seal(hosts().sender, ipPacket()), 0);
  assert.deepEqual(
    here.takeEarly(1_000, () => 1),
    [],
  );
});
