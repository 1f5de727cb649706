// A Responder may say in R1 where it wants I2 (RFC 8047 4.2.8). We do not, so that this one is made by hand.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appendHipSignature, seededRandomness } from '#crypto';
import { address, addressBytes } from '#sa';
import {
  addressHipR1,
  encodeHipPacket,
  type HipParameter,
  LocatorType,
  TrafficType,
  writeHipChecksum,
  zeroHit,
} from '#wire';
import { hipDefaults } from '../configuration.ts';
import { addressesOf } from '../host-state.ts';
import { decodeTransit, type Transit, TwoHosts, typeOf } from '../testing/two-hosts.ts';

const elsewhere = address('198.51.100.9');

/** The same R1, which also says where I2 shall go. */
function withPreferred(hosts: TwoHosts, r1: Transit): Transit {
  const { header, parameters } = decodeTransit(r1);
  const puzzle = parameters.find((one) => one.type === 'PUZZLE')!;
  const locator: HipParameter = {
    type: 'LOCATOR_SET',
    locators: [
      {
        trafficType: TrafficType.BOTH,
        preferred: true,
        lifetimeSeconds: 600,
        locatorType: LocatorType.ADDRESS,
        address: addressBytes(elsewhere),
      },
    ],
  };
  const blank = { ...puzzle, opaque: 0, random: new Uint8Array(puzzle.random.length) };
  const rest = parameters.filter(({ type }) => type !== 'PUZZLE' && type !== 'HIP_SIGNATURE_2');
  const unsigned = encodeHipPacket({
    header: { ...header, receiver: zeroHit },
    parameters: [...rest, blank, locator],
  });
  const { key } = hosts.sun.identity;
  const signed = appendHipSignature(unsigned, key, seededRandomness(Uint8Array.of(1)), 'HIP_SIGNATURE_2');
  const { opaque, random } = puzzle;
  const octets = addressHipR1(signed, { receiver: header.receiver, opaque, random });
  writeHipChecksum(octets, addressesOf(r1.path.local.address, r1.path.remote.address));
  return { ...r1, octets };
}

/** R1 has said so, and I2 is on its way. */
function called(): TwoHosts {
  const hosts = new TwoHosts();
  const { moon, sun } = hosts;
  sun.further.add(elsewhere);
  hosts.call();
  hosts.deliver(hosts.take(moon));
  hosts.deliver(withPreferred(hosts, hosts.take(sun)));
  return hosts;
}

// RFC 8047 4.2.8, 5.1
test('I2 goes to the address that a signed R1 prefers, and the association stands there', () => {
  const hosts = called();
  const { moon } = hosts;
  const [i2] = moon.sent;
  assert.equal(typeOf(i2!), 'I2');
  assert.equal(i2!.path.remote.address, elsewhere);
  hosts.settle();
  assert.equal(moon.host.status()[0]!.path.remote.address, elsewhere);
  assert.deepEqual(
    [...moon.outbound.values()].map(({ remote }) => remote),
    [elsewhere],
  );
  assert.equal(moon.unverified.size, 0);
});

// RFC 7401 6.9 7
test('if that one has restarted since, I1 goes to where the first one went, and its answer may come from there', () => {
  const hosts = called();
  const { moon, sun } = hosts;
  const i2 = hosts.take(moon);
  sun.crash(hosts.now);
  hosts.deliver(i2);
  hosts.wait(hipDefaults.retransmission.baseMs);
  assert.equal(moon.state(sun.hit), 'ESTABLISHED');
  assert.deepEqual(moon.rejections, []);
  hosts.assertKeysAgree();
});
