// Sequence numbers are used and accepted only as far as a restart would know of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type SaCommand, type SequenceNumber, sequenceAfter, sequenceDistance } from '#sa';
import { readU32 } from '#wire';
import {
  delivered,
  drain,
  flow,
  ipPacket,
  policyFor,
  receive,
  testRandomness,
  transmitted,
} from '../testing/fixtures.ts';
import { craft, hosts, seal } from '../testing/hosts.ts';
import { MemoryDataPlane } from './memory-data-plane.ts';

const at = (low: number, high = 0): SequenceNumber => ({ high, low });

function extension(direction: 'inbound' | 'outbound', limit: SequenceNumber): SaCommand {
  return {
    kind: 'extend-reservation',
    protocol: 'esp',
    direction,
    spi: flow().sender.spi,
    childId: 1,
    limit,
  };
}

/** Sequence numbers that left, and the events meanwhile. */
function send(plane: MemoryDataPlane, count: number): { numbers: number[]; lows: number[] } {
  const numbers: number[] = [];
  const lows: number[] = [];
  for (let i = 0; i < count; i++) {
    plane.outbound(ipPacket(), i);
    for (const output of drain(plane)) {
      if (output.kind === 'transmit') numbers.push(readU32(output.octets, 4));
      if (output.kind === 'event' && output.event.kind === 'reservation-low')
        lows.push(output.event.last.low);
    }
  }
  return { numbers, lows };
}

test('an outbound SA asks for more at half of its reservation, stops at its end, and goes on when it is extended', () => {
  const { sender } = hosts({ more: { reservation: { last: at(0), limit: at(8) } } });
  assert.deepEqual(send(sender, 12), { numbers: [1, 2, 3, 4, 5, 6, 7, 8], lows: [5] });
  assert.equal(sender.stats().verdicts['unreserved'], 4);
  assert.deepEqual(sender.apply(extension('outbound', at(10)), 20), { ok: true });
  assert.deepEqual(send(sender, 4), { numbers: [9, 10], lows: [10] });
  // An older answer that comes late takes nothing back, and makes nobody ask again.
  assert.deepEqual(sender.apply(extension('outbound', at(9)), 30), { ok: true });
  assert.deepEqual(send(sender, 2), { numbers: [], lows: [] });
});

test('an SA that is told that its reservation stays asks again at half of what is left, and is never stuck', () => {
  const { sender } = hosts({ more: { reservation: { last: at(0), limit: at(64) } } });
  assert.deepEqual(send(sender, 40).lows, [33]);
  // The flow has become slow: its blocks shrink, but not below what was promised already.
  assert.deepEqual(sender.apply(extension('outbound', at(64)), 50), { ok: true });
  assert.deepEqual(send(sender, 20).lows, [53]);
  sender.apply(extension('outbound', at(64)), 60);
  assert.deepEqual(send(sender, 10), { numbers: [61, 62, 63, 64], lows: [63] });
  sender.apply(extension('outbound', at(80)), 70);
  assert.equal(send(sender, 4).numbers.length, 4);
});

test('an SA that is taken over sends nothing until its reservation is extended, and then behind what may have been used', () => {
  const { sender } = hosts({ more: { reservation: { last: at(4096), limit: at(4096) } } });
  assert.deepEqual(send(sender, 3), { numbers: [], lows: [] });
  sender.apply(extension('outbound', at(8192)), 5);
  assert.deepEqual(send(sender, 2).numbers, [4097, 4098]);
});

test('the last numbers that there are need no further reservation: the end is that of the SA', () => {
  const last = at(0xffff_fffc);
  const { sender } = hosts({ more: { reservation: { last, limit: at(0xffff_ffff) } } });
  const { numbers, lows } = send(sender, 6);
  assert.deepEqual(numbers, [0xffff_fffd, 0xffff_fffe, 0xffff_ffff]);
  assert.deepEqual(lows, []);
  assert.equal(sender.stats().verdicts['sequence-exhausted'], 3);
});

