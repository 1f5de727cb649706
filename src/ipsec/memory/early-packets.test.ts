// A packet that overtook the answer from which its keys follow is not lost.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  delivered,
  drain,
  eventsOf,
  type FlowOptions,
  ipPacket,
  policyFor,
  receive,
  receiverOuter,
  senderOuter,
  type Transmit,
  testRandomness,
  testSuites,
} from '../testing/fixtures.ts';
import { hosts, seal } from '../testing/hosts.ts';
import type { DataPlaneOutput } from './interface.ts';
import { MemoryDataPlane } from './memory-data-plane.ts';

interface Early {
  readonly packets: readonly Transmit[];
  readonly receiver: MemoryDataPlane;
  /** Installs what the packets belong to. */
  readonly install: (at: number, order?: 'policy first') => readonly DataPlaneOutput[];
}

function early(count: number, options: FlowOptions = {}): Early {
  const { sender, receiverSa } = hosts(options);
  const inner = options.mode === 'transport' ? { source: senderOuter[4], destination: receiverOuter[4] } : {};
  const packets = Array.from({ length: count }, () => seal(sender, ipPacket(inner)));
  const receiver = new MemoryDataPlane({ randomness: testRandomness });
  const sa = { kind: 'install', sa: receiverSa } as const;
  const policy = { kind: 'install-policy', policy: policyFor(receiverSa) } as const;
  return {
    packets,
    receiver,
    install: (at, order) => {
      for (const command of order === undefined ? [sa, policy] : [policy, sa]) {
        assert.deepEqual(receiver.apply(command, at), { ok: true });
      }
      return drain(receiver);
    },
  };
}

const flows: Record<string, FlowOptions> = {
  'ESP in UDP': { encapsulated: true },
  'ESP over IPv6': { outer: 6 },
  'transport mode': { mode: 'transport' },
  CBC: { suite: testSuites.find(({ name }) => name.startsWith('AES_CBC'))! },
};

for (const [name, options] of Object.entries(flows)) {
  test(`packets that come before their SA are delivered when it and its policy stand: ${name}`, () => {
    for (const order of [undefined, 'policy first'] as const) {
      const { packets, receiver, install } = early(3, options);
      for (const packet of packets) assert.deepEqual(delivered(receive(receiver, packet, 10)), []);
      const outputs = install(900, order);
      assert.equal(delivered(outputs).length, 3);
      assert.deepEqual(eventsOf(outputs), ['first-inbound']);
      assert.deepEqual(delivered(receive(receiver, packets[0]!, 901)), [], 'a repetition stays one');
    }
  });
}

test('they are still evidence of an unknown SPI', () => {
  const { packets, receiver } = early(1);
  assert.deepEqual(eventsOf(receive(receiver, packets[0]!, 0)), ['unknown-spi']);
});

test('after a second they are forgotten', () => {
  const { packets, receiver, install } = early(1);
  receive(receiver, packets[0]!, 0);
  assert.deepEqual(delivered(install(1_000)), []);
});

test('others do not bring them back, and too many push out the oldest', () => {
  const { packets, receiver, install } = early(17);
  for (const packet of packets) receive(receiver, packet, 0);
  const other = hosts({ spi: 0x7777 });
  receiver.apply({ kind: 'install', sa: other.receiverSa }, 1);
  assert.deepEqual(delivered(drain(receiver)), []);
  const octets = delivered(install(2));
  assert.equal(octets.length, 16);
});

test('what is not authentic is not delivered late either', () => {
  const { packets, receiver, install } = early(1);
  const octets = packets[0]!.octets.slice();
  octets[30] = octets[30]! ^ 1;
  receive(receiver, { ...packets[0]!, octets }, 0);
  assert.deepEqual(delivered(install(1)), []);
  assert.equal(receiver.stats().verdicts['not-authentic'], 1);
});
