// vici messages, packets and frames: round trips, the protocol's own example, and everything that is none.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { WireError, type WireErrorCode } from '../error.ts';
import { assertRefusesEveryPrefix, assertTotal } from '../testing/total-decoding.ts';
import { ViciFrameReader } from './frame-reader.ts';
import { viciDepthMax, viciPacketLengthMax } from './limits.ts';
import {
  decodeViciMessage,
  encodeViciMessage,
  octetsOfViciItem,
  type ViciMessage,
  viciText,
} from './message.ts';
import { decodeViciPacket, encodeViciFrame, encodeViciPacket, type ViciPacket } from './packet.ts';
import { viciMessages, viciPackets } from './testing/arbitraries.ts';

const latin1 = (text: string): number[] => [...Buffer.from(text, 'latin1')];
const named = (type: number, name: string): number[] => [type, name.length, ...latin1(name)];
const keyValue = (name: string, value: string): number[] => [
  ...named(3, name),
  0,
  value.length,
  ...latin1(value),
];

/** The tree that the protocol's documentation spells out in octets. */
const example: ViciMessage = {
  key1: 'value1',
  section1: { 'sub-section': { key2: 'value2' }, list1: ['item1', 'item2'] },
};
const exampleOctets = Uint8Array.from([
  ...keyValue('key1', 'value1'),
  ...named(1, 'section1'),
  ...named(1, 'sub-section'),
  ...keyValue('key2', 'value2'),
  2,
  ...named(4, 'list1'),
  ...[5, 0, 5, ...latin1('item1')],
  ...[5, 0, 5, ...latin1('item2')],
  6,
  2,
]);

function refuses(octets: readonly number[], code: WireErrorCode): void {
  assert.throws(
    () => decodeViciMessage(Uint8Array.from(octets)),
    (error) => error instanceof WireError && error.code === code,
  );
}

test('the example of the protocol, both ways', () => {
  assert.deepEqual(decodeViciMessage(exampleOctets), example);
  assert.deepEqual(encodeViciMessage(example), exampleOctets);
});

test('decode(encode(message)) is the message, whatever its names', () => {
  fc.assert(
    fc.property(viciMessages, (message) => {
      assert.deepEqual(decodeViciMessage(encodeViciMessage(message)), message);
    }),
  );
});

test('names of the language are names like any other', () => {
  const message = decodeViciMessage(Uint8Array.from(keyValue('__proto__', 'x')));
  assert.deepEqual(Object.entries(message), [['__proto__', 'x']]);
  assert.equal(viciText(message, '__proto__'), 'x');
  assert.equal(viciText(message, 'toString'), undefined);
  assert.equal(Object.getPrototypeOf(message), Object.prototype);
});

test('decode(encode(packet)) is the packet', () => {
  fc.assert(
    fc.property(viciPackets, (packet) => {
      assert.deepEqual(decodeViciPacket(encodeViciPacket(packet)), packet);
    }),
  );
});

test('octets are text only where they can be nothing else', () => {
  const der = Uint8Array.of(0x30, 0x2e, 0x02, 0x01, 0x00);
  const message = { text: 'a\tb\r\nc', empty: '', der, list: [der, 'x'] };
  assert.deepEqual(decodeViciMessage(encodeViciMessage(message)), message);
  assert.deepEqual(octetsOfViciItem('ä'), Uint8Array.of(0xc3, 0xa4));
  assert.deepEqual(octetsOfViciItem(der), der);
});

test('a repeated name keeps its last value', () => {
  const twice = Uint8Array.from([...keyValue('a', '1'), ...keyValue('b', '2'), ...keyValue('a', '3')]);
  assert.deepEqual(decodeViciMessage(twice), { a: '3', b: '2' });
});

test('elements out of place', () => {
  refuses([2], 'value');
  refuses([5, 0, 1, 0x61], 'value');
  refuses([6], 'value');
  refuses([0], 'value');
  refuses([7], 'value');
  refuses([...named(4, 'list'), ...keyValue('key', 'value'), 6], 'value');
  refuses([...named(4, 'list'), ...named(4, 'inner'), 6, 6], 'value');
  refuses(named(1, 'open'), 'truncated');
  refuses(named(4, 'open'), 'truncated');
  refuses([3, 1, 0x00, 0, 0], 'value');
  refuses([3, 1, 0xff, 0, 0], 'value');
  refuses([3, 1, 0x61, 0xff, 0xff, 0x61], 'truncated');
});

