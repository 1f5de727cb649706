// Batches in the caller's buffers against packets one by one: the same octets, the same events.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { packetCipher } from '#crypto';
import { decapsulationHeadroomBytes, encapsulationHeadroomBytes, PacketSlot } from '../packet-slot.ts';
import {
  delivered,
  drain,
  eventsOf,
  flow,
  ipPacket,
  policyFor,
  receiverOuter,
  senderOuter,
  testRandomness,
  toHex,
  transmitted,
} from '../testing/fixtures.ts';
import { hosts } from '../testing/hosts.ts';
import { Verdict } from '../verdicts.ts';
import { MemoryDataPlane } from './memory-data-plane.ts';

/** Slots one behind the other in one buffer. */
function slotsOf(packets: readonly Uint8Array[], headroomBytes: number, strideBytes: number): PacketSlot[] {
  const arena = new Uint8Array(packets.length * strideBytes);
  return packets.map((packet, i) => {
    const start = i * strideBytes + headroomBytes;
    arena.set(packet, start);
    return new PacketSlot(arena, start, packet.length);
  });
}

const packets = [0, 1, 99, 400].map((dataBytes) => ipPacket({ dataBytes }));

test('a batch is sealed and opened in place as the packets would be one by one', () => {
  const one = hosts();
  const batch = hosts();
  const expected = packets.flatMap((packet) => {
    one.sender.outbound(packet, 0);
    return transmitted(drain(one.sender)).map(({ octets }) => toHex(octets));
  });
  const slots = slotsOf(packets, encapsulationHeadroomBytes, 2048);
  batch.sender.outboundBatch(slots, slots.length, 0);
  assert.deepEqual(
    slots.map((slot) => [slot.verdict, toHex(slot.octets)]),
    expected.map((octets) => [Verdict.SEALED, octets]),
  );
  assert.deepEqual(drain(batch.sender), []);

  const received = slotsOf(
    slots.map((slot) => slot.octets),
    decapsulationHeadroomBytes,
    1024,
  );
  for (const slot of received) {
    slot.local = { address: receiverOuter[4], port: 0 };
    slot.remote = { address: senderOuter[4], port: 0 };
  }
  batch.receiver.inboundBatch(received, received.length, 0);
  assert.deepEqual(
    received.map((slot) => toHex(slot.octets)),
    packets.map(toHex),
  );
  assert.deepEqual(eventsOf(drain(batch.receiver)), ['first-inbound']);
});

test('what a batch does not seal comes out of poll, and does not change with the buffer', () => {
  const { sender, senderSa } = hosts();
  const bypass = policyFor(flow({ childId: 9, receiverSide: ['10.9.0.0/16'] }).sender, { action: 'bypass' });
  sender.apply({ kind: 'install-policy', policy: { ...bypass, priority: 1 } }, 0);
  const trap = policyFor(flow({ childId: 8, receiverSide: ['10.8.0.0/16'] }).sender, { action: 'trap' });
  sender.apply({ kind: 'install-policy', policy: { ...trap, priority: 1 } }, 0);
  const mixed = [
    ipPacket(),
    ipPacket({ destination: '10.9.0.1' }),
    ipPacket({ destination: '10.8.0.1' }),
    ipPacket({ dataBytes: 1600, dontFragment: true }),
    ipPacket({ dataBytes: 1600 }),
  ];
  const slots = slotsOf(mixed, encapsulationHeadroomBytes, 2048);
  sender.outboundBatch(slots, slots.length, 0);
  slots[0]!.buffer.fill(0);
  const outputs = drain(sender);
  assert.deepEqual(
    outputs.map((output) => (output.kind === 'event' ? output.event.kind : output.kind)),
    ['bypass', 'acquire', 'deliver', 'transmit', 'transmit'],
  );
  const [passed] = outputs;
  assert.ok(passed?.kind === 'bypass');
  assert.equal(toHex(passed.packet), toHex(mixed[1]!));
  assert.equal(sender.counters('esp', 'outbound', senderSa.spi)?.packets, 3);
});

test('an unknown SPI in a batch is evidence like any other', () => {
  const { sender } = hosts();
  const { receiver } = hosts({ spi: 0x4444 });
  sender.outbound(ipPacket(), 0);
  const [sent] = transmitted(drain(sender));
  const [slot] = slotsOf([sent!.octets], decapsulationHeadroomBytes, 1024);
  slot!.local = { address: receiverOuter[4], port: 0 };
  slot!.remote = { address: senderOuter[4], port: 0 };
  receiver.inboundBatch([slot!], 1, 0);
  const [output] = drain(receiver);
  assert.ok(output?.kind === 'event' && output.event.kind === 'unknown-spi');
  assert.equal(output.event.evidence.lengthBytes, sent!.octets.length);
  assert.deepEqual(delivered([output]), []);
});

test('SAs take their ciphers from the factory that the data plane is given', () => {
  const made: number[] = [];
  const plane = new MemoryDataPlane({
    randomness: testRandomness,
    makeCipher: (keys) => {
      made.push(keys.encryption!.id);
      return packetCipher(keys);
    },
  });
  const { sender, receiver } = flow();
  plane.apply({ kind: 'install', sa: sender }, 0);
  plane.apply({ kind: 'install', sa: receiver }, 0);
  assert.deepEqual(made, [sender.encryption!.id, sender.encryption!.id]);
});