test('an inbound SA drops authentic packets beyond its reservation, asks once, and takes them when it is extended', () => {
  const { sender, receiver } = hosts();
  const { receiver: receiverSa } = flow({ more: { reservation: { last: at(0), limit: at(4) } } });
  receiver.apply(
    { kind: 'remove', protocol: 'esp', direction: 'inbound', spi: receiverSa.spi, childId: 1 },
    0,
  );
  receiver.apply({ kind: 'install', sa: receiverSa }, 0);
  const outcomes = Array.from({ length: 6 }, () => {
    const outputs = receive(receiver, seal(sender, ipPacket()), 1);
    const events = outputs.flatMap((output) =>
      output.kind === 'event' && output.event.kind === 'reservation-low' ? [output.event.last.low] : [],
    );
    return [delivered(outputs).length, ...events];
  });
  assert.deepEqual(outcomes, [[1], [1], [1, 3], [1], [0], [0]]);
  assert.deepEqual(receiver.apply(extension('inbound', at(16)), 2), { ok: true });
  // What was dropped was not marked as received.
  assert.equal(delivered(receive(receiver, seal(sender, ipPacket()), 3)).length, 1);
});

test('a forged packet beyond the reservation asks for nothing', () => {
  const { receiver: receiverSa } = flow({ more: { reservation: { last: at(0), limit: at(4) } } });
  const receiver = new MemoryDataPlane({ randomness: testRandomness });
  receiver.apply({ kind: 'install', sa: receiverSa }, 0);
  receiver.apply({ kind: 'install-policy', policy: policyFor(receiverSa) }, 0);
  const forged = craft(flow().sender, 4_000_000, new Uint8Array(44));
  forged.octets[20]! ^= 1;
  assert.deepEqual(receive(receiver, forged, 1), []);
});

test('an inbound SA that is taken over takes nothing that may have come before', () => {
  const { sender, receiver: receiverSa } = flow({ more: { reservation: { last: at(2), limit: at(64) } } });
  const receiver = new MemoryDataPlane({ randomness: testRandomness });
  receiver.apply({ kind: 'install', sa: receiverSa }, 0);
  receiver.apply({ kind: 'install-policy', policy: policyFor(receiverSa) }, 0);
  const peer = new MemoryDataPlane({ randomness: testRandomness });
  const { reservation: _, ...fresh } = sender;
  peer.apply({ kind: 'install', sa: fresh }, 0);
  peer.apply({ kind: 'install-policy', policy: policyFor(fresh) }, 0);
  const arrivals = [1, 2, 3].map(() => delivered(receive(receiver, seal(peer, ipPacket()), 1)).length);
  assert.deepEqual(arrivals, [0, 0, 1]);
});

test('extending an SA without a reservation, or one that is not there, is refused', () => {
  const { sender } = hosts();
  assert.equal(sender.apply(extension('outbound', at(9)), 0).ok, false);
  assert.deepEqual(sender.apply({ ...extension('outbound', at(9)), childId: 7 } as SaCommand, 0), {
    ok: false,
    code: 'missing',
    detail: 'the pair has no such outbound SA',
  });
});

test('for any crashes and any reservations no number is sent twice, and none beyond what was granted', () => {
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constant('send' as const), count: fc.integer({ min: 1, max: 20 }) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('extend' as const), count: fc.integer({ min: 1, max: 30 }) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const), count: fc.constant(0) }) },
  );
  const start = fc.constantFrom(at(0), at(0xffff_fff0), at(0xffff_fff0, 7));
  fc.assert(
    fc.property(start, fc.array(step, { maxLength: 40 }), (first, steps) => {
      const plane = (last: SequenceNumber): MemoryDataPlane => {
        const reservation = { last, limit: last };
        const { sender } = hosts({ esn: true, more: { reservation } });
        return sender;
      };
      let durable = first;
      let sender = plane(durable);
      let highest = 0;
      for (const { kind, count } of steps) {
        if (kind === 'crash') sender = plane(durable);
        if (kind === 'extend') {
          durable = sequenceAfter(durable, count, true);
          assert.ok(sender.apply(extension('outbound', durable), 0).ok);
        }
        if (kind !== 'send') continue;
        for (let i = 0; i < count; i++) {
          sender.outbound(ipPacket(), 0);
          for (const { octets } of transmitted(drain(sender))) {
            // The IV of a counter mode is the whole number.
            const used = at(readU32(octets, 12), readU32(octets, 8));
            const distance = sequenceDistance(first, used);
            assert.ok(distance > highest, `${distance} after ${highest}`);
            assert.ok(sequenceDistance(used, durable) >= 0);
            highest = distance;
          }
        }
      }
    }),
    { numRuns: 200 },
  );
});
