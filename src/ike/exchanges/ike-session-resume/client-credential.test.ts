// A ticket rests on what its client was authenticated by: once that is another one, or trusted no more, a full exchange is due.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { privateKeyFromPkcs8 } from '#crypto';
import type { ConnectionConfiguration, Credentials } from '../../configuration.ts';
import {
  authority,
  moonCertificate,
  moonKey,
  strangerCertificate,
  sunCertificate,
  sunKey,
} from '../../testing/certificates.ts';
import { connection, type HostName, sharedSecret } from '../../testing/connections.ts';
import { Pair } from '../../testing/pair.ts';
import { issuer, loseSun, resumingPair, resumption } from '../../testing/resumption.ts';

/** The ticket that moon had last is presented to a sun that lost everything but its tickets. */
function presented(pair: Pair): string {
  loseSun(pair);
  pair.moon.resume(pair.sun.endpoint, pair.moon.clientTickets.at(-1));
  pair.settle();
  return pair.moon.sa.phase === 'established' ? 'accepted' : (pair.sun.refusals.at(-1) ?? '');
}

const notAllowed = /does not allow any more what the ticket stands for/;

describe('a pre-shared key that is changed', () => {
  test('ends the tickets of who had the former one', () => {
    const pair = resumingPair().establish();
    pair.sun.credentials = sharedSecret('another');
    assert.match(presented(pair), notAllowed);
  });

  test('and changed back leaves them good', () => {
    const pair = resumingPair().establish();
    const former = pair.sun.credentials;
    pair.sun.credentials = sharedSecret('another');
    assert.match(presented(pair), notAllowed);
    pair.sun.credentials = structuredClone(former);
    assert.equal(presented(pair), 'accepted');
  });

  test('ends tickets that the same IKE SA is given later, and those of IKE SAs that replace or resume it', () => {
    const pair = resumingPair().establish();
    const former = pair.sun.credentials;
    pair.sun.credentials = sharedSecret('another');
    for (const host of [pair.moon, pair.sun]) {
      host.command({ kind: 'rekey-ike' });
      pair.settle();
    }
    assert.equal(pair.moon.clientTickets.length, 3);
    assert.match(presented(pair), notAllowed);
    pair.sun.credentials = former;
    assert.equal(presented(pair), 'accepted');
    pair.sun.credentials = sharedSecret('another');
    assert.match(presented(pair), notAllowed);
  });

  test('ends them also where the gateway starts again with its checkpoint', () => {
    const pair = new Pair({
      moon: { connections: [connection('moon', { resumption })] },
      sun: { connections: [connection('sun', { resumption })], checkpoints: true },
    });
    pair.sun.tickets = issuer(pair);
    pair.establish();
    for (const [secret, expected] of [
      ['another', notAllowed],
      [undefined, /^accepted$/],
    ] as const) {
      const former = pair.sun.credentials;
      const octets = pair.sun.checkpoint();
      assert.ok(octets);
      pair.sun.restart(octets);
      pair.moon.command({ kind: 'rekey-ike' });
      pair.settle();
      if (secret !== undefined) pair.sun.credentials = sharedSecret(secret);
      assert.match(presented(pair), expected);
      pair.sun.credentials = former;
      if (secret !== undefined) pair.establish();
    }
  });
});

describe('a certificate that is trusted no more', () => {
  const credentials = (certificate: Uint8Array, key: Uint8Array): Credentials => ({
    sharedSecrets: [],
    privateKeys: [privateKeyFromPkcs8(key)],
    certificates: [certificate],
    authorities: [authority],
    revocationLists: [],
  });
  const signing = (
    host: HostName,
    certificate: Uint8Array,
    remote: Partial<ConnectionConfiguration['remote']> = {},
  ): ConnectionConfiguration => {
    const base = connection(host, { resumption });
    return {
      ...base,
      local: { ...base.local, method: 'pubkey', certificates: [certificate] },
      remote: { ...base.remote, method: 'pubkey', ...remote },
    };
  };
  const pairWith = (remote: Partial<ConnectionConfiguration['remote']> = {}): Pair => {
    const pair = new Pair({
      moon: {
        connections: [signing('moon', moonCertificate)],
        credentials: credentials(moonCertificate, moonKey),
      },
      sun: {
        connections: [signing('sun', sunCertificate, remote)],
        credentials: credentials(sunCertificate, sunKey),
      },
    });
    pair.sun.tickets = issuer(pair);
    return pair.establish();
  };

  test('ends its tickets: its authority is gone, a revocation list came, another certificate is named', () => {
    for (const change of [
      (pair: Pair) => {
        pair.sun.credentials = { ...pair.sun.credentials, authorities: [] };
      },
      (pair: Pair) => {
        pair.sun.credentials = { ...pair.sun.credentials, revocationLists: [Uint8Array.of(1)] };
      },
      (pair: Pair) => {
        pair.sun.connections = [signing('sun', sunCertificate, { authorities: [strangerCertificate] })];
      },
      (pair: Pair) => {
        pair.sun.connections = [signing('sun', sunCertificate, { certificates: [strangerCertificate] })];
      },
      (pair: Pair) => {
        pair.sun.connections = [signing('sun', sunCertificate, { revocation: 'strict' })];
      },
    ]) {
      const pair = pairWith();
      change(pair);
      assert.match(presented(pair), notAllowed);
    }
  });

  test('ends them where it was named itself, whatever authorities there are', () => {
    const named = { certificates: [moonCertificate] };
    const pair = pairWith(named);
    pair.sun.credentials = { ...pair.sun.credentials, authorities: [] };
    assert.equal(presented(pair), 'accepted');
    pair.sun.connections = [signing('sun', sunCertificate)];
    pair.sun.credentials = credentials(sunCertificate, sunKey);
    assert.match(presented(pair), notAllowed);
  });

  test('is one that is read again in another order', () => {
    const pair = pairWith();
    const authorities = [authority, strangerCertificate];
    pair.sun.credentials = { ...pair.sun.credentials, authorities };
    pair.sun.sas.length = 0;
    pair.moon.initiate(pair.sun.endpoint);
    pair.settle();
    pair.sun.credentials = { ...pair.sun.credentials, authorities: authorities.toReversed() };
    assert.equal(presented(pair), 'accepted');
  });

  test('while its path is validated gets a ticket that is good for nothing', () => {
    const pair = new Pair({
      moon: {
        connections: [signing('moon', moonCertificate)],
        credentials: credentials(moonCertificate, moonKey),
      },
      sun: {
        connections: [signing('sun', sunCertificate)],
        credentials: credentials(sunCertificate, sunKey),
      },
    });
    pair.sun.tickets = issuer(pair);
    pair.sun.holdComputation = true;
    pair.moon.initiate(pair.sun.endpoint);
    pair.settle();
    pair.sun.credentials = { ...pair.sun.credentials, revocationLists: [Uint8Array.of(1)] };
    const [held] = pair.sun.heldComputations;
    pair.sun.input(held!.sa, { kind: 'computed', id: held!.id, result: held!.result });
    pair.settle();
    assert.equal(pair.moon.sa.phase, 'established');
    assert.match(presented(pair), notAllowed);
  });
});
