// R2: what it proves, and what it does not (RFC 7401 6.10).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address } from '#sa';
import { encodeHipPacket, HipPacketType, hipPacketLengthMax, writeHipChecksum } from '#wire';
import { addressesOf } from '../host-state.ts';
import { TwoHosts } from '../testing/two-hosts.ts';

test('an R2 that somebody sends on from elsewhere does not lead the data there', () => {
  const hosts = new TwoHosts();
  const { moon, sun } = hosts;
  hosts.call();
  for (const from of [moon, sun, moon]) hosts.deliver(hosts.take(from));
  const r2 = hosts.take(sun);
  const path = { ...r2.path, local: { address: address('203.0.113.9'), port: 0 } };
  const octets = r2.octets.slice();
  writeHipChecksum(octets, addressesOf(path.local.address, path.remote.address));
  hosts.deliver({ ...r2, path, octets });
  hosts.settle();
  assert.equal(moon.state(sun.hit), 'ESTABLISHED');
  assert.equal(moon.host.status()[0]?.path.remote.address, sun.address);
  assert.deepEqual(
    [...moon.outbound.values()].map(({ remote }) => remote),
    [sun.address],
  );
});

// RFC 7401 5.2.13: Header Length counts R2 and HOST_ID together, and has one octet for that.
test('an R2 that is too long together with the HOST_ID that its MAC covers is none, and ends no host', () => {
  const hosts = new TwoHosts();
  const { moon, sun } = hosts;
  hosts.call();
  for (const from of [moon, sun, moon]) hosts.deliver(hosts.take(from));
  const r2 = hosts.take(sun);
  const forged = encodeHipPacket({
    header: { packetType: HipPacketType.R2, anonymous: false, sender: sun.hit, receiver: moon.hit },
    parameters: [
      { type: 'unknown', parameterType: 3_000, contents: new Uint8Array(hipPacketLengthMax - 120) },
      { type: 'HIP_MAC_2', mac: new Uint8Array(48) },
    ],
  });
  writeHipChecksum(forged, addressesOf(sun.address, moon.address));
  hosts.deliver({ ...r2, octets: forged });
  assert.deepEqual(moon.rejections, ['R2 mac']);
  hosts.deliver(r2);
  assert.equal(moon.state(sun.hit), 'ESTABLISHED');
});
