// Who has exchanged keys may ask in anybody's name, and his answer has our certificates (EAP): strangers get few of them in all.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address } from '#sa';
import { addresses } from '../testing/configurations.ts';
import { eapConfigurations, eapHosts } from '../testing/eap-hosts.ts';
import { EnginePair } from '../testing/two-engines.ts';

const victim = address('203.0.113.7');

test('however many IKE SAs are begun, answers to where none was begun are limited, and those to who began are not', () => {
  const { moon, sun } = eapConfigurations({ remoteAddresses: [{ kind: 'any' }] });
  const halfOpen = {
    cookieThreshold: 1_000,
    cookieThresholdPerSource: 1_000,
    halfOpenMax: 1_000,
    halfOpenTimeoutMs: 30_000,
  };
  const pair = new EnginePair({ moon, sun: { ...sun, halfOpen } }).start();
  const sentTo = (destination: string): number =>
    pair.sun.sent.filter((datagram) => datagram.destination.address === destination).length;
  for (let begun = 0; begun < 100; begun++) {
    pair.moon.command({ kind: 'initiate', child: 'net' });
    pair.deliver(pair.wire.shift()!);
    pair.deliver(pair.wire.shift()!);
    const request = pair.wire.shift()!;
    pair.deliver({ ...request, source: { ...request.source, address: victim } });
    pair.moon.command({ kind: 'terminate', connection: 'gateway' });
    pair.wire.length = 0;
  }
  assert.equal(sentTo(victim), 60);
  pair.now += 1_000;
  const before = sentTo(addresses.moon);
  pair.moon.command({ kind: 'initiate', child: 'net' });
  pair.settle();
  assert.equal(pair.sun.established, 1);
  assert.ok(sentTo(addresses.moon) > before);
});

test('a NAT that gives its client another address once in a while keeps no one out', () => {
  const pair = eapHosts({ remoteAddresses: [{ kind: 'any' }] }).start();
  pair.further.add(victim);
  pair.moon.command({ kind: 'initiate', child: 'net' });
  pair.deliver(pair.wire.shift()!);
  pair.deliver(pair.wire.shift()!);
  while (pair.wire.length > 0) {
    const datagram = pair.wire.shift()!;
    if (datagram.to === 'sun') pair.deliver({ ...datagram, source: { ...datagram.source, address: victim } });
    else pair.deliver({ ...datagram, destination: { ...datagram.destination, address: addresses.moon } });
  }
  assert.equal(pair.sun.established, 1);
  assert.equal(pair.moon.established, 1);
});
