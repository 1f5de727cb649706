// From frames of every supported link type to the packet in them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WireError } from '../error.ts';
import { LinkType, locateIpPacket } from './link-type.ts';

function frame(length: number, at: number, ...octets: number[]): Uint8Array {
  const result = new Uint8Array(length);
  result.set(octets, at);
  return result;
}

test('Ethernet with no, one and two VLAN tags', () => {
  assert.equal(locateIpPacket(LinkType.ETHERNET, frame(60, 12, 0x08, 0x00)), 14);
  assert.equal(locateIpPacket(LinkType.ETHERNET, frame(60, 12, 0x86, 0xdd)), 14);
  assert.equal(locateIpPacket(LinkType.ETHERNET, frame(60, 12, 0x81, 0x00, 0, 7, 0x08, 0x00)), 18);
  const double = frame(60, 12, 0x88, 0xa8, 0, 7, 0x81, 0x00, 0, 8, 0x86, 0xdd);
  assert.equal(locateIpPacket(LinkType.ETHERNET, double), 22);
});

test('frames of other protocols hold no IP packet', () => {
  assert.equal(locateIpPacket(LinkType.ETHERNET, frame(60, 12, 0x08, 0x06)), undefined);
  assert.equal(locateIpPacket(LinkType.LINUX_SLL, frame(60, 14, 0x08, 0x06)), undefined);
  assert.equal(locateIpPacket(LinkType.LINUX_SLL2, frame(60, 0, 0x08, 0x06)), undefined);
  assert.equal(locateIpPacket(LinkType.NULL, frame(60, 0, 7, 0, 0, 0)), undefined);
});

test('loopback families in either byte order', () => {
  for (const family of [2, 10, 24, 28, 30]) {
    assert.equal(locateIpPacket(LinkType.NULL, frame(24, 0, family, 0, 0, 0)), 4);
    assert.equal(locateIpPacket(LinkType.NULL, frame(24, 0, 0, 0, 0, family)), 4);
    assert.equal(locateIpPacket(LinkType.LOOP, frame(24, 0, 0, 0, 0, family)), 4);
  }
  assert.equal(locateIpPacket(LinkType.LOOP, frame(24, 0, 2, 0, 0, 0)), undefined);
});

test('PPP alone and over Ethernet', () => {
  assert.equal(locateIpPacket(LinkType.PPP, frame(60, 0, 0xff, 0x03, 0x00, 0x21)), 4);
  assert.equal(locateIpPacket(LinkType.PPP, frame(60, 0, 0x00, 0x57)), 2);
  const session = frame(60, 12, 0x88, 0x64, 0x11, 0, 0, 1, 0, 40, 0x00, 0x21);
  assert.equal(locateIpPacket(LinkType.ETHERNET, session), 22);
  assert.equal(
    locateIpPacket(LinkType.ETHERNET, frame(60, 12, 0x88, 0x64, 0x11, 0, 0, 1, 0, 40, 0xc0, 0x21)),
    undefined,
  );
});

test('raw packets begin at once', () => {
  for (const linkType of [
    LinkType.RAW,
    LinkType.RAW_FREEBSD,
    LinkType.RAW_OPENBSD,
    LinkType.IPV4,
    LinkType.IPV6,
  ]) {
    assert.equal(locateIpPacket(linkType, new Uint8Array()), 0);
  }
});

test('a frame that ends inside its header, endless tags and unknown link types are refused', () => {
  const whole: [number, Uint8Array, number][] = [
    [LinkType.ETHERNET, frame(18, 12, 0x81, 0x00, 0, 7, 0x08, 0x00), 18],
    [LinkType.LINUX_SLL, frame(16, 14, 0x08, 0x00), 16],
    [LinkType.LINUX_SLL2, frame(20, 0, 0x08, 0x00), 20],
    [LinkType.NULL, frame(4, 0, 2), 4],
  ];
  for (const [linkType, octets, offset] of whole) {
    assert.equal(locateIpPacket(linkType, octets), offset);
    for (let length = 0; length < offset; length++) {
      assert.throws(() => locateIpPacket(linkType, octets.subarray(0, length)), WireError);
    }
  }
  const tags = new Uint8Array(100).fill(0x81, 12);
  for (let at = 13; at < 100; at += 2) tags[at] = 0;
  assert.throws(
    () => locateIpPacket(LinkType.ETHERNET, tags),
    (error) => error instanceof WireError && error.code === 'limit',
  );
  assert.throws(() => locateIpPacket(9999, new Uint8Array(100)), WireError);
});
