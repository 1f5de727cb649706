// What EAP has proven later on: tickets and checkpoints know the user, and whether he still gets in.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { privateKeyFromPkcs8 } from '#crypto';
import { formatIdentity } from '../../authentication/identity-text.ts';
import { moonCertificate, moonKey } from '../../testing/certificates.ts';
import { connection, sharedSecret } from '../../testing/connections.ts';
import {
  carol,
  clientConnection,
  clientCredentials,
  dave,
  eapPair,
  gatewayConnection,
  gatewayCredentials,
  passwordOf,
  reasons,
} from '../../testing/eap-pair.ts';
import { Pair } from '../../testing/pair.ts';
import { issuer, loseSun, resumption } from '../../testing/resumption.ts';

describe('a ticket of an IKE SA with EAP', () => {
  const resumable = (): Pair => {
    const pair = eapPair({ client: { resumption }, gateway: { resumption } });
    pair.sun.tickets = issuer(pair);
    return pair.establish();
  };

  test('resumes it without EAP, and the user stays who he is', () => {
    const pair = resumable();
    loseSun(pair);
    pair.moon.resume(pair.sun.endpoint);
    pair.settle();
    assert.equal(pair.moon.sa.phase, 'established');
    assert.equal(pair.sun.sa.phase, 'established');
    assert.equal(formatIdentity(pair.sun.sa.remoteEapIdentity!), 'carol');
    assert.equal(formatIdentity(pair.sun.sa.remoteIdentity!), '192.0.2.1');
    assert.equal(
      pair.sun.eventsOf('ike-established').at(-1)?.remoteEapIdentity,
      pair.sun.sa.remoteEapIdentity,
    );
  });

  const changes = [
    (pair: Pair) => {
      pair.sun.credentials = gatewayCredentials({ eapSecrets: [passwordOf(carol, 'lilies')] });
    },
    (pair: Pair) => {
      pair.sun.credentials = gatewayCredentials({ eapSecrets: [passwordOf(dave, 'roses')] });
    },
    (pair: Pair) => {
      const remote = {
        ...gatewayConnection().remote,
        eapIdentity: { kind: 'exact', identity: dave },
      } as const;
      pair.sun.connections = [gatewayConnection({ resumption, remote })];
    },
    (pair: Pair) => {
      const remote = { ...gatewayConnection().remote, method: 'any' } as const;
      pair.sun.connections = [gatewayConnection({ resumption, remote })];
    },
  ];

  test('is of no use once the user has another password, is nobody, or the connection takes him no more', () => {
    for (const change of changes) {
      const pair = resumable();
      loseSun(pair);
      change(pair);
      pair.moon.resume(pair.sun.endpoint);
      pair.settle();
      assert.equal(pair.moon.sa.phase, 'ended');
      assert.equal(pair.moon.eventsOf('ike-failed').at(-1)?.failure.code, 'ticket-refused');
    }
  });

  test('is of no use if that happens before its holder has proven himself', () => {
    for (const change of changes) {
      const pair = resumable();
      loseSun(pair);
      pair.moon.resume(pair.sun.endpoint);
      pair.deliver(pair.sun);
      pair.deliver(pair.moon);
      assert.equal(pair.sun.sa.phase, 'connecting');
      change(pair);
      pair.settle();
      assert.equal(pair.moon.sa.phase, 'ended');
      assert.equal(pair.sun.sa.phase, 'ended');
      assert.match(reasons(pair)[1]!, /does not allow any more what the ticket stands for/);
    }
  });

  test('of one without EAP is of no use once the connection wants EAP', () => {
    for (const method of ['psk', 'pubkey'] as const) {
      const moon = connection('moon', { resumption });
      const sun = connection('sun', { resumption });
      const secrets = sharedSecret('x').sharedSecrets;
      const plain = new Pair({
        moon: {
          connections: [{ ...moon, local: { ...moon.local, method, certificates: [moonCertificate] } }],
          credentials: {
            ...clientCredentials(),
            sharedSecrets: secrets,
            privateKeys: [privateKeyFromPkcs8(moonKey)],
          },
        },
        sun: {
          connections: [{ ...sun, remote: { ...sun.remote, method, certificates: [moonCertificate] } }],
          credentials: gatewayCredentials({ sharedSecrets: secrets }),
        },
      });
      plain.sun.tickets = issuer(plain);
      plain.establish();
      loseSun(plain);
      plain.sun.connections = [gatewayConnection({ resumption })];
      plain.moon.resume(plain.sun.endpoint);
      plain.settle();
      assert.equal(plain.moon.eventsOf('ike-failed').at(-1)?.failure.code, 'ticket-refused', method);
    }
  });
});

test('a gateway that starts again with its checkpoint knows the user', () => {
  const pair = new Pair({
    moon: { connections: [clientConnection()], credentials: clientCredentials() },
    sun: { connections: [gatewayConnection()], credentials: gatewayCredentials(), checkpoints: true },
  }).establish();
  const octets = pair.sun.checkpoint();
  assert.ok(octets);
  pair.sun.restart(octets);
  assert.equal(formatIdentity(pair.sun.sa.remoteEapIdentity!), 'carol');
});

test('no snapshot is taken while EAP is under way', () => {
  const pair = new Pair({
    moon: { connections: [clientConnection()], credentials: clientCredentials(), checkpoints: true },
    sun: { connections: [gatewayConnection()], credentials: gatewayCredentials(), checkpoints: true },
  });
  pair.moon.initiate(pair.sun.endpoint);
  for (let round = 0; round < 3; round++) {
    pair.deliver(pair.sun);
    assert.equal(pair.sun.checkpoint(), undefined);
    pair.deliver(pair.moon);
    assert.equal(pair.moon.checkpoint(), undefined);
  }
  pair.settle();
  assert.equal(pair.sun.sa.phase, 'established');
});
