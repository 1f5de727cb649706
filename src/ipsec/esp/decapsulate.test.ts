// What an authentic packet must still be refused for (RFC 4303 2.4-2.7, RFC 4301 5.2), and what headers tell.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address, type SaParameters } from '#sa';
import { decodeIp, IpProtocol, internetChecksum, transportChecksum } from '#wire';
import {
  delivered,
  eventsOf,
  flow,
  ipPacket,
  policyFor,
  receive,
  receiverOuter,
  senderOuter,
  type Transmit,
  toHex,
} from '../testing/fixtures.ts';
import { craft, type Hosts, hosts, seal } from '../testing/hosts.ts';

/** The verdict on one packet, by name. */
function verdictOn({ receiver }: Hosts, packet: Transmit, more: Parameters<typeof receive>[3] = {}): string {
  const before = receiver.stats().verdicts;
  receive(receiver, packet, 0, more);
  const after = receiver.stats().verdicts;
  const changed = Object.keys(after).filter((name) => after[name] !== before[name]);
  assert.equal(changed.length, 1);
  return changed[0]!;
}

function textOf(payload: Uint8Array, padding: readonly number[], nextHeader: number): Uint8Array {
  return Uint8Array.of(...payload, ...padding, padding.length, nextHeader);
}

// 28 octets: padding of 2 aligns it to four.
const packet = ipPacket({ dataBytes: 0 });

// RFC 4303 2.4, 2.5
test('padding must count 1, 2, 3 and must fit', () => {
  const pair = hosts();
  const sa = pair.receiverSa;
  assert.equal(verdictOn(pair, craft(sa, 1, textOf(packet, [1, 2], 4))), 'opened');
  assert.equal(verdictOn(pair, craft(sa, 2, textOf(packet, [0, 0], 4))), 'bad-padding');
  assert.equal(verdictOn(pair, craft(sa, 3, textOf(packet, [2, 1], 4))), 'bad-padding');
  const tooLong = textOf(packet, [1, 2], 4);
  tooLong[tooLong.length - 2] = 255;
  assert.equal(verdictOn(pair, craft(sa, 4, tooLong)), 'bad-padding');
  assert.equal(verdictOn(pair, craft(sa, 5, textOf(packet, [1, 2, 3, 4, 5, 6], 4))), 'opened');
  assert.equal(pair.receiver.counters('esp', 'inbound', sa.spi)?.malformed, 3);
});

// RFC 4303 2.6
test('dummy packets are discarded without being called malformed', () => {
  const pair = hosts();
  const text = textOf(Uint8Array.of(9, 9, 9, 9), [1, 2], IpProtocol.NO_NEXT_HEADER);
  assert.equal(verdictOn(pair, craft(pair.receiverSa, 1, text)), 'dummy');
  assert.equal(pair.receiver.counters('esp', 'inbound', pair.receiverSa.spi)?.malformed, 0);
});

test('text that is not aligned to four octets is refused before anything else', () => {
  const pair = hosts();
  assert.equal(verdictOn(pair, craft(pair.receiverSa, 1, textOf(packet, [1], 4))), 'bad-length');
});

// RFC 4303 2.6
test('the next header must be that of the inner packet', () => {
  const pair = hosts();
  const sa = pair.receiverSa;
  assert.equal(verdictOn(pair, craft(sa, 1, textOf(packet, [1, 2], IpProtocol.IPV6))), 'bad-inner');
  assert.equal(verdictOn(pair, craft(sa, 2, textOf(packet, [1, 2], IpProtocol.UDP))), 'bad-inner');
  const noIp = new Uint8Array(30).fill(0xff);
  assert.equal(verdictOn(pair, craft(sa, 3, textOf(noIp, [], 4))), 'bad-inner');
  const longer = packet.slice();
  longer[3] = 200;
  assert.equal(verdictOn(pair, craft(sa, 4, textOf(longer, [1, 2], 4))), 'bad-inner');
});

// RFC 4301 5.2
test('an inner packet outside the selectors is refused, whichever end lies', () => {
  const pair = hosts();
  const sa = pair.receiverSa;
  const from = ipPacket({ dataBytes: 0, source: '10.3.0.1' });
  const to = ipPacket({ dataBytes: 0, destination: '10.3.0.1' });
  const reversed = ipPacket({ dataBytes: 0, source: '10.2.0.7', destination: '10.1.0.5' });
  assert.equal(verdictOn(pair, craft(sa, 1, textOf(from, [1, 2], 4))), 'outside-selectors');
  assert.equal(verdictOn(pair, craft(sa, 2, textOf(to, [1, 2], 4))), 'outside-selectors');
  assert.equal(verdictOn(pair, craft(sa, 3, textOf(reversed, [1, 2], 4))), 'outside-selectors');
});

