// Packets too large for the path, or too old: fragments before ESP, and ICMP errors to the source (RFC 4301 8).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address, type DataPlaneEvent, type SaParameters, type Spi } from '#sa';
import { decodeIcmpv4, decodeIcmpv6, decodeIp } from '#wire';
import type { TooBig } from '../path-mtus.ts';
import {
  delivered,
  drain,
  flow,
  ipPacket,
  policyFor,
  receive,
  testRandomness,
  toHex,
  transmitted,
} from '../testing/fixtures.ts';
import { hosts, seal } from '../testing/hosts.ts';
import { MemoryDataPlane } from './memory-data-plane.ts';

// RFC 4301 8.1, 8.2.1
test('an IPv4 packet with DF that does not fit is answered with the MTU that does', () => {
  for (const copyDf of [true, false]) {
    const { sender, receiver } = hosts({ more: { copyDf } }, { pathMtuBytes: 1300 });
    sender.outbound(ipPacket({ dataBytes: 1400, dontFragment: true }), 0);
    const outputs = drain(sender);
    assert.deepEqual(transmitted(outputs), []);
    const answer = decodeIp(delivered(outputs)[0]!);
    assert.deepEqual([toHex(answer.source), toHex(answer.destination)], ['0a020007', '0a010005']);
    const message = decodeIcmpv4(answer.payload);
    assert.ok(message.kind === 'fragmentation-needed');
    const mtuBytes = message.nextHopMtu;
    const fitting = seal(sender, ipPacket({ dataBytes: mtuBytes - 28, dontFragment: true }));
    assert.ok(fitting.octets.length + 20 <= 1300);
    assert.equal(fitting.dontFragment, copyDf);
    assert.equal(delivered(receive(receiver, fitting, 0)).length, 1);
    sender.outbound(ipPacket({ dataBytes: mtuBytes - 27, dontFragment: true }), 0);
    assert.equal(transmitted(drain(sender)).length, 0);
  }
});

test('an IPv6 packet that does not fit is answered, but 1280 octets always pass', () => {
  const v6 = { source: '2001:db8:1::5', destination: '2001:db8:2::7' };
  const { sender } = hosts({}, { pathMtuBytes: 1300 });
  sender.outbound(ipPacket({ ...v6, dataBytes: 1400 }), 0);
  const answer = decodeIp(delivered(drain(sender))[0]!);
  const message = decodeIcmpv6(answer.payload, answer);
  assert.ok(message.kind === 'packet-too-big');
  assert.equal(message.mtu, 1280);
  const sent = seal(sender, ipPacket({ ...v6, dataBytes: 1280 - 48 }));
  assert.equal(sent.dontFragment, false, 'the outer packet may be fragmented');
});

// RFC 4303 3.3.4
test('an IPv4 packet without DF is cut before ESP, and the pieces fit and are whole', () => {
  const { sender, receiver } = hosts({}, { pathMtuBytes: 800 });
  const packet = ipPacket({ dataBytes: 2000 });
  sender.outbound(packet, 0);
  const pieces = transmitted(drain(sender));
  assert.equal(pieces.length, 3);
  assert.ok(pieces.every((piece) => piece.octets.length + 20 <= 800));
  const payload = pieces.flatMap((piece) => {
    const fragment = decodeIp(delivered(receive(receiver, piece, 0))[0]!);
    assert.ok(fragment.version === 4);
    return [...fragment.payload];
  });
  assert.equal(toHex(Uint8Array.from(payload)), toHex(decodeIp(packet).payload));
});

test('under selectors with ports a packet is not cut, because its later fragments would match nothing', () => {
  const host = new MemoryDataPlane({ randomness: testRandomness, pathMtuBytes: 800 });
  const { sender } = flow();
  const remote = sender.selectors.remote.map((one) => ({ ...one, protocol: 17, startPort: 53, endPort: 53 }));
  const sa = { ...sender, selectors: { ...sender.selectors, remote } };
  host.apply({ kind: 'install', sa }, 0);
  host.apply({ kind: 'install-policy', policy: policyFor(sa) }, 0);
  const sent = seal(host, ipPacket({ dataBytes: 1000 }));
  assert.equal(sent.dontFragment, false);
});

