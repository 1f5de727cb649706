// IKE_AUTH with EAP: users with passwords, gateways with certificates, lost and repeated messages, and who must not get in.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { privateKeyFromPkcs8 } from '#crypto';
import { address } from '#sa';
import {
  AuthMethod,
  decodeIkeMessage,
  ExchangeType,
  encodeIkeMessage,
  NotifyType,
  type Payload,
} from '#wire';
import { formatIdentity } from '../../authentication/identity-text.ts';
import type { ConnectionConfiguration, Identity } from '../../configuration.ts';
import { findNotify, notify } from '../../payloads/notify.ts';
import { payloadOf } from '../../payloads/payload-lookup.ts';
import {
  authority,
  moonCertificate,
  moonKey,
  strangerCertificate,
  strangerKey,
} from '../../testing/certificates.ts';
import { block, child, connection, fqdn, sharedSecret, text } from '../../testing/connections.ts';
import {
  carol,
  clientConnection,
  clientCredentials,
  dave,
  eapPair,
  gatewayConnection,
  gatewayCredentials,
  gatewayInsider,
  passwordOf,
} from '../../testing/eap-pair.ts';
import { insider } from '../../testing/insider.ts';
import { type Datagram, Pair } from '../../testing/pair.ts';
import { issuer, loseSun, resumption } from '../../testing/resumption.ts';

const begun = (pair: Pair): Pair => {
  pair.moon.initiate(pair.sun.endpoint);
  pair.settle();
  return pair;
};

/** Why an IKE SA came to nothing, at either end. */
const reasons = ({ moon, sun }: Pair): readonly string[] =>
  [moon, sun].map((host) => host.eventsOf('ike-failed')[0]?.failure.detail ?? '');

function refusedAtBothEnds(pair: Pair): void {
  assert.equal(pair.moon.sa.phase, 'ended');
  assert.equal(pair.sun.sa.phase, 'ended');
  assert.equal(pair.moon.installed.size + pair.sun.installed.size, 0);
  assert.equal(pair.moon.reservedSpis.size + pair.sun.reservedSpis.size, 0);
}

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