test('nesting has an end, both ways', () => {
  const nested = (levels: number): ViciMessage => (levels === 0 ? {} : { a: nested(levels - 1) });
  const deepest = encodeViciMessage(nested(viciDepthMax));
  assert.deepEqual(decodeViciMessage(deepest), nested(viciDepthMax));
  refuses([...named(1, 'a'), ...deepest, 2], 'limit');
  refuses(Array.from({ length: 60_000 }, () => named(1, 'a')).flat(), 'limit');
  assert.throws(() => encodeViciMessage(nested(viciDepthMax + 1)), WireError);
});

test('what does not fit its length field is not written', () => {
  assert.throws(() => encodeViciMessage({ ['x'.repeat(256)]: '' }), WireError);
  assert.throws(() => encodeViciMessage({ 'a\u0000b': '' }), WireError);
  assert.throws(() => encodeViciMessage({ x: 'x'.repeat(65_536) }), WireError);
  const item = 'x'.repeat(60_000);
  const message = { list: Array.from({ length: 9 }, () => item) };
  assert.throws(() => encodeViciFrame({ kind: 'command-response', message }), WireError);
});

test('a packet cut anywhere is refused', () => {
  const message = { section: { list: ['item', 'item'] } };
  // A message may end after any element of its outermost section: here there is one.
  for (const packet of [
    { kind: 'command-request', name: 'load-conn', message },
    { kind: 'event-register', name: 'log' },
    { kind: 'event-unregister', name: 'log' },
    { kind: 'event-confirm' },
    { kind: 'event-unknown' },
    { kind: 'command-unknown' },
  ] satisfies ViciPacket[]) {
    const octets = encodeViciPacket(packet);
    if (packet.kind !== 'command-request') assertRefusesEveryPrefix(decodeViciPacket, octets);
    else {
      const headerLength = 2 + packet.name.length;
      for (let length = 0; length < octets.length; length++) {
        const cut = (): ViciPacket => decodeViciPacket(octets.slice(0, length));
        if (length === headerLength) assert.deepEqual(cut(), { ...packet, message: {} });
        else assert.throws(cut, WireError, `${length} octets`);
      }
    }
  }
});

test('types that are none, and octets behind a packet', () => {
  for (const octets of [[8], [255], [5, 0], [2, 1], [3, 1, 0x61, 0x61]]) {
    assert.throws(() => decodeViciPacket(Uint8Array.from(octets)), WireError);
  }
});

test('any octets lead to a packet or a WireError', () => {
  assertTotal(decodeViciPacket, viciPackets.map(encodeViciPacket));
});

test('a stream torn anywhere gives the same packets', () => {
  fc.assert(
    fc.property(
      fc.array(viciPackets, { minLength: 1, maxLength: 4 }),
      fc.array(fc.nat(), { maxLength: 10 }),
      (packets, cuts) => {
        const stream = Buffer.concat(packets.map((packet) => encodeViciFrame(packet)));
        const reader = new ViciFrameReader();
        const read: ViciPacket[] = [];
        const places = [0, ...cuts.map((cut) => cut % (stream.length + 1)), stream.length].sort(
          (a, b) => a - b,
        );
        for (let i = 1; i < places.length; i++) {
          reader.push(stream.subarray(places[i - 1], places[i]));
          for (let packet = reader.next(); packet !== undefined; packet = reader.next()) read.push(packet);
        }
        assert.deepEqual(read, packets);
        assert.equal(reader.waiting, 0);
      },
    ),
  );
});

test('a frame that is too long is refused by its length, a bad packet alone by itself', () => {
  const reader = new ViciFrameReader();
  reader.push(Uint8Array.of(0, 0, 0, 1, 99, 0, 0, 0, 0));
  assert.throws(() => reader.next(), WireError);
  assert.throws(() => reader.next(), WireError);
  assert.equal(reader.next(), undefined);
  reader.push(encodeViciFrame({ kind: 'event-confirm' }));
  assert.deepEqual(reader.next(), { kind: 'event-confirm' });

  const header = new Uint8Array(4);
  new DataView(header.buffer).setUint32(0, viciPacketLengthMax);
  reader.push(header);
  assert.equal(reader.next(), undefined);
  new DataView(header.buffer).setUint32(0, viciPacketLengthMax + 1);
  const other = new ViciFrameReader();
  other.push(header);
  assert.throws(
    () => other.next(),
    (error) => error instanceof WireError && error.code === 'limit',
  );
});
