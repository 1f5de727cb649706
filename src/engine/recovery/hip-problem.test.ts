// HIP packets that are wrong in themselves, or about no association: what ICMP says about them (RFC 7401 5.4).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isPuzzleSolved } from '#crypto';
import type { HipPath } from '#hip';
import { address, addressBytes } from '#sa';
import {
  decodeIcmpv4,
  decodeIcmpv6,
  encodeHipPacket,
  HipPacketType,
  hipUdpPort,
  writeHipChecksum,
} from '#wire';
import { type HipEngine, HipEngines, identities } from '../hip/testing/hip-engines.ts';

const hits = { moon: identities.moon.identity.hit, sun: identities.sun.identity.hit };
const four = ['192.0.2.2', '192.0.2.77'] as const;
const six = ['2001:db8::2', '2001:db8::77'] as const;

function pathOf([local, remote]: readonly [string, string], port = 0): HipPath {
  return { local: { address: address(local), port }, remote: { address: address(remote), port } };
}

function packet(packetType: number, change: (octets: Uint8Array) => void = () => undefined): Uint8Array {
  const octets = encodeHipPacket({
    header: { packetType, anonymous: false, sender: hits.moon, receiver: hits.sun },
    parameters: [
      { type: 'SEQ', updateId: 1 },
      { type: 'ECHO_REQUEST_SIGNED', data: new Uint8Array(60) },
    ],
  });
  change(octets);
  return octets;
}

function versionOne(octets: Uint8Array): void {
  octets[3] = 0x11;
}

function started(policy: 'silent' | 'helpful' = 'helpful'): { hosts: HipEngines; sun: HipEngine } {
  const hosts = new HipEngines({ connections: [], unknownSpi: { policy, reestablish: false } }).start();
  return { hosts, sun: hosts.sun };
}

function give(sun: HipEngine, at: number, path: HipPath, octets: Uint8Array): void {
  const source = addressBytes(path.remote.address);
  const destination = addressBytes(path.local.address);
  const sent = octets.slice();
  if (path.remote.port === 0) writeHipChecksum(sent, { source, destination });
  sun.give(at, { kind: 'hip-packet', path, octets: sent });
}

function outcomes({ events }: HipEngine): string[] {
  return events.flatMap((event) =>
    event.kind === 'hip-problem' ? [`${event.reason} ${event.outcome}`] : [],
  );
}

