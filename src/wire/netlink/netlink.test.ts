// Netlink: round trips, what a kernel really says, lengths that lie and truncation.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { WireError } from '../error.ts';
import { assertRefusesEveryPrefix, assertTotal } from '../testing/total-decoding.ts';
import { Writer } from '../writer.ts';
import {
  decodeNetlinkAttributes,
  decodeNetlinkText,
  decodeNetlinkU32,
  netlinkText,
  netlinkU32,
  writeNestedNetlinkAttribute,
  writeNetlinkAttribute,
} from './attribute.ts';
import { decodeNetlinkMessages, encodeNetlinkMessage, NetlinkFlag, type NetlinkMessage } from './message.ts';
import { decodeNetlinkOutcome } from './outcome.ts';
import { netlinkAttributes, netlinkMessages } from './testing/arbitraries.ts';
import {
  acknowledgement,
  dumpedAddress,
  endOfDump,
  explainedError,
  explainedErrorCapped,
  plainError,
} from './testing/kernel-messages.ts';

const joined = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
const only = (octets: Uint8Array): NetlinkMessage => decodeNetlinkMessages(octets)[0]!;
const outcome = (octets: Uint8Array) => decodeNetlinkOutcome(only(octets));
const ENODEV = 19;

test('messages of one datagram are read as they were written', () => {
  fc.assert(
    fc.property(fc.array(netlinkMessages, { minLength: 1, maxLength: 4 }), (messages) => {
      const octets = joined(...messages.map(encodeNetlinkMessage));
      assert.equal(octets.length % 4, 0);
      assert.deepEqual(decodeNetlinkMessages(octets), messages);
    }),
  );
});

test('attributes are read as they were written, nested ones too', () => {
  fc.assert(
    fc.property(fc.array(netlinkAttributes, { maxLength: 4 }), fc.nat(0x3fff), (attributes, type) => {
      const writer = new Writer();
      writeNestedNetlinkAttribute(writer, type, attributes);
      const [nested] = decodeNetlinkAttributes(writer.finish());
      assert.equal(nested?.type, type);
      assert.deepEqual(decodeNetlinkAttributes(nested.payload), attributes);
    }),
  );
});

test('numbers and text of attributes are in host order and end with a zero', () => {
  assert.deepEqual(netlinkU32(0x0102_0304), Uint8Array.of(4, 3, 2, 1));
  assert.equal(decodeNetlinkU32(netlinkU32(0xffff_fffe)), 0xffff_fffe);
  assert.deepEqual(netlinkText('lo'), Uint8Array.of(0x6c, 0x6f, 0));
  assert.equal(decodeNetlinkText(netlinkText('lo')), 'lo');
  assert.equal(decodeNetlinkText(Uint8Array.of(0x6c, 0x6f)), 'lo');
});

test('the kernel may leave out the padding at the end', () => {
  const message = { type: 20, flags: 0, sequence: 1, portId: 0, payload: Uint8Array.of(5, 0, 1, 0, 7) };
  const octets = encodeNetlinkMessage(message).slice(0, -3);
  assert.deepEqual(decodeNetlinkMessages(octets), [message]);
  assert.deepEqual(decodeNetlinkAttributes(message.payload), [{ type: 1, payload: Uint8Array.of(7) }]);
});

test('an acknowledgement, a plain error, and errors that the kernel explains', () => {
  const text = 'ipv4: Device not found';
  assert.deepEqual(outcome(acknowledgement), { errno: 0 });
  assert.deepEqual(outcome(plainError), { errno: ENODEV });
  assert.deepEqual(outcome(explainedError), { errno: ENODEV, text });
  assert.deepEqual(outcome(explainedErrorCapped), { errno: ENODEV, text });
  assert.deepEqual(
    [11, 10, 9, 9],
    [
      only(acknowledgement).sequence,
      only(plainError).sequence,
      only(explainedError).sequence,
      only(explainedErrorCapped).sequence,
    ],
  );
});

test('a dump goes on until the message that ends it', () => {
  const messages = decodeNetlinkMessages(joined(dumpedAddress, endOfDump));
  assert.deepEqual(messages.map(decodeNetlinkOutcome), [undefined, { errno: 0 }]);
  const [address] = messages;
  assert.equal(address!.flags, NetlinkFlag.MULTI);
  const attributes = decodeNetlinkAttributes(address!.payload.subarray(8));
  assert.deepEqual(
    attributes.map(({ type }) => type),
    [1, 2, 3, 8, 6],
  );
  assert.deepEqual(attributes[0]!.payload, Uint8Array.of(127, 0, 0, 1));
  assert.equal(decodeNetlinkText(attributes[2]!.payload), 'lo');
});

test('lengths that lie, and truncation at every octet', () => {
  for (const octets of [acknowledgement, plainError, explainedError, explainedErrorCapped, endOfDump])
    assertRefusesEveryPrefix(decodeNetlinkMessages, octets);
  for (const { payload, ...rest } of [acknowledgement, plainError].map(only))
    assertRefusesEveryPrefix((prefix) => decodeNetlinkOutcome({ ...rest, payload: prefix }), payload);
  const short = endOfDump.slice();
  short[0] = 15;
  assert.throws(
    () => decodeNetlinkMessages(short),
    (error) => error instanceof WireError && error.code === 'length' && error.offset === 0,
  );
  assert.throws(
    () => decodeNetlinkAttributes(Uint8Array.of(4, 0, 1, 0, 3, 0, 1, 0)),
    (error) => error instanceof WireError && error.code === 'length' && error.offset === 4,
  );
});

test('an attribute that is too long for its length field is not written', () => {
  assert.throws(() => writeNetlinkAttribute(new Writer(), 1, new Uint8Array(0xfffc)), WireError);
});

test('any input leads to messages, attributes and outcomes, or to a WireError', () => {
  const kernel = fc.constantFrom(
    acknowledgement,
    explainedError,
    explainedErrorCapped,
    dumpedAddress,
    endOfDump,
  );
  assertTotal(
    (octets) => {
      for (const message of decodeNetlinkMessages(octets)) {
        // Offsets of what is inside a message are its own.
        decodeNetlinkOutcome(message);
      }
    },
    fc.oneof(kernel, netlinkMessages.map(encodeNetlinkMessage)),
  );
  assertTotal(
    decodeNetlinkAttributes,
    kernel.map((octets) => octets.subarray(24)),
  );
});