describe('the gateway refuses', () => {
  test('a wrong password and an unknown user in the same messages, and says which it was', () => {
    const lengths: number[][] = [];
    for (const [user, expected] of [
      [carol, 'EAP: carol gave a wrong password'],
      [fqdn('frank'), 'EAP: there is no EAP secret for frank'],
    ] as const) {
      const pair = eapPair({
        client: { local: { method: 'eap', eapIdentity: user, certificates: [] } },
      });
      pair.moon.credentials = { ...clientCredentials(), eapSecrets: [passwordOf(user, 'roses')] };
      pair.moon.initiate(pair.sun.endpoint);
      const sent: number[] = [];
      for (pair.collect(); pair.wire.length > 0; pair.collect()) {
        const datagram = pair.wire.shift()!;
        if (datagram.to === pair.moon) sent.push(datagram.octets.length);
        pair.deliver(datagram.to, datagram);
      }
      lengths.push(sent);
      refusedAtBothEnds(pair);
      assert.deepEqual(reasons(pair), [
        'EAP: the gateway refuses us, which says "authentication failed": the user name or the password is wrong',
        expected,
      ]);
    }
    assert.deepEqual(lengths[0], lengths[1]);
  });

  test('a user that no connection takes, whatever his password is', () => {
    const pair = begun(
      eapPair({
        gateway: {
          remote: { ...gatewayConnection().remote, eapIdentity: { kind: 'exact', identity: dave } },
        },
      }),
    );
    refusedAtBothEnds(pair);
    assert.match(reasons(pair)[1]!, /no connection takes the user carol \(eap_id\)/);
  });

  test('a user who is another than the IKE identity says, where nothing else is configured', () => {
    const { eapIdentity: _, ...remote } = gatewayConnection().remote;
    const gateway = {
      remote: { ...remote, identity: { kind: 'exact', identity: fqdn('dave') } },
    } as const;
    const client: Partial<ConnectionConfiguration> = {
      local: { method: 'eap', identity: fqdn('dave'), eapIdentity: carol, certificates: [] },
    };
    const pair = begun(eapPair({ client, gateway }));
    refusedAtBothEnds(pair);
    assert.match(reasons(pair)[1]!, /no connection takes the user carol/);
  });

  // RFC 7296 2.16: only for connections that have it.
  test('EAP where the connection has none', () => {
    const psk = connection('sun', { remote: { ...connection('sun').remote, identity: { kind: 'any' } } });
    for (const method of ['psk', 'pubkey', 'any'] as const) {
      const gateway = gatewayConnection({ remote: { ...psk.remote, method } });
      const pair = new Pair({
        moon: { connections: [clientConnection()], credentials: clientCredentials() },
        sun: { connections: [gateway], credentials: gatewayCredentials() },
      });
      begun(pair);
      refusedAtBothEnds(pair);
      assert.match(reasons(pair)[1]!, /asks for EAP, and no connection for 192\.0\.2\.1 has it/);
    }
  });

  // RFC 7296 2.16: a gateway must have a public key.
  test('EAP for a connection in which its own proof would be a shared key', () => {
    const gateway = gatewayConnection({ local: connection('sun').local });
    const pair = new Pair({
      moon: { connections: [clientConnection()], credentials: clientCredentials() },
      sun: {
        connections: [gateway],
        credentials: { ...gatewayCredentials(), sharedSecrets: sharedSecret('x').sharedSecrets },
      },
    });
    begun(pair);
    refusedAtBothEnds(pair);
    assert.match(reasons(pair)[1]!, /no connection for 192\.0\.2\.1 has it/);
  });

  test('a shared key or a signature where the connection wants EAP', () => {
    for (const method of ['psk', 'pubkey'] as const) {
      const base = connection('moon');
      const pair = new Pair({
        moon: {
          connections: [
            {
              ...base,
              local: { ...base.local, method, certificates: [moonCertificate] },
              remote: { ...base.remote, method: 'any' },
            },
          ],
          credentials: {
            ...sharedSecret('x'),
            privateKeys: [privateKeyFromPkcs8(moonKey)],
            certificates: [moonCertificate],
            authorities: [authority],
          },
        },
        sun: {
          connections: [gatewayConnection()],
          credentials: gatewayCredentials({
            sharedSecrets: sharedSecret('x').sharedSecrets,
            authorities: [authority],
          }),
        },
      });
      begun(pair);
      refusedAtBothEnds(pair);
      assert.match(reasons(pair)[1]!, /gateway wants EAP, and the peer began without it/);
    }
  });

  test('an AUTH that does not have the session key, though the password was right', () => {
    for (const spoil of [
      (data: Uint8Array) => data.with(0, data[0]! ^ 1),
      (data: Uint8Array) => data.subarray(1),
      () => new Uint8Array(0),
    ]) {
      const gateway = gatewayInsider();
      for (let round = 0; round < 4; round++) {
        gateway.request();
        gateway.answer(gateway.realAnswer());
      }
      const auth = payloadOf(gateway.request().payloads, 'AUTH');
      assert.ok(auth);
      const { pair } = gateway;
      // The client's message in the hands of an insider: its Message ID is the fifth after IKE_SA_INIT.
      gateway.say([{ ...auth, data: spoil(auth.data) }]);
      pair.settle();
      assert.equal(pair.sun.sa.phase, 'ended');
      assert.match(reasons(pair)[1]!, /AUTH of carol does not have the key that came of it/);
      assert.equal(pair.sun.installed.size, 0);
    }
  });

  test('a user whose password or connection is taken away before he is done', () => {
    const remote = { ...gatewayConnection().remote, eapIdentity: { kind: 'exact', identity: dave } } as const;
    // IKE_SA_INIT and the first answer, then who he is, his proof and its acknowledgement.
    for (const datagrams of [4, 6, 8, 10]) {
      for (const [takeAway, expected] of [
        [
          (pair: Pair) => {
            pair.sun.credentials = gatewayCredentials({ eapSecrets: [passwordOf(dave, 'roses')] });
          },
          /there is no EAP secret for carol/,
        ],
        [
          (pair: Pair) => {
            pair.sun.connections = [];
          },
          /no connection takes the user carol/,
        ],
        [
          (pair: Pair) => {
            pair.sun.connections = [gatewayConnection({ remote })];
          },
          /no connection takes the user carol/,
        ],
      ] as const) {
        const pair = eapPair();
        pair.moon.initiate(pair.sun.endpoint);
        for (let sent = 0; sent < datagrams; sent++) pair.deliver(sent % 2 === 0 ? pair.sun : pair.moon);
        assert.equal(pair.sun.sa.phase, 'connecting');
        takeAway(pair);
        pair.settle();
        refusedAtBothEnds(pair);
        assert.match(reasons(pair)[1]!, expected);
      }
    }
  });

  test('whoever leaves EAP out once it has begun', () => {
    for (const payloads of [
      [],
      [{ type: 'AUTH', method: AuthMethod.SHARED_KEY, data: new Uint8Array(32) }],
      [{ type: 'IDi', idType: 2, data: text('carol') }],
    ] satisfies Payload[][]) {
      const { pair, send, answer } = insider(false, eapPair());
      send([{ type: 'IDi', idType: 2, data: text('x') }], ExchangeType.IKE_AUTH);
      assert.ok(payloadOf(answer(), 'EAP'));
      send(payloads, ExchangeType.IKE_AUTH);
      assert.ok(findNotify(answer(), NotifyType.INVALID_SYNTAX));
      assert.equal(pair.sun.sa.phase, 'ended');
      assert.equal(pair.sun.installed.size, 0);
    }
  });

  test('other exchanges before the user is known', () => {
    const { pair, send, answer } = insider(false, eapPair());
    send([{ type: 'IDi', idType: 2, data: text('x') }], ExchangeType.IKE_AUTH);
    answer();
    send([{ type: 'Nonce', data: new Uint8Array(32) }], ExchangeType.CREATE_CHILD_SA, 2);
    pair.collect();
    assert.equal(pair.wire.length, 0);
    assert.equal(pair.sun.sa.phase, 'connecting');
  });

  // RFC 7383 5: nobody is authenticated yet.
  test('to hold more fragments than of a half-open IKE SA', () => {
    const { pair, send, answer, sendWithoutEnd } = insider(false, eapPair());
    send([{ type: 'IDi', idType: 2, data: text('x') }], ExchangeType.IKE_AUTH);
    answer();
    sendWithoutEnd([{ type: 'V', data: new Uint8Array(60_000) }], ExchangeType.IKE_AUTH, 1_280);
    const dropped = pair.sun
      .eventsOf('message-rejected')
      .filter(({ reason }) => reason === 'a fragment was dropped: limit').length;
    assert.ok(dropped > 20, `${dropped} of 48 fragments were dropped`);
  });

  test('to wait for longer than for a half-open IKE SA', () => {
    const { pair, send, answer } = insider(false, eapPair());
    pair.wait(29_000);
    send([{ type: 'IDi', idType: 2, data: text('x') }], ExchangeType.IKE_AUTH);
    answer();
    assert.equal(pair.sun.sa.phase, 'connecting');
    pair.wait(1_000);
    assert.equal(pair.sun.sa.phase, 'ended');
  });
});

