// What whoever passes R1 on wants to have back with I2 (RFC 7401 5.2.21): no signature covers it, so that anybody can ask.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { appendHipSignature, seededRandomness } from '#crypto';
import { address } from '#sa';
import {
  addressHipR1,
  appendHipParameters,
  encodeHipPacket,
  type HipParameter,
  hipPacketLengthMax,
  hipParameter,
  hipParameterTypeOf,
  writeHipChecksum,
  zeroHit,
} from '#wire';
import { addressesOf } from '../host-state.ts';
import type { TestKey } from '../testing/identities.ts';
import { decodeTransit, type TestHost, type Transit, TwoHosts } from '../testing/two-hosts.ts';

/** The exchange up to I2, with requests of so many octets behind the R1. */
function i2After(...lengths: readonly number[]): { readonly hosts: TwoHosts; readonly i2: Transit } {
  const hosts = new TwoHosts();
  hosts.call();
  hosts.deliver(hosts.take(hosts.moon));
  const r1 = hosts.take(hosts.sun);
  const requests = lengths.map((length, i) => ({
    type: 'ECHO_REQUEST_UNSIGNED' as const,
    data: new Uint8Array(length).fill(i),
  }));
  const octets = appendHipParameters(r1.octets, requests);
  writeHipChecksum(octets, addressesOf(r1.path.local.address, r1.path.remote.address));
  hosts.deliver({ ...r1, octets });
  return { hosts, i2: hosts.take(hosts.moon) };
}

function echoesOf(i2: Transit): number[] {
  return decodeTransit(i2).parameters.flatMap((one) =>
    one.type === 'ECHO_RESPONSE_UNSIGNED' ? [one.data.length] : [],
  );
}

describe('an R1 with requests that no signature covers', () => {
  test('is answered with all of them that there is room for', () => {
    const { hosts, i2 } = i2After(8, 300, 1);
    assert.deepEqual(echoesOf(i2), [8, 300, 1]);
    hosts.deliver(i2);
    hosts.settle();
    assert.equal(hosts.moon.state(hosts.sun.hit), 'ESTABLISHED');
  });

  test('and longer ones is answered without those for which there is none', () => {
    const { hosts, i2 } = i2After(8, 1_640);
    assert.ok(i2.octets.length <= hipPacketLengthMax);
    assert.deepEqual(echoesOf(i2), [8]);
    hosts.deliver(i2);
    hosts.settle();
    assert.equal(hosts.moon.state(hosts.sun.hit), 'ESTABLISHED');
  });
});

describe('an R1 with a request that its Responder has signed', () => {
  /** What becomes of one that asks for so many octets. */
  function exchange(length: number, key: TestKey = 'p256-a'): TwoHosts {
    const hosts = new TwoHosts({ moon: { key } });
    hosts.call();
    hosts.deliver(hosts.take(hosts.moon));
    const r1 = hosts.take(hosts.sun);
    const octets = signedWith(r1, hosts.sun, { type: 'ECHO_REQUEST_SIGNED', data: new Uint8Array(length) });
    hosts.deliver({ ...r1, octets });
    return hosts;
  }

  function signedWith(r1: Transit, responder: TestHost, more: HipParameter): Uint8Array {
    const { header, parameters } = decodeTransit(r1);
    const puzzle = hipParameter(parameters, 'PUZZLE')!;
    const bare = parameters
      .filter(({ type }) => type !== 'HIP_SIGNATURE_2')
      .map(
        (one): HipParameter =>
          one.type === 'PUZZLE' ? { ...one, opaque: 0, random: new Uint8Array(one.random.length) } : one,
      );
    const at = bare.findIndex((one) => hipParameterTypeOf(one) > hipParameterTypeOf(more));
    const unsigned = encodeHipPacket({
      header: { ...header, receiver: zeroHit },
      parameters: bare.toSpliced(at, 0, more),
    });
    const { key } = responder.identity;
    const signed = appendHipSignature(unsigned, key, seededRandomness(Uint8Array.of(1)), 'HIP_SIGNATURE_2');
    const { opaque, random } = puzzle;
    const octets = addressHipR1(signed, { receiver: header.receiver, opaque, random });
    writeHipChecksum(octets, addressesOf(r1.path.local.address, r1.path.remote.address));
    return octets;
  }

  test('is answered with it', () => {
    const hosts = exchange(256);
    const i2 = hosts.take(hosts.moon);
    assert.equal(hipParameter(decodeTransit(i2).parameters, 'ECHO_RESPONSE_SIGNED')?.data.length, 256);
    hosts.deliver(i2);
    hosts.settle();
    assert.equal(hosts.moon.state(hosts.sun.hit), 'ESTABLISHED');
  });

  test('and for more than there is room for is no R1', () => {
    for (const key of ['p256-a', 'rsa-a'] as const) {
      const hosts = exchange(1_600, key);
      assert.deepEqual(hosts.moon.rejections, ['R1 echo']);
      assert.equal(hosts.moon.state(hosts.sun.hit), 'I1-SENT');
    }
  });
});

test('an I2 that is too long for its own sake is the end of the attempt, with a word about it', () => {
  const addresses = Array.from({ length: 64 }, (_, i) => address(`192.0.2.${i + 100}`));
  const hosts = new TwoHosts({ moon: { configuration: { addresses } } });
  const { moon, sun } = hosts;
  hosts.call();
  hosts.settle();
  assert.deepEqual(
    moon.eventsOf('failed').map(({ reason }) => reason),
    ['an answer to the R1 of the peer is too long for a packet'],
  );
  assert.equal(moon.state(sun.hit), 'E-FAILED');
  assert.equal(moon.spis.size, 0);
});
