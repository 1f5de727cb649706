// IKE_AUTH with EAP: users with passwords, gateways with certificates, lost and repeated messages, several connections.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { address } from '#sa';
import { decodeIkeMessage, encodeIkeMessage, NotifyType, type Payload } from '#wire';
import { formatIdentity } from '../../authentication/identity-text.ts';
import type { ConnectionConfiguration, Identity } from '../../configuration.ts';
import { notify } from '../../payloads/notify.ts';
import { block, child, connection, fqdn, sharedSecret } from '../../testing/connections.ts';
import {
  begun,
  carol,
  clientConnection,
  clientCredentials,
  dave,
  eapPair,
  gatewayConnection,
  gatewayCredentials,
  gatewayInsider,
  passwordOf,
  reasons,
  refusedAtBothEnds,
} from '../../testing/eap-pair.ts';
import { type Datagram, Pair } from '../../testing/pair.ts';

describe('a user with a password and a gateway with a certificate', () => {
  // RFC 7296 2.16, C.3
  test('make an IKE SA and a Child SA', () => {
    const pair = eapPair().establish();
    pair.assertKeysAgree();
    assert.equal(pair.moon.installed.size, 2);
    assert.equal(formatIdentity(pair.sun.sa.remoteEapIdentity!), 'carol');
    assert.equal(formatIdentity(pair.sun.sa.remoteIdentity!), '192.0.2.1');
    assert.equal(pair.moon.sa.remoteEapIdentity, undefined);
    assert.equal(formatIdentity(pair.moon.sa.remoteIdentity!), 'sun.example.org');
  });

  // RFC 7296 2.16: the gateway signs before anything is asked, and AUTH comes again at the end.
  test('exchange what RFC 7296 C.3 has', () => {
    const gateway = gatewayInsider();
    const types = (payloads: readonly Payload[]): string =>
      payloads.flatMap(({ type }) => (type === 'N' ? [] : [type])).join(' ');
    const seen: string[] = [];
    for (let round = 0; round < 5; round++) {
      seen.push(types(gateway.request().payloads));
      const answer = gateway.realAnswer();
      seen.push(types(answer));
      gateway.answer(answer);
    }
    assert.deepEqual(seen, [
      'IDi CERTREQ IDr SA TSi TSr',
      'IDr CERT AUTH EAP',
      'EAP',
      'EAP',
      'EAP',
      'EAP',
      'EAP',
      'EAP',
      'AUTH',
      'AUTH SA TSi TSr',
    ]);
    assert.equal(gateway.pair.moon.sa.phase, 'established');
  });

  test('go on if every message is lost once, and nothing happens twice', () => {
    const pair = eapPair();
    pair.moon.initiate(pair.sun.endpoint);
    for (let round = 0; round < 6; round++) {
      pair.drop(pair.sun);
      pair.wait(1000);
      pair.deliver(pair.sun);
      pair.drop(pair.moon);
      pair.wait(2000);
      pair.deliver(pair.sun);
      pair.deliver(pair.moon);
    }
    pair.settle();
    assert.equal(pair.moon.sa.phase, 'established');
    assert.equal(pair.sun.sa.phase, 'established');
    pair.assertKeysAgree();
  });

  test('are not disturbed by messages that come twice, or late', () => {
    const pair = eapPair();
    pair.moon.initiate(pair.sun.endpoint);
    pair.collect();
    const old = [];
    while (pair.wire.length > 0) {
      const datagram = pair.take(pair.wire[0]!.to);
      old.push(datagram);
      pair.deliver(datagram.to, datagram);
      for (const one of old) {
        one.to.receive(one.destination, one.source, one.octets);
        one.to.drain();
      }
      pair.collect();
    }
    assert.equal(pair.moon.sa.phase, 'established');
    assert.equal(pair.sun.sa.phase, 'established');
  });

  test('come to an end whatever is lost, repeated or overtaken for a while', () => {
    const retransmit = { baseMs: 500, factor: 1.1, tries: 40, jitter: 0 };
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('deliver', 'drop', 'twice', 'hold'), { minLength: 10, maxLength: 60 }),
        (weather) => {
          const pair = eapPair({
            client: { retransmit, fragmentSizeBytes: 576 },
            gateway: { fragmentSizeBytes: 576 },
          });
          pair.moon.initiate(pair.sun.endpoint);
          const held: Datagram[] = [];
          for (const now of weather) {
            pair.collect();
            const datagram = pair.wire.shift();
            if (datagram === undefined) {
              pair.wait(600);
              continue;
            }
            if (now === 'hold') held.push(datagram);
            if (now === 'deliver' || now === 'twice') pair.deliver(datagram.to, datagram);
            if (now === 'twice') pair.deliver(datagram.to, datagram);
          }
          for (const datagram of held) pair.deliver(datagram.to, datagram);
          pair.run(20_000);
          assert.equal(pair.moon.sa.phase, 'established');
          assert.equal(pair.sun.sa.phase, 'established');
          assert.equal(pair.sun.installed.size, 2);
          pair.assertKeysAgree();
        },
      ),
      { numRuns: 60 },
    );
  });

  // RFC 7296 2.6, 2.15: both AUTH payloads of the initiator cover what it sent last.
  test('do not mind which of two first requests the gateway has taken, with the cookie or without', () => {
    const pair = eapPair();
    pair.moon.initiate(pair.sun.endpoint);
    const asked = pair.take(pair.sun);
    pair.wait(1000);
    const bare = pair.take(pair.sun);
    const { header } = decodeIkeMessage(asked.octets);
    const demand = encodeIkeMessage({
      header: { ...header, initiator: false, response: true },
      payloads: [notify(NotifyType.COOKIE, Uint8Array.of(1, 2, 3, 4))],
    });
    const back = { to: pair.moon, source: asked.destination, destination: asked.source };
    pair.deliver(pair.moon, { ...back, octets: demand });
    const cookied = pair.take(pair.sun);
    pair.deliver(pair.sun, bare);
    pair.deliver(pair.sun, cookied);
    pair.settle();
    assert.equal(pair.moon.sa.phase, 'established');
    assert.equal(pair.sun.sas.length, 1);
  });

  // RFC 7383
  test('cut messages into fragments as without EAP', () => {
    const small = { fragmentSizeBytes: 576 };
    const pair = eapPair({ client: small, gateway: small });
    pair.moon.initiate(pair.sun.endpoint);
    pair.deliver(pair.sun);
    pair.deliver(pair.moon);
    pair.deliver(pair.sun);
    const answers = pair.wire.filter(({ to }) => to === pair.moon);
    assert.ok(answers.length > 1, 'the certificate needs several');
    pair.settle();
    assert.equal(pair.moon.sa.phase, 'established');
  });

  test('find each other through a NAT', () => {
    const pair = eapPair();
    pair.natAddress = address('203.0.113.7');
    pair.establish();
    assert.equal(pair.sun.sa.remote.port, 24_500);
    assert.equal(pair.sun.sasOf('outbound')[0]?.encapsulation?.remotePort, 24_500);
  });

  // RFC 7296 3.15
  test('agree on a virtual address, which is the user’s', () => {
    const virtual = address('10.3.0.9');
    const dynamic = { dynamic: true, protocol: 0, startPort: 0, endPort: 65535 } as const;
    const identities: string[] = [];
    const pair = new Pair({
      moon: {
        connections: [
          clientConnection({
            virtualAddresses: [address('0.0.0.0')],
            children: [child('moon', { localSelectors: [dynamic] })],
          }),
        ],
        credentials: clientCredentials(),
      },
      sun: {
        connections: [
          gatewayConnection({
            pools: ['road'],
            children: [child('sun', { remoteSelectors: [dynamic] })],
          }),
        ],
        credentials: gatewayCredentials(),
        lease: { addresses: [virtual], dns: [], attributes: [] },
      },
    });
    pair.sun.leaseFor = (identity) => identities.push(formatIdentity(identity));
    pair.establish();
    assert.deepEqual(identities, ['carol']);
    assert.deepEqual(pair.moon.eventsOf('virtual-addresses')[0]?.addresses, [virtual]);
    assert.deepEqual(pair.sun.sasOf('outbound')[0]?.selectors.remote, [block('10.3.0.9/32')]);
  });

  test('rekey, and the user stays who he is', () => {
    const pair = eapPair().establish();
    for (const host of [pair.moon, pair.sun]) {
      host.command({ kind: 'rekey-ike' });
      pair.settle();
      assert.equal(formatIdentity(pair.sun.sa.remoteEapIdentity!), 'carol');
    }
  });

  test('may have the address as the user that the configuration names no other', () => {
    const user = fqdn('moon.example.org');
    const pair = eapPair({
      client: { local: { method: 'eap', identity: user, certificates: [] } },
      gateway: { remote: { ...gatewayConnection().remote, identity: { kind: 'exact', identity: user } } },
    });
    pair.moon.credentials = { ...clientCredentials(), eapSecrets: [passwordOf(user, 'x')] };
    pair.sun.credentials = gatewayCredentials({ eapSecrets: [passwordOf(user, 'x')] });
    pair.establish();
    assert.equal(formatIdentity(pair.sun.sa.remoteEapIdentity!), 'moon.example.org');
  });
});

