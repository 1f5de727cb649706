// The notifies of MOBIKE there and back, and what comes of octets that are not theirs (RFC 4555 4).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { address, addressFromBytes, type IpAddress, isUnicast } from '#sa';
import { decodePayloads, encodePayloads, type NotifyPayload, NotifyType, type Payload } from '#wire';
import {
  additionalAddresses,
  additionalAddressesMax,
  additionalAddressNotifies,
} from './additional-addresses.ts';
import { cookie2, returnedCookie2, returnsCookie2 } from './cookie2.ts';
import { isNatUnexpected, noNatsAllowed } from './no-nats-allowed.ts';
import { notify } from './notify.ts';

/** As they come out of a message. */
function overTheWire(payloads: readonly NotifyPayload[]): readonly Payload[] {
  const { octets, firstPayload } = encodePayloads(payloads);
  return decodePayloads(firstPayload, octets);
}

const addresses: fc.Arbitrary<IpAddress> = fc
  .oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 }))
  .map(addressFromBytes)
  .filter(isUnicast);

// RFC 4555 3.6, 4.2.2, 4.2.3
test('a list of addresses comes out as it went in, and an empty one says so', () => {
  fc.assert(
    fc.property(fc.uniqueArray(addresses, { maxLength: additionalAddressesMax }), (list) => {
      const told = overTheWire(additionalAddressNotifies(list));
      assert.deepEqual(additionalAddresses(told), list);
    }),
  );
  assert.deepEqual(
    additionalAddressNotifies([]).map(({ notifyType }) => notifyType),
    [NotifyType.NO_ADDITIONAL_ADDRESSES],
  );
});

// RFC 4555 4.2.2
test('a list takes no address that is cut short, none twice, none of many hosts, and has an end', () => {
  const ip4 = (...octets: number[]): NotifyPayload =>
    notify(NotifyType.ADDITIONAL_IP4_ADDRESS, Uint8Array.from(octets));
  for (let length = 0; length < 40; length++) {
    for (const type of [NotifyType.ADDITIONAL_IP4_ADDRESS, NotifyType.ADDITIONAL_IP6_ADDRESS]) {
      const expected = (type === NotifyType.ADDITIONAL_IP4_ADDRESS ? 4 : 16) === length ? 1 : 0;
      assert.equal(additionalAddresses([notify(type, new Uint8Array(length).fill(1))])?.length, expected);
    }
  }
  assert.deepEqual(additionalAddresses([ip4(192, 0, 2, 7), ip4(192, 0, 2, 7)]), [address('192.0.2.7')]);
  assert.deepEqual(additionalAddresses([ip4(224, 0, 0, 1), ip4(255, 255, 255, 255), ip4(0, 0, 0, 0)]), []);
  const many = Array.from({ length: 200 }, (_, i) => ip4(192, 0, 2, i + 1));
  assert.equal(additionalAddresses(many)?.length, additionalAddressesMax);
  assert.equal(additionalAddresses([notify(NotifyType.MOBIKE_SUPPORTED)]), undefined);
});

// RFC 4555 3.9, 4.2.6
test('NO_NATS_ALLOWED is 12 octets or 36, and notices every other end', () => {
  for (const [one, other] of [
    ['192.0.2.1', '198.51.100.7'],
    ['2001:db8::1', '2001:db8::7'],
  ] as const) {
    const local = { address: address(one), port: 500 };
    const remote = { address: address(other), port: 4500 };
    const sent = noNatsAllowed(local, remote);
    assert.equal(sent.data.length, one.includes(':') ? 36 : 12);
    const received = overTheWire([sent]);
    assert.equal(isNatUnexpected(received, remote, local), false);
    assert.equal(isNatUnexpected(received, remote, { ...local, port: 501 }), true);
    assert.equal(isNatUnexpected(received, { ...remote, port: 4501 }, local), true);
    assert.equal(isNatUnexpected(received, local, remote), true);
    for (let length = 0; length < sent.data.length; length++) {
      const cut = notify(NotifyType.NO_NATS_ALLOWED, sent.data.subarray(0, length));
      assert.equal(isNatUnexpected([cut], remote, local), true, `cut to ${length}`);
    }
  }
  const nobody = { address: address('192.0.2.1'), port: 500 };
  assert.equal(isNatUnexpected([], nobody, nobody), false);
});

test('octets of NO_NATS_ALLOWED are those of the RFC', () => {
  const { data } = noNatsAllowed(
    { address: address('192.0.2.1'), port: 500 },
    { address: address('198.51.100.7'), port: 4500 },
  );
  assert.deepEqual([...data], [192, 0, 2, 1, 198, 51, 100, 7, 1, 244, 17, 148]);
});

// RFC 4555 3.7, 4.2.5
test('COOKIE2 goes back as it came, if it has a length that it may have', () => {
  for (let length = 0; length < 80; length++) {
    const value = new Uint8Array(length).fill(length);
    const returned = returnedCookie2(overTheWire([cookie2(value)]));
    assert.equal(returned.length, length >= 8 && length <= 64 ? 1 : 0, `${length} octets`);
    if (returned.length > 0) assert.deepEqual(returned[0]?.data, value);
  }
  assert.deepEqual(returnedCookie2([]), []);
});

// RFC 4555 3.7, 3.5
test('an answer has our COOKIE2, whatever else it says', () => {
  const sent = new Uint8Array(16).fill(7);
  assert.equal(returnsCookie2([cookie2(sent)], sent), true);
  assert.equal(returnsCookie2([cookie2(sent.subarray(1))], sent), false);
  assert.equal(returnsCookie2([cookie2(new Uint8Array(16))], sent), false);
  assert.equal(returnsCookie2([], sent), false);
  const refusal = notify(NotifyType.UNACCEPTABLE_ADDRESSES);
  assert.equal(returnsCookie2([refusal], sent), false);
  assert.equal(returnsCookie2([refusal, cookie2(sent)], sent), true);
  assert.equal(returnsCookie2([refusal, cookie2(new Uint8Array(16))], sent), false);
});
