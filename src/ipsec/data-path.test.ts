import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DataPath } from './data-path.ts';
import {
  decapsulationHeadroomBytes,
  encapsulationHeadroomBytes,
  encapsulationTailroomBytes,
  PacketSlot,
} from './packet-slot.ts';
import { Spd } from './policy/spd.ts';
import { Sad } from './sad.ts';
import { InboundSa, OutboundSa } from './security-association.ts';
import {
  type FlowOptions,
  flow,
  ipPacket,
  policyFor,
  testRandomness,
  testSuites,
  toHex,
} from './testing/fixtures.ts';
import { Verdict, verdictNames } from './verdicts.ts';

function pathWith(options: FlowOptions, last?: { high: number; low: number }): DataPath {
  const { sender, receiver } = flow(options);
  const sad = new Sad();
  const spd = new Spd();
  sad.addOutbound(new OutboundSa(sender, 0, { last }));
  sad.addInbound(new InboundSa(receiver, 0, { last }));
  spd.install(policyFor(sender));
  spd.install(policyFor(receiver, { policyId: 2 }));
  return new DataPath(sad, spd, { randomness: testRandomness });
}

function slotFor(packet: Uint8Array): PacketSlot {
  const slot = new PacketSlot(
    new Uint8Array(encapsulationHeadroomBytes + packet.length + encapsulationTailroomBytes),
    encapsulationHeadroomBytes,
    packet.length,
  );
  slot.buffer.set(packet, encapsulationHeadroomBytes);
  return slot;
}

test('a batch gets one verdict per packet, and one bad packet does not touch the others', () => {
  const path = pathWith({});
  const packets = [
    ipPacket({ dataBytes: 1 }),
    Uint8Array.of(1, 2, 3),
    ipPacket({ destination: '10.9.9.9' }),
    ipPacket({ dataBytes: 500 }),
  ];
  const slots = packets.map(slotFor);
  path.encapsulate(slots, 0);
  assert.deepEqual(
    slots.map((slot) => verdictNames[slot.verdict]),
    ['sealed', 'malformed', 'no-policy', 'sealed'],
  );
  const back = [slots[0]!, slots[3]!].map((slot) => {
    const again = new PacketSlot(new Uint8Array(1000), decapsulationHeadroomBytes, slot.length);
    again.buffer.set(slot.octets, decapsulationHeadroomBytes);
    return again;
  });
  path.decapsulate(back, 0);
  assert.deepEqual(
    back.map((slot) => [slot.verdict, toHex(slot.octets)]),
    [
      [Verdict.OPENED, toHex(packets[0]!)],
      [Verdict.OPENED, toHex(packets[3]!)],
    ],
  );
});

test('only the first packets of a batch are looked at when told so', () => {
  const path = pathWith({});
  const slots = [ipPacket(), ipPacket()].map(slotFor);
  path.encapsulate(slots, 0, 1);
  assert.equal(path.verdictCounts()['sealed'], 1);
});

// RFC 4303 2.2, 3.3.3
test('the last sequence number is used, and then no more, with one report', () => {
  for (const [esn, last] of [
    [false, { high: 0, low: 0xffff_fffe }],
    [true, { high: 0xffff_ffff, low: 0xffff_fffe }],
  ] as const) {
    const path = pathWith({ esn }, last);
    const slots = [1, 2, 3].map(() => slotFor(ipPacket()));
    path.encapsulate(slots, 0);
    assert.deepEqual(
      slots.map((slot) => slot.verdict),
      [Verdict.SEALED, Verdict.SEQUENCE_EXHAUSTED, Verdict.SEQUENCE_EXHAUSTED],
    );
    assert.equal(path.takeEvent()?.kind, 'sequence-exhausted');
    assert.equal(path.takeEvent(), undefined);
  }
});