// RFC 4301 7.1
test('a later fragment passes an SA that ignores ports, and not one that looks at them', () => {
  const fragment = ipPacket({ dataBytes: 0, fragmentOffset: 800 });
  const open = hosts();
  assert.equal(verdictOn(open, craft(open.receiverSa, 1, textOf(fragment, [1, 2], 4))), 'opened');
  const narrow = (sa: SaParameters): SaParameters => ({
    ...sa,
    selectors: {
      local: sa.selectors.local.map((one) => ({ ...one, protocol: 17, startPort: 53, endPort: 53 })),
      remote: sa.selectors.remote.map((one) => ({ ...one, protocol: 17 })),
    },
  });
  const pair = hosts();
  const { receiver: sa } = flow({ spi: 0x2000, childId: 2 });
  pair.receiver.apply({ kind: 'install', sa: narrow(sa) }, 0);
  pair.receiver.apply({ kind: 'install-policy', policy: policyFor(sa) }, 0);
  assert.equal(verdictOn(pair, craft(sa, 1, textOf(packet, [1, 2], 4))), 'opened');
  assert.equal(verdictOn(pair, craft(sa, 2, textOf(fragment, [1, 2], 4))), 'outside-selectors');
});

test('without a protect policy of the pair, or behind a discard policy, nothing is delivered', () => {
  const pair = hosts();
  const sa = pair.receiverSa;
  const discard = { policyId: 50, action: 'discard', priority: 1 } as const;
  pair.receiver.apply({ kind: 'install-policy', policy: policyFor(sa, discard) }, 0);
  assert.equal(verdictOn(pair, craft(sa, 1, textOf(packet, [1, 2], 4))), 'no-policy');
  pair.receiver.apply({ kind: 'remove-policy', policyId: 50 }, 0);
  assert.equal(verdictOn(pair, craft(sa, 2, textOf(packet, [1, 2], 4))), 'opened');
  pair.receiver.apply({ kind: 'remove-policy', policyId: sa.childId }, 0);
  assert.equal(verdictOn(pair, craft(sa, 3, textOf(packet, [1, 2], 4))), 'no-policy');
});

// RFC 7296 2.24, RFC 4301 5.1.2
test('the inner ECN field follows RFC 6040 figure 4', () => {
  // [inner, outer] -> inner afterwards; undefined is a drop. 0 not capable, 2 ECT(0), 1 ECT(1), 3 congestion.
  const table: readonly (readonly [number, number, number | undefined])[] = [
    [0, 0, 0],
    [0, 2, 0],
    [0, 1, 0],
    [0, 3, undefined],
    [2, 0, 2],
    [2, 2, 2],
    [2, 1, 1],
    [2, 3, 3],
    [1, 0, 1],
    [1, 2, 1],
    [1, 1, 1],
    [1, 3, 3],
    [3, 0, 3],
    [3, 2, 3],
    [3, 1, 3],
    [3, 3, 3],
  ];
  for (const source of ['10.1.0.5', '2001:db8:1::5']) {
    const destination = source.includes(':') ? '2001:db8:2::7' : '10.2.0.7';
    const pair = hosts();
    for (const [inner, outer, expected] of table) {
      const sent = seal(pair.sender, ipPacket({ source, destination, trafficClass: 0x28 | inner }));
      assert.equal(sent.trafficClass & 3, inner, 'the outer header starts with the inner field');
      const [arrived] = delivered(receive(pair.receiver, sent, 0, { trafficClass: outer }));
      // decodeIp verifies the header checksum.
      const read = arrived === undefined ? undefined : decodeIp(arrived);
      assert.equal(read?.ecn, expected);
      if (read !== undefined) assert.equal(read.dscp, 0x28 >>> 2);
    }
  }
});

// RFC 4301 5.1.2.1
test('DSCP is copied out, in, both ways or not at all', () => {
  for (const [copyDscp, outer, inner] of [
    ['out', 10, 10],
    ['in', 0, 46],
    ['yes', 10, 46],
    ['no', 0, 10],
  ] as const) {
    const pair = hosts({ more: { copyDscp } });
    const sent = seal(pair.sender, ipPacket({ trafficClass: 10 << 2 }));
    assert.equal(sent.trafficClass >>> 2, outer);
    const [arrived] = delivered(receive(pair.receiver, sent, 0, { trafficClass: 46 << 2 }));
    assert.equal(decodeIp(arrived!).dscp, inner);
  }
});

test('the hop limit shrinks at entry and exit only where the data plane forwards', () => {
  for (const [decrementHopLimit, expected] of [
    [false, 60],
    [true, 58],
  ] as const) {
    for (const source of ['10.1.0.5', '2001:db8:1::5']) {
      const destination = source.includes(':') ? '2001:db8:2::7' : '10.2.0.7';
      const pair = hosts({}, { decrementHopLimit });
      const sent = seal(pair.sender, ipPacket({ source, destination, hopLimit: 60 }));
      const read = decodeIp(delivered(receive(pair.receiver, sent, 0))[0]!);
      assert.equal(read.version === 4 ? read.timeToLive : read.hopLimit, expected);
    }
  }
});