const router = address('203.0.113.9');

/** What a router says of the packet with this number, which the sender has sent. */
function tooBig(sa: SaParameters, mtuBytes: number, more: Partial<TooBig> = {}): TooBig {
  return { from: router, protocol: 'esp', remote: sa.remote, spi: sa.spi, sequence: 1, mtuBytes, ...more };
}

function pathEvents(plane: MemoryDataPlane): Extract<DataPlaneEvent, { kind: 'path-mtu' }>[] {
  return drain(plane).flatMap((output) =>
    output.kind === 'event' && output.event.kind === 'path-mtu' ? [output.event] : [],
  );
}

/** The MTU that the source of a packet with DF is told; undefined if it is sent. */
function told(plane: MemoryDataPlane, dataBytes: number, at = 0): number | undefined {
  plane.outbound(ipPacket({ dataBytes, dontFragment: true }), at);
  const outputs = drain(plane);
  const [answer] = delivered(outputs);
  if (answer === undefined) {
    assert.equal(transmitted(outputs).length, 1);
    return undefined;
  }
  const message = decodeIcmpv4(decodeIp(answer).payload);
  assert.ok(message.kind === 'fragmentation-needed');
  return message.nextHopMtu;
}

// RFC 4301 8.2, 8.2.1
test('a router that quotes a packet just sent is believed: sources are told, and it is said why', () => {
  for (const [outer, encapsulated] of [
    [4, false],
    [4, true],
    [6, false],
    [6, true],
  ] as const) {
    const { sender, senderSa } = hosts({ outer, encapsulated });
    assert.equal(told(sender, 1350), undefined);
    assert.equal(sender.hearTooBig(tooBig(senderSa, 1300), 0), true);
    const [event, ...more] = pathEvents(sender);
    assert.deepEqual(more, []);
    const { innerMtuBytes, ...rest } = event!;
    const { protocol, spi, childId, remote } = senderSa;
    assert.deepEqual(rest, {
      ...{ kind: 'path-mtu', protocol, spi, childId, remote, from: router },
      ...{ pathMtuBytes: 1300, fragmentable: false },
    });
    assert.equal(told(sender, 1350), innerMtuBytes);
    const fitting = seal(sender, ipPacket({ dataBytes: innerMtuBytes! - 28, dontFragment: true }));
    const headers = (outer === 4 ? 20 : 40) + (encapsulated ? 8 : 0);
    assert.ok(fitting.octets.length + headers <= 1300 && fitting.octets.length + headers > 1296);
    assert.equal(fitting.dontFragment, true);
    assert.equal(told(sender, innerMtuBytes! - 27), innerMtuBytes);
    // Every large packet on its way brings the same answer: nothing more is to be said.
    assert.equal(sender.hearTooBig(tooBig(senderSa, 1300), 1), true);
    assert.equal(sender.hearTooBig(tooBig(senderSa, 1400), 1), true);
    assert.deepEqual(pathEvents(sender), []);
    assert.equal(told(sender, 1350), innerMtuBytes);
  }
});

test('whoever has not seen a packet sent lately does not make a path smaller, and nobody below what it must carry', () => {
  const { sender, senderSa } = hosts({ esn: true });
  const reservation = { last: { high: 0, low: 0xffff_fff0 }, limit: { high: 7, low: 0 } };
  const late = { ...senderSa, spi: 0xc0ffee02 as Spi, childId: 2, reservation };
  sender.apply({ kind: 'install', sa: late }, 0);
  seal(sender, ipPacket());
  const heard = (mtuBytes: number, more: Partial<TooBig>): boolean =>
    sender.hearTooBig(tooBig(senderSa, mtuBytes, more), 0);
  assert.equal(heard(600, { sequence: 0 }), true);
  assert.equal(heard(600, { sequence: 2 }), true);
  assert.equal(heard(600, { sequence: 0xffff_ffff }), true);
  assert.equal(heard(600, { spi: late.spi, sequence: 0xffff_fff0 - 2 ** 18 }), true);
  assert.equal(heard(600, { spi: 0xc0ffee03 }), false);
  assert.equal(heard(600, { protocol: 'ah' }), false);
  assert.equal(heard(600, { remote: address('198.51.100.77') }), false);
  assert.deepEqual(pathEvents(sender), []);
  assert.equal(told(sender, 1350), undefined);
  assert.equal(heard(68, { spi: late.spi, sequence: 0xffff_fff0 - 2 ** 18 + 1 }), true);
  const [event] = pathEvents(sender);
  assert.equal(event?.pathMtuBytes, 576);
  // It does not fit either, for all that we know.
  assert.equal(seal(sender, ipPacket({ dontFragment: true })).dontFragment, false);
});

