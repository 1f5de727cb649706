// What whoever passes R1 on wants to have back with I2 (RFC 7401 5.2.21): no signature covers it, so that anybody can ask.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { appendHipParameters, hipPacketLengthMax, writeHipChecksum } from '#wire';
import { addressesOf } from '../host-state.ts';
import { decodeTransit, type Transit, TwoHosts } from '../testing/two-hosts.ts';

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
