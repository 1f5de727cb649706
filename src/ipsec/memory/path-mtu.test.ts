// Packets too large for the path, or too old: fragments before ESP, and ICMP errors to the source (RFC 4301 8).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeIcmpv4, decodeIcmpv6, decodeIp } from '#wire';
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

test('what is known of a path counts for the SAs to that peer', () => {
  const { sender, senderSa } = hosts();
  sender.setPathMtu(senderSa.remote, 1000);
  sender.outbound(ipPacket({ dataBytes: 1200, dontFragment: true }), 0);
  assert.equal(sender.stats().verdicts['too-big'], 1);
});

test('ICMP errors are limited by the second and never answer ICMP errors', () => {
  const { sender } = hosts({}, { pathMtuBytes: 600, icmpErrorsPerSecondMax: 3 });
  const large = { dataBytes: 700, dontFragment: true };
  for (let i = 0; i < 10; i++) sender.outbound(ipPacket(large), i);
  assert.equal(drain(sender).length, 3);
  sender.outbound(ipPacket(large), 1000);
  assert.equal(drain(sender).length, 1);
  sender.outbound(ipPacket({ ...large, protocol: 1, sourcePort: 0x0304 }), 2000);
  assert.equal(drain(sender).length, 0);
  sender.outbound(ipPacket({ ...large, protocol: 1, sourcePort: 0x0800 }), 2000);
  assert.equal(drain(sender).length, 1);
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
