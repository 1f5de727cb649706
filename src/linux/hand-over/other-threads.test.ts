// Two threads' knowledge of each other, over the same rings.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PacketSlot } from '#ipsec';
import { address, type Spi } from '#sa';
import { Wakeup } from '../libc/epoll.ts';
import { virtioNetHeaderBytes } from '../offload/virtio-net-header.ts';
import { isOutbound } from './hand-over-header.ts';
import { OtherThreads } from './other-threads.ts';
import { PacketRing } from './packet-ring.ts';

const spi = 1000 as Spi;
const peer = address('192.0.2.2');
const name = { protocol: 'esp', spi, childId: 7 } as const;

function two(): readonly [OtherThreads, OtherThreads] {
  const wakeFds = [new Wakeup().fd, new Wakeup().fd];
  const rings = wakeFds.map(() => wakeFds.map(() => new SharedArrayBuffer(PacketRing.bytes)));
  const [first, second] = wakeFds.map(
    (_, thread) =>
      new OtherThreads({ thread, wakeFds, to: rings[thread]!, from: rings.map((ring) => ring[thread]!) }),
  );
  return [first!, second!];
}

function taken(others: OtherThreads): string[] {
  const all: string[] = [];
  others.take(100, (header, octets, headerAt, packetAt, lengthBytes) => {
    const packet = [...octets.subarray(packetAt, packetAt + lengthBytes)].join(' ');
    if (isOutbound(octets, headerAt)) {
      all.push(`out ${packet}`);
      return;
    }
    const slot = new PacketSlot();
    header.read(octets, headerAt, slot);
    all.push(`in ${slot.protocol} ${slot.remote?.address} ${packet}`);
  });
  return all;
}

function inbound(): PacketSlot {
  const slot = new PacketSlot(Uint8Array.of(9, 1, 2, 3, 9), 1, 3);
  slot.local = { address: address('192.0.2.1'), port: 4500 };
  slot.remote = { address: peer, port: 4500 };
  slot.encapsulated = true;
  return slot;
}

test('what a read of the device left goes to the thread that seals for its pair, once one does', () => {
  const [first, second] = two();
  first.handOverOutbound(7, Uint8Array.of(9, 1, 2, 9), 1, 2);
  first.noteSealer(7, 1);
  first.handOverOutbound(7, Uint8Array.of(9, 3, 4, 9), 1, 2);
  first.handOverOutbound(8, Uint8Array.of(9, 5, 6, 9), 1, 2);
  assert.ok(second.hasMore);
  assert.deepEqual(taken(second), ['out 3 4']);
  assert.ok(!second.hasMore);
  first.noteSealer(7, undefined);
  first.handOverOutbound(7, Uint8Array.of(9, 1, 2, 9), 1, 2);
  assert.deepEqual(taken(second), []);
  assert.deepEqual(taken(first), []);
});

test('a packet alone gets a virtio header that says nothing', () => {
  const [first, second] = two();
  first.noteSealer(7, 1);
  first.handOverPacket(7, Uint8Array.of(5, 6));
  const header = Array.from({ length: virtioNetHeaderBytes }, () => 0);
  assert.deepEqual(taken(second), [`out ${[...header, 5, 6].join(' ')}`]);
});

test('an inbound packet goes to the thread that has its SA, with what its outer headers said, until that is gone', () => {
  const [first, second] = two();
  assert.equal(first.handOverInbound(spi, inbound()), false);
  first.noteReceiver(name, 1, peer);
  assert.deepEqual([first.receives('esp', spi), first.receives('ah', spi)], [true, false]);
  assert.equal(first.pairOf('esp', spi), 7);
  assert.deepEqual(
    [...first.inboundSas('esp')].map(({ remote }) => remote.address),
    [peer],
  );
  assert.equal(first.handOverInbound(spi, inbound()), true);
  assert.deepEqual(taken(second), ['in esp 192.0.2.2 1 2 3']);
  first.noteReceiver(name, 1, undefined);
  assert.equal(first.handOverInbound(spi, inbound()), false);
  assert.equal(first.receives('esp', spi), false);
});

test('what finds no room is counted', () => {
  const [first] = two();
  first.noteSealer(7, 1);
  const large = new Uint8Array(60_000);
  while (first.overflow === 0) first.handOverOutbound(7, large, 0, large.length);
  assert.equal(first.overflow, 1);
});
