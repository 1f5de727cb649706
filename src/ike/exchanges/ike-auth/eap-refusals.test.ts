// IKE_AUTH with EAP: who must not get in, who is not believed, and who gives up.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { privateKeyFromPkcs8 } from '#crypto';
import { AuthMethod, decodeIkeMessage, ExchangeType, NotifyType, type Payload } from '#wire';
import type { ConnectionConfiguration } from '../../configuration.ts';
import { findNotify, notify } from '../../payloads/notify.ts';
import { payloadOf } from '../../payloads/payload-lookup.ts';
import {
  authority,
  moonCertificate,
  moonKey,
  strangerCertificate,
  strangerKey,
} from '../../testing/certificates.ts';
import { connection, fqdn, sharedSecret, text } from '../../testing/connections.ts';
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
import { insider } from '../../testing/insider.ts';
import { Pair } from '../../testing/pair.ts';

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

  test('a user whose password is changed after he has proven that he knows the former one', () => {
    for (const datagrams of [8, 10]) {
      const pair = eapPair();
      pair.moon.initiate(pair.sun.endpoint);
      for (let sent = 0; sent < datagrams; sent++) pair.deliver(sent % 2 === 0 ? pair.sun : pair.moon);
      pair.sun.credentials = gatewayCredentials({ eapSecrets: [passwordOf(carol, 'lilies')] });
      pair.settle();
      refusedAtBothEnds(pair);
      assert.match(reasons(pair)[1]!, /carol has another password by now/);
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