// RFC 4303 2.2.1
test('with ESN, packets are sealed and opened across 2^32, in and out of order', () => {
  for (const suite of [testSuites[0]!, testSuites[9]!]) {
    const path = pathWith({ esn: true, suite }, { high: 0, low: 0xffff_fff0 });
    const sealed = Array.from({ length: 32 }, () => {
      const slot = slotFor(ipPacket());
      path.encapsulate([slot], 0);
      assert.equal(slot.verdict, Verdict.SEALED);
      return slot.octets.slice();
    });
    const order = [20, 3, 4, 31, 0, 1, 2, 19, 30];
    for (const [turn, i] of [...order, ...order].entries()) {
      const slot = new PacketSlot(sealed[i]!.slice(), 0, sealed[i]!.length);
      path.decapsulate([slot], 0);
      assert.equal(slot.verdict, turn < order.length ? Verdict.OPENED : Verdict.REPLAYED);
    }
  }
});

test('a buffer without enough room is refused, not overrun', () => {
  const path = pathWith({});
  const packet = ipPacket();
  const noHeadroom = new PacketSlot(new Uint8Array(200), 0, packet.length);
  noHeadroom.buffer.set(packet);
  const noTailroom = new PacketSlot(new Uint8Array(24 + packet.length), 24, packet.length);
  noTailroom.buffer.set(packet, 24);
  path.encapsulate([noHeadroom, noTailroom], 0);
  assert.deepEqual([noHeadroom.verdict, noTailroom.verdict], [Verdict.NO_ROOM, Verdict.NO_ROOM]);
  const sealed = slotFor(packet);
  path.encapsulate([sealed], 0);
  assert.equal(sealed.octets[7], 1, 'no sequence number was spent on them');
});

test('octets around a packet do not matter and stay untouched', () => {
  const path = pathWith({});
  const packet = ipPacket({ dataBytes: 30 });
  const slot = new PacketSlot(new Uint8Array(400).fill(0xee), 100, packet.length + 40);
  slot.buffer.set(packet, 100);
  path.encapsulate([slot], 0);
  assert.equal(slot.verdict, Verdict.SEALED);
  assert.ok(slot.buffer.subarray(0, slot.start).every((octet) => octet === 0xee));
  assert.ok(slot.buffer.subarray(slot.start + slot.length).every((octet) => octet === 0xee));
});

test('TFC padding is zero, whatever the buffer held before', () => {
  const readable = testSuites.find((suite) => suite.name.startsWith('NULL-'))!;
  const path = pathWith({ suite: readable, more: { tfcPadding: 300 } });
  const packet = ipPacket({ dataBytes: 30 });
  const slot = new PacketSlot(new Uint8Array(600).fill(0xee), 100, packet.length);
  slot.buffer.set(packet, 100);
  path.encapsulate([slot], 0);
  assert.equal(slot.verdict, Verdict.SEALED);
  assert.deepEqual(slot.octets.subarray(8 + packet.length, 8 + 300), new Uint8Array(300 - packet.length));
});

test('no octets make the data path throw', () => {
  const path = pathWith({});
  const sealed = slotFor(ipPacket({ dataBytes: 60 }));
  path.encapsulate([sealed], 0);
  const plain = ipPacket({ dataBytes: 60 });
  const mutated = (octets: Uint8Array): fc.Arbitrary<Uint8Array> =>
    fc
      .tuple(
        fc.array(fc.tuple(fc.nat(octets.length - 1), fc.nat(255)), { maxLength: 6 }),
        fc.nat(octets.length),
      )
      .map(([changes, length]) => {
        const copy = octets.slice();
        for (const [at, value] of changes) copy[at] = value;
        return copy.slice(0, length);
      });
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 120 }),
    mutated(plain),
    mutated(sealed.octets.slice()),
  );
  fc.assert(
    fc.property(anything, fc.boolean(), (octets, encapsulated) => {
      const outbound = slotFor(octets);
      const inbound = slotFor(octets);
      inbound.encapsulated = encapsulated;
      path.encapsulate([outbound], 0);
      path.decapsulate([inbound], 0);
      const unprotected = slotFor(octets);
      path.admitUnprotected([unprotected]);
      for (const slot of [outbound, inbound, unprotected])
        assert.ok(verdictNames[slot.verdict] !== undefined);
    }),
    { numRuns: 3000 },
  );
});