describe('several connections of a gateway', () => {
  const gatewayNamed = (
    name: string,
    change: Partial<ConnectionConfiguration['remote']>,
  ): ConnectionConfiguration =>
    gatewayConnection({ name, remote: { ...gatewayConnection().remote, ...change } });
  const toGateways = (connections: readonly ConnectionConfiguration[]): Pair =>
    begun(
      new Pair({
        moon: { connections: [clientConnection()], credentials: clientCredentials() },
        sun: { connections, credentials: gatewayCredentials() },
      }),
    );

  test('are told apart by the user that was authenticated', () => {
    const pair = toGateways([
      gatewayNamed('daves', { eapIdentity: { kind: 'exact', identity: dave } }),
      gatewayNamed('carols', { eapIdentity: { kind: 'exact', identity: carol } }),
      gatewayNamed('all', { eapIdentity: { kind: 'any' } }),
    ]);
    assert.equal(pair.sun.sa.phase, 'established');
    assert.equal(pair.sun.sa.connection.name, 'carols');
  });

  test('without EAP are passed over by who wants EAP', () => {
    const named = { kind: 'exact', identity: { idType: 1, data: Uint8Array.of(192, 0, 2, 1) } } as const;
    const pair = toGateways([
      connection('sun', { name: 'site', remote: { ...connection('sun').remote, identity: named } }),
      gatewayNamed('road', {}),
    ]);
    assert.equal(pair.sun.sa.connection.name, 'road');
  });

  test('may be one for each user, and many that stand before a connection without EAP', () => {
    const daves = Array.from({ length: 40 }, (_, at) =>
      gatewayNamed(`dave ${at}`, { eapIdentity: { kind: 'exact', identity: dave } }),
    );
    const carols = gatewayNamed('carols', { eapIdentity: { kind: 'exact', identity: carol } });
    const plain = connection('sun', {
      name: 'plain',
      remote: { ...connection('sun').remote, identity: { kind: 'any' } },
    });
    assert.equal(toGateways([...daves, carols]).sun.sa.connection.name, 'carols');
    const psk = new Pair({
      moon: { connections: [connection('moon')], credentials: sharedSecret('x') },
      sun: {
        connections: [...daves, plain],
        credentials: gatewayCredentials({ sharedSecrets: sharedSecret('x').sharedSecrets }),
      },
    }).establish();
    assert.equal(psk.sun.sa.connection.name, 'plain');
  });

  // Who we are is what the certificate says, to the users of either.
  test('may be one for each user where only the certificate says who the gateway is', () => {
    const unnamed = (name: string, user: Identity): ConnectionConfiguration => {
      const { identity: _, ...local } = gatewayConnection().local;
      return { ...gatewayNamed(name, { eapIdentity: { kind: 'exact', identity: user } }), local };
    };
    const pair = begun(
      new Pair({
        moon: {
          connections: [
            clientConnection({ remote: { ...clientConnection().remote, identity: { kind: 'any' } } }),
          ],
          credentials: clientCredentials(),
        },
        sun: {
          connections: [unnamed('daves', dave), unnamed('carols', carol)],
          credentials: gatewayCredentials(),
        },
      }),
    );
    assert.equal(pair.sun.sa.phase, 'established', reasons(pair).join('; '));
    assert.equal(pair.sun.sa.connection.name, 'carols');
  });

  test('for another IKE identity are nobody’s', () => {
    const pair = toGateways([gatewayNamed('other', { identity: { kind: 'exact', identity: fqdn('else') } })]);
    refusedAtBothEnds(pair);
  });
});

// RFC 5723 5
