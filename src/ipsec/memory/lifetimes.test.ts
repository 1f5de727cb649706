// Soft and hard lifetimes by packets, bytes and time (RFC 4301 4.4.2.1).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { delivered, drain, eventsOf, flow, ipPacket, receive, transmitted } from '../testing/fixtures.ts';
import { hosts, seal } from '../testing/hosts.ts';

test('lifetimes by packets: soft is reported once, hard ends the SA', () => {
  const { sender } = hosts({ more: { lifetimes: { softPackets: 2, hardPackets: 4 } } });
  const events: string[][] = [];
  let sent = 0;
  for (let i = 0; i < 6; i++) {
    sender.outbound(ipPacket(), i);
    const outputs = drain(sender);
    events.push(eventsOf(outputs));
    sent += transmitted(outputs).length;
  }
  assert.deepEqual(events, [[], ['soft-expired'], [], ['hard-expired'], [], []]);
  assert.equal(sent, 4);
  assert.equal(sender.stats().verdicts['expired'], 2);
  assert.deepEqual(
    [
      sender.counters('esp', 'outbound', 0xc0ffee01)?.packets,
      sender.counters('esp', 'outbound', 0xc0ffee01)?.lastUsedAt,
    ],
    [4, 3],
  );
});

test('lifetimes by bytes: no packet goes beyond the hard limit, on either side', () => {
  const packet = ipPacket({ dataBytes: 72 });
  assert.equal(packet.length, 100);
  const { sender, receiver, receiverSa } = hosts();
  const limited = {
    ...flow({ spi: 0x7000, childId: 7 }).receiver,
    lifetimes: { softBytes: 150, hardBytes: 250 },
  };
  receiver.apply(
    { kind: 'remove', protocol: 'esp', direction: 'inbound', spi: receiverSa.spi, childId: 1 },
    0,
  );
  receiver.apply({ kind: 'install', sa: { ...limited, spi: receiverSa.spi, childId: 1 } }, 0);
  const events = [1, 2, 3, 4].map((at) => {
    const outputs = receive(receiver, seal(sender, packet), at);
    return [delivered(outputs).length, ...eventsOf(outputs)];
  });
  assert.deepEqual(events, [[1, 'first-inbound'], [1, 'soft-expired'], [0, 'hard-expired'], [0]]);
  assert.equal(receiver.counters('esp', 'inbound', receiverSa.spi)?.bytes, 200);
});

test('lifetimes by time: the deadline tells when, and the SA is dead afterwards', () => {
  const { sender, senderSa } = hosts({ more: { lifetimes: { hardTimeMs: 5000 } } });
  assert.equal(sender.deadline(), 5000);
  sender.handleTimeout(4999);
  assert.deepEqual(drain(sender), []);
  sender.handleTimeout(5000);
  const event = {
    kind: 'hard-expired',
    protocol: 'esp',
    direction: 'outbound',
    spi: senderSa.spi,
    childId: 1,
  };
  assert.deepEqual(drain(sender), [{ kind: 'event', event }]);
  assert.equal(sender.deadline(), undefined);
  sender.outbound(ipPacket(), 5001);
  assert.deepEqual(drain(sender), []);
});

test('given two SAs, the deadline moves on to the second when the first has ended', () => {
  const { sender } = hosts({ more: { lifetimes: { hardTimeMs: 5000 } } });
  const later = flow({ spi: 0x5000, childId: 2, more: { lifetimes: { hardTimeMs: 9000 } } });
  sender.apply({ kind: 'install', sa: later.sender }, 0);
  sender.handleTimeout(5000);
  assert.deepEqual(eventsOf(drain(sender)), ['hard-expired']);
  assert.equal(sender.deadline(), 9000);
  sender.handleTimeout(9000);
  assert.deepEqual(eventsOf(drain(sender)), ['hard-expired']);
});

test('a late timeout is no excuse: a packet after the hard lifetime is refused and reports it', () => {
  const { sender } = hosts({ more: { lifetimes: { hardTimeMs: 5000 } } });
  sender.outbound(ipPacket(), 5000);
  assert.deepEqual(eventsOf(drain(sender)), ['hard-expired']);
});