describe('a HIP packet', () => {
  // RFC 7401 5.4.1
  test('of another version is answered by a Parameter Problem that points at the version', () => {
    const { sun } = started();
    const octets = packet(HipPacketType.I1, versionOne);
    give(sun, 0, pathOf(four), octets);
    give(sun, 0, pathOf(six), octets);
    give(sun, 0, pathOf(['192.0.2.2', '192.0.2.78'], hipUdpPort), octets);
    const [first, second, third] = sun.icmp;
    const inIp = decodeIcmpv4(first!.octets);
    assert.ok(inIp.kind === 'parameter-problem');
    assert.deepEqual([inIp.pointer, inIp.quoted[20 + 3]], [20 + 3, 0x11]);
    assert.equal(first!.remote, address('192.0.2.77'));
    const inIpv6 = decodeIcmpv6(second!.octets, {
      source: addressBytes(address('2001:db8::2')),
      destination: addressBytes(address('2001:db8::77')),
    });
    assert.ok(inIpv6.kind === 'parameter-problem');
    assert.deepEqual([inIpv6.pointer, inIpv6.quoted[40 + 3]], [40 + 3, 0x11]);
    // Behind UDP's header and four zeros.
    const inUdp = decodeIcmpv4(third!.octets);
    assert.ok(inUdp.kind === 'parameter-problem');
    assert.deepEqual([inUdp.pointer, inUdp.quoted[32 + 3]], [32 + 3, 0x11]);
    // Behind an IP header of the same length each.
    for (const [message, inUdpBytes] of [
      [first, 0],
      [second, 0],
      [third, 12],
    ] as const)
      assert.ok(message!.octets.length <= octets.length + inUdpBytes, 'more goes out than came in');
  });

  // RFC 7401 5.4.2
  test('that is malformed is answered where an association would be needed, and never with a wrong checksum', () => {
    const { sun } = started();
    const short = (octets: Uint8Array): void => {
      octets[43] = 200;
    };
    for (const type of [HipPacketType.I1, HipPacketType.R1, HipPacketType.I2, HipPacketType.NOTIFY])
      give(sun, 0, pathOf(four), packet(type, short));
    assert.deepEqual(sun.icmp, []);
    sun.give(0, { kind: 'hip-packet', path: pathOf(four), octets: packet(HipPacketType.UPDATE, versionOne) });
    assert.deepEqual(sun.icmp, []);
    give(sun, 0, pathOf(four), packet(HipPacketType.UPDATE, short));
    assert.deepEqual(outcomes(sun), ['malformed sent']);
  });

  // RFC 7401 5.4.4
  test('about an association that there is not is answered, pointing at the HIT', () => {
    const { sun } = started();
    for (const type of [HipPacketType.UPDATE, HipPacketType.CLOSE]) give(sun, 0, pathOf(four), packet(type));
    const messages = sun.icmp.map(({ octets }) => decodeIcmpv4(octets));
    assert.deepEqual(
      messages.map((message) => message.kind === 'parameter-problem' && message.pointer),
      [28, 28],
    );
    give(sun, 0, pathOf(four), packet(HipPacketType.NOTIFY));
    give(sun, 0, pathOf(four), packet(HipPacketType.R2));
    assert.equal(sun.icmp.length, 2);
  });

  test('is answered no more often than unknown SPIs are, and never to nobody', () => {
    const { sun } = started();
    for (let times = 0; times < 100; times++) give(sun, 0, pathOf(four), packet(HipPacketType.UPDATE));
    assert.equal(sun.icmp.length, 8);
    assert.ok(outcomes(sun).includes('no-association source-rate'));
    for (const nobody of ['224.0.0.1', '192.0.2.2', '127.0.0.1'])
      give(sun, 0, pathOf(['192.0.2.2', nobody]), packet(HipPacketType.UPDATE));
    assert.equal(sun.icmp.length, 8);
  });

  test('is not answered by a host that answers nobody', () => {
    const { sun } = started('silent');
    give(sun, 0, pathOf(four), packet(HipPacketType.UPDATE));
    assert.deepEqual(sun.icmp, []);
    assert.deepEqual(outcomes(sun), ['no-association nothing-to-send']);
  });
});

// RFC 7401 5.4.3
test('a wrong solution of a puzzle is pointed at', () => {
  const { hosts, sun } = started();
  const { moon } = hosts;
  moon.give(0, { kind: 'command', id: 1, command: { kind: 'hip-associate', peer: 'sun' } });
  const deliver = (from: HipEngine, to: HipEngine, change = (_: Uint8Array): void => undefined): void => {
    const sent = from.sent.shift()!;
    assert.ok(sent.kind === 'hip-transmit');
    const path = { local: sent.path.remote, remote: sent.path.local };
    const octets = sent.octets.slice();
    change(octets);
    give(to, 0, path, octets);
  };
  deliver(moon, sun);
  deliver(sun, moon);
  // Behind header, ESP_INFO and R1_COUNTER: SOLUTION with its four octets and #I.
  const solutionAt = 40 + 16 + 16 + 4 + 4 + 48;
  deliver(moon, sun, (octets) => {
    const puzzle = {
      initiator: hits.moon,
      responder: hits.sun,
      random: octets.slice(solutionAt - 48, solutionAt),
      difficulty: 4,
    };
    const solution = octets.subarray(solutionAt, solutionAt + 48);
    assert.ok(isPuzzleSolved(puzzle, solution));
    while (isPuzzleSolved(puzzle, solution)) solution[47] = solution[47]! + 1;
  });
  assert.deepEqual(outcomes(sun), ['puzzle sent']);
  const message = decodeIcmpv4(sun.icmp[0]!.octets);
  assert.ok(message.kind === 'parameter-problem');
  assert.equal(message.pointer, 20 + solutionAt);
});