test('IPv6 carries 1280 octets everywhere', () => {
  const { sender, senderSa } = hosts({ outer: 6 });
  seal(sender, ipPacket());
  sender.hearTooBig(tooBig(senderSa, 600), 0);
  assert.equal(pathEvents(sender)[0]?.pathMtuBytes, 1280);
});

test('a router that does not quote enough is believed so much: packets may be cut on their way', () => {
  for (const more of [{ spi: undefined, sequence: undefined }, { sequence: undefined }, { mtuBytes: 0 }]) {
    const { sender, senderSa } = hosts({ encapsulated: true });
    assert.equal(seal(sender, ipPacket({ dontFragment: true })).dontFragment, true);
    assert.equal(sender.hearTooBig(tooBig(senderSa, 600, more), 0), true);
    const [event, ...others] = pathEvents(sender);
    assert.deepEqual([event?.pathMtuBytes, event?.fragmentable, others], [undefined, true, []]);
    sender.hearTooBig(tooBig(senderSa, 600, more), 0);
    assert.deepEqual(pathEvents(sender), []);
    assert.equal(seal(sender, ipPacket({ dontFragment: true, dataBytes: 1300 })).dontFragment, false);
  }
});

// RFC 4301 8.2.2
test('what was learned of a path is tried again after ten minutes, and holds for later SAs to that peer until then', () => {
  const { sender, senderSa } = hosts();
  seal(sender, ipPacket());
  sender.hearTooBig(tooBig(senderSa, 1000), 5);
  const later = { ...flow({ spi: 0xc0ffee02 }).sender, generation: 1 };
  sender.apply({ kind: 'install', sa: later }, 6);
  sender.apply({ kind: 'use-outbound', protocol: 'esp', spi: later.spi, childId: 1 }, 7);
  assert.ok(told(sender, 1200, 8) !== undefined);
  const moved = { direction: 'outbound', protocol: 'esp', spi: later.spi, childId: 1 } as const;
  const ends = { local: { address: later.local, port: 0 }, encapsulated: false } as const;
  const elsewhere = { address: address('198.51.100.9'), port: 0 };
  sender.apply({ kind: 'update-addresses', ...moved, ...ends, remote: elsewhere }, 9);
  assert.equal(told(sender, 1200, 10), undefined, 'another path');
  sender.apply(
    { kind: 'update-addresses', ...moved, ...ends, remote: { address: later.remote, port: 0 } },
    11,
  );
  assert.ok(told(sender, 1200, 12) !== undefined);
  assert.equal(sender.deadline(), 600_005);
  sender.handleTimeout(600_004);
  assert.ok(told(sender, 1200, 600_004) !== undefined);
  sender.handleTimeout(600_005);
  assert.equal(told(sender, 1200, 600_005), undefined);
  assert.equal(sender.deadline(), undefined);
});

test('this host is believed about its own device, of whatever SA', () => {
  const { sender, senderSa } = hosts();
  const more = { from: undefined, spi: undefined, sequence: undefined };
  assert.equal(sender.hearTooBig(tooBig(senderSa, 1400, more), 0), true);
  const [event] = pathEvents(sender);
  assert.deepEqual([event?.pathMtuBytes, event?.fragmentable, event?.from], [1400, false, undefined]);
  assert.equal(told(sender, 1350), event?.innerMtuBytes);
});

