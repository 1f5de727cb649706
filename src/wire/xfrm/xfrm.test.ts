// XFRM messages: round trips, what iproute2 and a kernel really said, truncation, and any input at all.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { WireError } from '../error.ts';
import { toHex } from '../ike/testing/hex.ts';
import { decodeNetlinkMessages, encodeNetlinkMessage } from '../netlink/index.ts';
import { assertRefusesEveryPrefix, assertTotal, decodes } from '../testing/total-decoding.ts';
import { encodeAlgorithm } from './algorithm.ts';
import { decodeXfrmMessage, encodeXfrmMessage, type XfrmMessage } from './messages.ts';
import {
  XfrmAction,
  XfrmDirection,
  XfrmEventFlag,
  XfrmFamily,
  XfrmMessageType,
  XfrmMode,
  XfrmStateExtraFlag,
  XfrmStateFlag,
  xfrmEncapsulationUdp,
  xfrmUnlimited,
} from './numbers.ts';
import { xfrmMessages } from './testing/arbitraries.ts';
import * as kernel from './testing/kernel-messages.ts';

const recorded = Object.entries(kernel);
const only = (octets: Uint8Array) => decodeNetlinkMessages(octets)[0]!;
const read = (octets: Uint8Array): XfrmMessage => decodeXfrmMessage(only(octets));
type Of<Kind, Each = XfrmMessage> = Each extends { readonly kind: infer K }
  ? Kind extends K
    ? Each
    : never
  : never;
function as<Kind extends XfrmMessage['kind']>(kind: Kind, octets: Uint8Array): Of<Kind> {
  const message = read(octets);
  assert.equal(message.kind, kind);
  return message as Of<Kind>;
}

test('decode(encode(message)) is the message', () => {
  fc.assert(
    fc.property(xfrmMessages, (message) => {
      const { type, flags, payload } = encodeXfrmMessage(message);
      assert.deepEqual(decodeXfrmMessage({ type, flags, payload }), message);
    }),
    { numRuns: 400 },
  );
});

test('what was recorded is the same octets when it is written again, but for the order of attributes', () => {
  const sorted = (octets: Uint8Array): string => [...octets].sort((a, b) => a - b).join(' ');
  // iproute2 leaves out a bitmap of zeros, which the kernel allows.
  const shortened = [kernel.addChachaEsn, kernel.addAh];
  for (const [name, octets] of recorded.filter(([, each]) => !shortened.includes(each))) {
    const message = only(octets);
    const again = encodeXfrmMessage(decodeXfrmMessage(message));
    assert.equal(again.type, message.type, name);
    const whole = encodeNetlinkMessage({ ...message, payload: again.payload });
    assert.equal(sorted(whole), sorted(octets), name);
  }
});

test('an SA for AES-GCM in UDP, as iproute2 asks for it', () => {
  const { state, attributes } = as('new-sa', kernel.addGcmInUdp);
  assert.equal(state.spi, 0xc0000001);
  assert.equal(state.family, XfrmFamily.IPV4);
  assert.deepEqual(state.source, Uint8Array.of(10, 99, 2, 1));
  assert.deepEqual(state.destination, Uint8Array.of(10, 99, 1, 1));
  assert.equal(state.protocol, 50);
  assert.equal(state.mode, XfrmMode.TUNNEL);
  assert.equal(state.requestId, 7);
  assert.equal(state.replayWindow, 32);
  assert.equal(state.flags, XfrmStateFlag.AF_UNSPEC);
  assert.equal(state.limits.hardBytes, xfrmUnlimited);
  assert.equal(attributes.aead?.name, 'rfc4106(gcm(aes))');
  assert.equal(attributes.aead.icvLengthBits, 128);
  assert.equal(toHex(attributes.aead.key), '000102030405060708090a0b0c0d0e0f10111213');
  assert.deepEqual(attributes.encapsulation, {
    type: xfrmEncapsulationUdp,
    sourcePort: 4500,
    destinationPort: 4500,
    originalAddress: new Uint8Array(16),
  });
  assert.equal(as('new-sa', kernel.addedGcmInUdp).state.used.usedAtSeconds, 0n);
});