describe('an initiator that gives up', () => {
  test('is told apart from one that was refused', () => {
    for (const [payloads, expected] of [
      [[notify(NotifyType.AUTHENTICATION_FAILED)], /does not believe that we are who we say/],
      [[{ type: 'D', protocolId: 1, spiSize: 0, spis: [] }], /gave up before it was authenticated/],
      [[], /gave up before it was authenticated/],
    ] satisfies [Payload[], RegExp][]) {
      const { pair, send, answer } = insider(false, eapPair());
      send([{ type: 'IDi', idType: 2, data: text('x') }], ExchangeType.IKE_AUTH);
      answer();
      send(payloads);
      assert.deepEqual(answer(), []);
      assert.match(reasons(pair)[1]!, expected);
    }
  });
});

describe('the client refuses', () => {
  test('to begin without a password', () => {
    const pair = eapPair();
    pair.moon.credentials = { ...clientCredentials(), eapSecrets: [passwordOf(dave, 'x')] };
    begun(pair);
    assert.equal(reasons(pair)[0], 'there is no EAP secret for carol');
  });

  // RFC 7296 2.16: the gateway proves itself first.
  test('to say a word to a gateway that it does not believe, and tells it so', () => {
    const pair = new Pair({
      moon: { connections: [clientConnection()], credentials: clientCredentials() },
      sun: {
        connections: [
          gatewayConnection({ local: { ...gatewayConnection().local, certificates: [strangerCertificate] } }),
        ],
        credentials: gatewayCredentials({
          privateKeys: [privateKeyFromPkcs8(strangerKey)],
          certificates: [strangerCertificate],
        }),
      },
    });
    begun(pair);
    refusedAtBothEnds(pair);
    assert.match(reasons(pair)[1]!, /does not believe that we are who we say/);
    assert.equal(pair.moon.eventsOf('ike-failed')[0]?.failure.code, 'authentication-failed');
  });

  test('a gateway that leaves AUTH out, or proves itself by a shared key, or by nothing that is true', () => {
    const answers: readonly ((real: readonly Payload[]) => readonly Payload[])[] = [
      (real) => real.filter(({ type }) => type !== 'AUTH'),
      (real) => real.filter(({ type }) => type !== 'IDr'),
      (real) => real.filter(({ type }) => type !== 'EAP'),
      (real) => real.map((one) => (one.type === 'AUTH' ? { ...one, method: AuthMethod.SHARED_KEY } : one)),
      (real) =>
        real.map((one) =>
          one.type === 'AUTH' ? { ...one, data: one.data.with(90, one.data[90]! ^ 1) } : one,
        ),
      () => [{ type: 'EAP', message: Uint8Array.of(1, 1, 0, 5, 1) }],
      // RFC 5998 is for methods that can stand without certificates, which this one cannot.
      (real) => real.filter(({ type }) => type === 'EAP' || type === 'IDr'),
    ];
    for (const [index, change] of answers.entries()) {
      const gateway = gatewayInsider();
      gateway.request();
      gateway.answer(change(gateway.realAnswer()));
      const { moon } = gateway.pair;
      assert.equal(moon.sa.phase, 'ended', `answer ${index}`);
      assert.equal(moon.reservedSpis.size, 0);
      gateway.pair.collect();
      for (const { octets } of gateway.pair.wire) {
        assert.notEqual(decodeIkeMessage(octets).header.exchangeType, ExchangeType.IKE_AUTH);
      }
    }
  });

  test('a shared key of the gateway, even if any authentication would do otherwise', () => {
    const pair = new Pair({
      moon: {
        connections: [clientConnection({ remote: { ...clientConnection().remote, method: 'any' } })],
        credentials: { ...clientCredentials(), sharedSecrets: sharedSecret('group').sharedSecrets },
      },
    });
    const gateway = gatewayInsider(pair);
    gateway.request();
    gateway.answer([
      { type: 'IDr', idType: 2, data: text('sun.example.org') },
      { type: 'AUTH', method: AuthMethod.SHARED_KEY, data: new Uint8Array(32) },
      { type: 'EAP', message: Uint8Array.of(1, 1, 0, 5, 1) },
    ]);
    assert.match(reasons(pair)[0]!, /EAP needs a gateway that proves itself by a certificate/);
  });

  test('a success that was not earned, and an AUTH without the session key at the end', () => {
    const early = gatewayInsider();
    early.request();
    early.answer(early.realAnswer());
    early.request();
    early.answer([{ type: 'EAP', message: Uint8Array.of(3, 1, 0, 4) }]);
    assert.match(reasons(early.pair)[0]!, /without knowing the password/);

    const late = gatewayInsider();
    for (let round = 0; round < 4; round++) {
      late.request();
      late.answer(late.realAnswer());
    }
    late.request();
    late.answer(
      late
        .realAnswer()
        .map((one) => (one.type === 'AUTH' ? { ...one, data: one.data.with(3, one.data[3]! ^ 1) } : one)),
    );
    assert.match(reasons(late.pair)[0]!, /gateway's AUTH does not have the key that came of it/);
    assert.equal(late.pair.moon.installed.size, 0);
    assert.equal(late.pair.moon.reservedSpis.size, 0);
  });

  test('and says what the gateway says', () => {
    const gateway = gatewayInsider();
    gateway.request();
    gateway.answer([notify(NotifyType.AUTHENTICATION_FAILED)]);
    assert.match(reasons(gateway.pair)[0]!, /has no connection with EAP for us as 192\.0\.2\.1/);
    const later = gatewayInsider();
    later.request();
    later.answer(later.realAnswer());
    later.request();
    later.answer([notify(NotifyType.TEMPORARY_FAILURE)]);
    assert.match(reasons(later.pair)[0]!, /EAP: the gateway sent TEMPORARY_FAILURE/);
    assert.equal(later.pair.moon.reservedSpis.size, 0);
  });

  test('to wait for a validation without end, and gives its reservations back', () => {
    const pair = eapPair();
    pair.moon.holdComputation = true;
    begun(pair);
    assert.equal(pair.moon.heldComputations.length, 1);
    pair.wait(60_000);
    assert.equal(pair.moon.sa.phase, 'ended');
    assert.equal(pair.moon.reservedSpis.size, 0);
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

  test('is of no use once the user is nobody, or the connection takes him no more', () => {
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
