// IKE_AUTH with certificates: signatures both ways, path validation that the SA waits for, and refusals.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { privateKeyFromPkcs8 } from '#crypto';
import type { ConnectionConfiguration, Credentials } from '../../configuration.ts';
import {
  authority,
  moonCertificate,
  moonKey,
  strangerCertificate,
  strangerKey,
  sunCertificate,
  sunKey,
} from '../../testing/certificates.ts';
import { connection, type HostName, sharedSecret } from '../../testing/connections.ts';
import { Pair } from '../../testing/pair.ts';

function credentials(certificate: Uint8Array, key: Uint8Array): Credentials {
  return {
    sharedSecrets: [],
    privateKeys: [privateKeyFromPkcs8(key)],
    certificates: [certificate],
    authorities: [authority],
    revocationLists: [],
  };
}

function signing(
  host: HostName,
  certificate: Uint8Array,
  change: Partial<ConnectionConfiguration> = {},
): ConnectionConfiguration {
  const base = connection(host);
  return {
    ...base,
    local: { ...base.local, method: 'pubkey', certificates: [certificate] },
    remote: { ...base.remote, method: 'pubkey' },
    ...change,
  };
}

function signingPair(moonChange: Partial<ConnectionConfiguration> = {}): Pair {
  return new Pair({
    moon: {
      connections: [signing('moon', moonCertificate, moonChange)],
      credentials: credentials(moonCertificate, moonKey),
    },
    sun: {
      connections: [signing('sun', sunCertificate)],
      credentials: credentials(sunCertificate, sunKey),
    },
  });
}

// RFC 7296 2.15, RFC 7427 3
test('an ECDSA and an RSA gateway authenticate each other by certificates of one authority', () => {
  const pair = signingPair().establish();
  pair.assertKeysAgree();
  assert.equal(pair.moon.installed.size, 2);
});

test('a responder waits for the validation of the path, and repeated requests change nothing meanwhile', () => {
  const pair = signingPair();
  pair.sun.holdComputation = true;
  pair.moon.initiate(pair.sun.endpoint);
  pair.deliver(pair.sun);
  pair.deliver(pair.moon);
  pair.settle();
  assert.equal(pair.sun.sa.phase, 'connecting');
  pair.wait(1000);
  pair.settle();
  assert.equal(pair.sun.heldComputations.length, 1);
  const { sa, id, result } = pair.sun.heldComputations[0]!;
  pair.sun.input(sa, { kind: 'computed', id, result });
  pair.settle();
  assert.equal(pair.moon.sa.phase, 'established');
  assert.equal(pair.sun.sa.phase, 'established');
});

test('an initiator whose validation never ends gives up', () => {
  const pair = signingPair();
  pair.moon.holdComputation = true;
  pair.moon.initiate(pair.sun.endpoint);
  pair.settle();
  assert.equal(pair.moon.heldComputations.length, 1);
  pair.wait(60_000);
  assert.equal(pair.moon.sa.phase, 'ended');
});

test('a certificate of an unknown authority is refused, although its signature is right', () => {
  const pair = new Pair({
    moon: {
      connections: [signing('moon', moonCertificate)],
      credentials: credentials(moonCertificate, moonKey),
    },
    sun: {
      connections: [signing('sun', strangerCertificate)],
      credentials: credentials(strangerCertificate, strangerKey),
    },
  });
  pair.moon.initiate(pair.sun.endpoint);
  pair.settle();
  assert.equal(pair.moon.eventsOf('ike-failed')[0]?.failure.code, 'authentication-failed');
  assert.equal(pair.sun.eventsOf('ike-ended')[0]?.failure.code, 'peer-authentication-failed');
  assert.equal(pair.sun.installed.size + pair.moon.installed.size, 0);
});

test('a certificate that the operator named needs no authority', () => {
  const base = signing('moon', moonCertificate);
  const pair = new Pair({
    moon: {
      connections: [{ ...base, remote: { ...base.remote, certificates: [strangerCertificate] } }],
      credentials: credentials(moonCertificate, moonKey),
    },
    sun: {
      connections: [signing('sun', strangerCertificate)],
      credentials: credentials(strangerCertificate, strangerKey),
    },
  }).establish();
  assert.equal(pair.moon.installed.size, 2);
});

test('a peer that should sign and shows a shared key is refused', () => {
  const pair = new Pair({
    moon: { connections: [connection('moon')], credentials: sharedSecret('x') },
    sun: {
      connections: [signing('sun', sunCertificate)],
      credentials: { ...credentials(sunCertificate, sunKey), sharedSecrets: sharedSecret('x').sharedSecrets },
    },
  });
  pair.moon.initiate(pair.sun.endpoint);
  pair.settle();
  assert.equal(pair.sun.eventsOf('ike-failed')[0]?.failure.code, 'authentication-failed');
});

// RFC 7383 2.5, 2.6
test('large IKE_AUTH messages travel in fragments, in any order and with repeats', () => {
  const pair = signingPair({ fragmentSizeBytes: 400 });
  const { moon, sun } = pair;
  moon.initiate(sun.endpoint);
  pair.deliver(sun);
  pair.deliver(moon);
  pair.collect();
  const fragments = pair.wire.splice(0);
  assert.ok(fragments.length >= 3, `${fragments.length} fragments`);
  for (const fragment of fragments) assert.ok(fragment.octets.length <= 400 - 28);
  for (const fragment of [...fragments.slice(1), ...fragments.slice(1)].reverse())
    pair.deliver(sun, fragment);
  assert.equal(sun.sa.phase, 'connecting');
  pair.deliver(sun, fragments[0]!);
  pair.settle();
  assert.equal(moon.sa.phase, 'established');
  assert.equal(sun.sa.phase, 'established');
});

// RFC 7383 2.6.1
test('when one fragment is lost, all go out again and the message is whole', () => {
  const pair = signingPair({ fragmentSizeBytes: 400 });
  pair.moon.initiate(pair.sun.endpoint);
  pair.deliver(pair.sun);
  pair.deliver(pair.moon);
  pair.drop(pair.sun);
  pair.run(1500);
  assert.equal(pair.moon.sa.phase, 'established');
});

// RFC 7383 2.6.1
test('of a repeated fragmented request only the first fragment brings the answer again', () => {
  const pair = signingPair({ fragmentSizeBytes: 400 });
  pair.moon.initiate(pair.sun.endpoint);
  pair.deliver(pair.sun);
  pair.deliver(pair.moon);
  pair.collect();
  const fragments = pair.wire.splice(0);
  for (const fragment of fragments) pair.deliver(pair.sun, fragment);
  const answer = pair.wire.splice(0).length;
  for (const fragment of fragments) pair.deliver(pair.sun, fragment);
  assert.equal(pair.wire.length, answer);
});