test('limits, truncated authentication and the second set of flags', () => {
  const { state, attributes } = as('new-sa', kernel.addCbcWithLimits);
  const { softBytes, hardBytes, softPackets, hardPackets, hardAddSeconds } = state.limits;
  assert.deepEqual(
    [softBytes, hardBytes, softPackets, hardPackets, hardAddSeconds],
    [5000n, 100_000n, 3n, 2000n, 3600n],
  );
  assert.equal(attributes.encryption?.name, 'cbc(aes)');
  assert.equal(attributes.authenticationTruncated?.name, 'hmac(sha256)');
  assert.equal(attributes.authenticationTruncated.icvLengthBits, 128);
  assert.equal(attributes.authenticationTruncated.key.length, 32);
  assert.equal(attributes.extraFlags, XfrmStateExtraFlag.DONT_ENCAP_DSCP);
});

test('ESN, mark, interface and a selector with a port', () => {
  for (const octets of [kernel.addChachaEsn, kernel.dumpedChachaEsn]) {
    const { state, attributes } = as('new-sa', octets);
    assert.equal(state.family, XfrmFamily.IPV6);
    assert.equal(state.mode, XfrmMode.TRANSPORT);
    assert.equal(state.flags, XfrmStateFlag.ESN);
    assert.deepEqual(
      [state.selector.protocol, state.selector.destinationPort, state.selector.destinationPortMask],
      [6, 80, 0xffff],
    );
    assert.equal(state.selector.sourcePortMask, 0);
    assert.equal(state.selector.sourcePrefixLength, 128);
    assert.equal(attributes.aead?.name, 'rfc7539esp(chacha20,poly1305)');
    assert.equal(attributes.aead.key.length, 36);
    assert.equal(attributes.replayEsn?.replayWindow, 128);
    assert.deepEqual(attributes.replayEsn.bitmap, [0, 0, 0, 0]);
    assert.deepEqual(attributes.mark, { value: 5, mask: 0xff });
    assert.equal(attributes.interfaceId, 0x42);
  }
  assert.equal(as('new-sa', kernel.addAh).state.protocol, 51);
  assert.equal(as('new-sa', kernel.addOffloaded).attributes.offload?.interfaceIndex, 1);
});

test('an SPI is allocated from a range', () => {
  const { min, max, state } = as('allocate-spi', kernel.allocateSpi);
  assert.deepEqual([min, max, state.spi], [0xc1000000, 0xc10fffff, 0]);
  assert.equal(as('new-sa', kernel.allocatedSpi).state.spi >>> 20, 0xc10);
});

test('policies and what names them', () => {
  const out = as('new-policy', kernel.addPolicyOut);
  assert.equal(out.policy.direction, XfrmDirection.OUT);
  assert.equal(out.policy.priority, 1000);
  assert.deepEqual(out.policy.selector.destination, Uint8Array.of(10, 2, 0, 0));
  assert.equal(out.policy.selector.destinationPrefixLength, 24);
  const [template] = out.attributes.templates ?? [];
  assert.deepEqual([template?.spi, template?.requestId, template?.optional], [0xc0000002, 7, false]);
  const inbound = as('new-policy', kernel.addPolicyIn);
  assert.equal(inbound.policy.direction, XfrmDirection.IN);
  assert.equal(inbound.attributes.templates?.[0]?.optional, true);
  assert.equal(inbound.attributes.interfaceId, 0x42);
  for (const octets of [kernel.addPolicyBlock, kernel.dumpedPolicyBlock]) {
    const { policy } = as('new-policy', octets);
    assert.equal(policy.action, XfrmAction.BLOCK);
    assert.deepEqual([policy.selector.sourcePort, policy.selector.sourcePortMask], [80, 0xffff]);
  }
  assert.equal(as('get-policy', kernel.getPolicy).id.direction, XfrmDirection.OUT);
  assert.equal(as('delete-policy', kernel.deletePolicy).id.direction, XfrmDirection.OUT);
  assert.equal(as('delete-policy', kernel.deletedPolicy).attributes.policy?.priority, 1000);
});

