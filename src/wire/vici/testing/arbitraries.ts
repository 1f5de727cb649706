// Arbitrary vici packets for property tests.
import fc from 'fast-check';
import type { ViciItem, ViciMessage } from '../message.ts';
import type { ViciPacket } from '../packet.ts';

const names: fc.Arbitrary<string> = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.constantFrom('__proto__', 'constructor', '0', '12', 'child-sas', 'größe', ''),
);

/** Text that is read as text, and octets that are not. */
const items: fc.Arbitrary<ViciItem> = fc.oneof(
  names,
  fc.constantFrom('10.1.0.0/16', 'line one\nline two\ttab\r', ''),
  fc.uint8Array({ maxLength: 30 }).map((octets) => Uint8Array.of(0xff, ...octets)),
  fc.constant(new Uint8Array(300)),
);

const { message } = fc.letrec<{ value: ViciMessage[string]; message: ViciMessage }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    items,
    fc.array(items, { maxLength: 4 }),
    tie('message'),
  ),
  message: fc
    .uniqueArray(fc.tuple(names, tie('value')), { maxLength: 5, selector: ([name]) => name })
    .map((entries): ViciMessage => Object.fromEntries(entries)),
}));

export const viciMessages: fc.Arbitrary<ViciMessage> = message;

export const viciPackets: fc.Arbitrary<ViciPacket> = fc.oneof(
  fc.tuple(names, message).map(([name, m]): ViciPacket => ({ kind: 'command-request', name, message: m })),
  message.map((m): ViciPacket => ({ kind: 'command-response', message: m })),
  fc.tuple(names, message).map(([name, m]): ViciPacket => ({ kind: 'event', name, message: m })),
  names.map((name): ViciPacket => ({ kind: 'event-register', name })),
  names.map((name): ViciPacket => ({ kind: 'event-unregister', name })),
  fc.constantFrom<ViciPacket>(
    { kind: 'command-unknown' },
    { kind: 'event-confirm' },
    { kind: 'event-unknown' },
  ),
);