test('what another data plane has learned counts, if an SA leads there', () => {
  const { sender, senderSa } = hosts();
  const path = { pathMtuBytes: 1000, fragmentable: false };
  sender.learnPath(address('198.51.100.77'), path, 0);
  assert.equal(sender.deadline(), undefined);
  sender.learnPath(senderSa.remote, path, 0);
  assert.ok(told(sender, 1200) !== undefined);
  assert.deepEqual(pathEvents(sender), []);
});

test('ICMP errors are limited by the second and never answer ICMP errors', () => {
  const { sender } = hosts({}, { pathMtuBytes: 600, icmpErrorsPerSecondMax: 3 });
  const large = { dataBytes: 700, dontFragment: true };
  for (let i = 0; i < 10; i++) sender.outbound(ipPacket({ ...large, source: `10.1.0.${i}` }), i);
  assert.equal(drain(sender).length, 3);
  sender.outbound(ipPacket(large), 1000);
  assert.equal(drain(sender).length, 1);
  sender.outbound(ipPacket({ ...large, protocol: 1, sourcePort: 0x0304 }), 2000);
  assert.equal(drain(sender).length, 0);
  sender.outbound(ipPacket({ ...large, protocol: 1, sourcePort: 0x0800 }), 2000);
  assert.equal(drain(sender).length, 1);
});

test('a source that does not listen keeps no other from hearing that its packets are too large', () => {
  for (const [version, large] of [
    [4, (host: number) => ipPacket({ source: `10.1.0.${host}`, dataBytes: 1400, dontFragment: true })],
    [
      6,
      (host: number) =>
        ipPacket({ source: `2001:db8:1::${host}`, destination: '2001:db8:2::7', dataBytes: 1400 }),
    ],
  ] as const) {
    const { sender } = hosts({}, { pathMtuBytes: 1300 });
    for (let i = 0; i < 500; i++) sender.outbound(large(1), i / 5);
    const told = new Set<string>();
    // Each sends what a window of TCP is, at once, and all of them within a second.
    for (let host = 2; host < 99; host++)
      for (let i = 0; i < 45; i++) sender.outbound(large(host), 100 + 9 * host);
    for (const octets of delivered(drain(sender))) told.add(toHex(decodeIp(octets).destination));
    assert.equal(told.size, 98, `IPv${version}`);
  }
});

test('a source is told again if it goes on, and of every destination', () => {
  const { sender } = hosts({}, { pathMtuBytes: 1300 });
  const large = { dataBytes: 1400, dontFragment: true };
  const answers = (at: number, destination = '10.2.0.7'): number => {
    for (let i = 0; i < 45; i++) sender.outbound(ipPacket({ ...large, destination }), at);
    return drain(sender).length;
  };
  assert.deepEqual([answers(0), answers(50), answers(50, '10.2.0.8')], [4, 0, 4]);
  assert.deepEqual([answers(150), answers(150, '10.2.0.8')], [4, 4]);
});

// RFC 4301 5.1.1
test('a discarded packet is answered only where the host is configured to', () => {
  const v6 = { source: '2001:db8:1::5', destination: '2001:db8:2::7' };
  for (const answerDiscarded of [false, true]) {
    const { sender } = hosts({}, { answerDiscarded }, { action: 'discard' });
    sender.outbound(ipPacket(), 0);
    sender.outbound(ipPacket(v6), 0);
    const answers = delivered(drain(sender)).map((octets) => decodeIp(octets));
    const messages = answers.map((answer) =>
      answer.version === 4 ? decodeIcmpv4(answer.payload) : decodeIcmpv6(answer.payload, answer),
    );
    assert.deepEqual(
      messages.map((message) => message.kind === 'destination-unreachable' && message.code),
      answerDiscarded ? [13, 1] : [],
    );
  }
});

test('a packet whose hops end at the tunnel is answered and not sent', () => {
  const { sender } = hosts({}, { decrementHopLimit: true });
  sender.outbound(ipPacket({ hopLimit: 1 }), 0);
  const outputs = drain(sender);
  assert.deepEqual(transmitted(outputs), []);
  assert.equal(decodeIcmpv4(decodeIp(delivered(outputs)[0]!).payload).kind, 'time-exceeded');
});