test('dumps are told from questions by their flags', () => {
  assert.equal(as('get-sa', kernel.getSa).id.spi, 0xc0000001);
  assert.equal(as('dump-sas', kernel.dumpSas).attributes.addressFilter?.sourcePrefixLength, 0);
  as('dump-policies', kernel.dumpPolicies);
});

test('what the kernel tells of its own accord', () => {
  const { acquire, attributes } = as('acquire', kernel.acquire);
  assert.deepEqual(acquire.destination.subarray(0, 4), Uint8Array.of(10, 99, 2, 1));
  assert.deepEqual(acquire.selector.source, Uint8Array.of(10, 1, 0, 1));
  assert.deepEqual([acquire.selector.protocol, acquire.selector.sourcePort], [1, 8]);
  assert.equal(acquire.policy.selector.destinationPrefixLength, 24);
  assert.equal(attributes.templates?.[0]?.requestId, 77);
  const soft = as('expire', kernel.softExpire);
  assert.deepEqual([soft.state.spi, soft.hard], [0xc0000002, false]);
  assert.equal(as('expire', kernel.hardExpire).hard, true);
  const event = as('new-event', kernel.replayEvent);
  assert.equal(event.event.flags, XfrmEventFlag.CR);
  assert.equal(event.attributes.replay?.outboundSequence, 3);
  assert.equal(as('new-event', kernel.timerEvent).event.flags, XfrmEventFlag.CE);
  assert.equal(as('delete-sa', kernel.deleteSa).id.spi, 0xc0000002);
  const gone = as('delete-sa', kernel.deletedSa);
  assert.equal(gone.attributes.state?.used.packets, 5n);
  assert.equal(as('flush-sas', kernel.flushedSas).protocol, 0);
  as('flush-policies', kernel.flushedPolicies);
});

test('a message cut anywhere in its structure is refused', () => {
  for (const [name, octets] of recorded) {
    const { type, flags, payload } = only(octets);
    const decode = (prefix: Uint8Array) => decodeXfrmMessage({ type, flags, payload: prefix });
    assert.ok(decodes(decode, payload), name);
    // Between attributes a message may end.
    const whole = decodeXfrmMessage({ type, flags, payload });
    const bare = encodeXfrmMessage({ ...whole, attributes: {} }).payload;
    if (whole.kind !== 'flush-sas') assertRefusesEveryPrefix(decode, payload.slice(0, bare.length));
    for (let length = bare.length; length < payload.length; length++)
      decodes(decode, payload.slice(0, length));
  }
});

test('what no key manager may say is not written', () => {
  const { state, attributes } = as('new-sa', kernel.addGcmInUdp);
  const write = (change: object): unknown =>
    encodeXfrmMessage({ kind: 'new-sa', state: { ...state, ...change }, attributes });
  assert.throws(() => write({ family: XfrmFamily.IPV6 }), WireError);
  assert.throws(() => write({ family: 3 }), WireError);
  assert.throws(() => write({ replayWindow: 256 }), WireError);
  assert.throws(() => write({ selector: { ...state.selector, sourcePrefixLength: 129 } }), WireError);
  assert.throws(() => encodeAlgorithm({ name: 'x'.repeat(64), key: new Uint8Array() }), WireError);
  assert.throws(() => encodeAlgorithm({ name: 'a\0b', key: new Uint8Array() }), WireError);
});

test('a type that is no message of XFRM is refused', () => {
  assert.throws(() => decodeXfrmMessage({ type: 0x25, flags: 0, payload: new Uint8Array(400) }), WireError);
});

test('any input leads to a message or a WireError', () => {
  const types = Object.values(XfrmMessageType);
  assertTotal(
    (octets) => {
      for (const type of types) {
        if (decodes((payload) => decodeXfrmMessage({ type, flags: 0, payload }), octets)) return;
      }
      throw new WireError('value', 0, 'type');
    },
    xfrmMessages.map((message) => encodeXfrmMessage(message).payload),
    100,
  );
});