test('a packet whose hops end at the exit is not delivered', () => {
  const pair = hosts({}, { decrementHopLimit: true });
  // 2 at the source, 1 within the tunnel.
  assert.equal(verdictOn(pair, seal(pair.sender, ipPacket({ hopLimit: 2 }))), 'hop-limit');
  assert.equal(verdictOn(pair, seal(pair.sender, ipPacket({ hopLimit: 3 }))), 'opened');
});

// RFC 4303 3.3.4
test('a fragment inside transport mode is refused', () => {
  const pair = hosts({ mode: 'transport', outer: 6 });
  // Next header UDP, offset 8 octets, more fragments; then data and padding up to a multiple of four.
  const fragment = Uint8Array.of(IpProtocol.UDP, 0, 0, 9, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8);
  const text = textOf(fragment, [1, 2], IpProtocol.FRAGMENT);
  assert.equal(verdictOn(pair, craft(pair.receiverSa, 1, text)), 'bad-inner');
});

// RFC 3948 3.1.2, 3.3
test('transport mode behind a NAT: the transport checksum is made to fit the addresses seen', () => {
  for (const protocol of [IpProtocol.UDP, IpProtocol.TCP]) {
    const pair = hosts({
      mode: 'transport',
      encapsulated: true,
      receiverSide: ['198.51.100.2'],
    });
    const translated = address('203.0.113.77');
    // The receiver's SA knows the sender by its translated address.
    const { receiver: sa } = flow({
      mode: 'transport',
      encapsulated: true,
      senderSide: ['203.0.113.77'],
      spi: 0x3000,
      childId: 3,
      more: { replayWindow: 32 },
    });
    const received = { ...sa, remote: translated };
    pair.receiver.apply({ kind: 'install', sa: received }, 0);
    pair.receiver.apply({ kind: 'install-policy', policy: policyFor(received) }, 0);
    const { sender } = flow({ mode: 'transport', encapsulated: true, spi: 0x3000, childId: 3 });
    pair.sender.apply({ kind: 'install', sa: sender }, 0);
    pair.sender.apply({ kind: 'install-policy', policy: policyFor(sender, { priority: 1 }) }, 0);
    const packet = ipPacket({
      source: senderOuter[4],
      destination: receiverOuter[4],
      protocol,
      dataBytes: 24,
    });
    const sent = seal(pair.sender, packet);
    const [arrived] = delivered(
      receive(pair.receiver, sent, 0, { remote: { address: translated, port: 61001 } }),
    );
    const read = decodeIp(arrived!);
    assert.equal(transportChecksum(read, protocol, read.payload), 0);
    assert.notEqual(transportChecksum(decodeIp(packet), protocol, read.payload), 0);
  }
});

// RFC 4303 2.7
test('a UDP packet in transport mode may be followed by TFC padding', () => {
  const pair = hosts({ mode: 'transport' });
  const datagram = decodeIp(
    ipPacket({ source: senderOuter[4], destination: receiverOuter[4], dataBytes: 4 }),
  ).payload;
  const padded = Uint8Array.of(...datagram, ...new Uint8Array(16));
  const sent = craft(pair.receiverSa, 1, textOf(padded, [1, 2], IpProtocol.UDP));
  const [arrived] = delivered(receive(pair.receiver, sent, 0));
  assert.equal(toHex(decodeIp(arrived!).payload), toHex(datagram));
  assert.equal(internetChecksum(arrived!, 0, 20), 0);
});

test('a UDP length that cannot be is left for the receiver of the packet to refuse', () => {
  const pair = hosts({ mode: 'transport' });
  const datagram = Uint8Array.of(4, 0, 0, 53, 0, 3, 0, 0, 9, 9);
  const sent = craft(pair.receiverSa, 1, textOf(datagram, [], IpProtocol.UDP));
  const [arrived] = delivered(receive(pair.receiver, sent, 0));
  assert.equal(toHex(decodeIp(arrived!).payload), toHex(datagram));
});

test('the first authentic packet is reported once, a forged or repeated one never', () => {
  const pair = hosts();
  const sent = seal(pair.sender, ipPacket());
  const forged = { ...sent, octets: sent.octets.map((octet, i) => (i > 20 ? octet ^ 1 : octet)) };
  assert.deepEqual(eventsOf(receive(pair.receiver, forged, 0)), []);
  assert.deepEqual(eventsOf(receive(pair.receiver, sent, 0)), ['first-inbound']);
  assert.deepEqual(eventsOf(receive(pair.receiver, sent, 0)), []);
  assert.deepEqual(eventsOf(receive(pair.receiver, seal(pair.sender, ipPacket()), 0)), []);
});
