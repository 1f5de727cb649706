// EAP between a peer and an authenticator without IKE: who gets in, who does not, and what strange messages lead to.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { seededRandomness } from '#crypto';
import {
  decodeEapPacket,
  decodeMsChapRequest,
  decodeUtf8,
  EapCode,
  EapType,
  encodeEapPacket,
  encodeMsChapRequest,
  encodeMsChapResponse,
  encodeUtf8,
} from '#wire';
import { sameIdentity } from '../authentication/identity-match.ts';
import { formatIdentity } from '../authentication/identity-text.ts';
import type { Identity } from '../configuration.ts';
import {
  EapAuthenticator,
  type EapAuthenticatorOptions,
  type EapAuthenticatorStep,
  type PasswordLookup,
} from './eap-authenticator.ts';
import { EapPeer, type EapPeerStep } from './eap-peer.ts';
import { identityOfUserName, userNameOf, withoutDomain } from './user-name.ts';

const users: Readonly<Record<string, string>> = {
  carol: 'tulips',
  dave: 'daisies',
  'keyid:WORK\\carol': 'tulips',
};

function passwordOf(user: Identity): PasswordLookup {
  const password = users[formatIdentity(user)];
  return password === undefined
    ? { kind: 'none', reason: `${formatIdentity(user)} is nobody` }
    : { kind: 'password', password: encodeUtf8(password) };
}

function authenticatorWith(change: Partial<EapAuthenticatorOptions> = {}): EapAuthenticator {
  return new EapAuthenticator({
    randomness: seededRandomness(encodeUtf8('gateway')),
    askIdentity: true,
    ownName: encodeUtf8('gateway.example.org'),
    passwordOf,
    ...change,
  });
}

function peerOf(userName = 'carol', password = 'tulips'): EapPeer {
  return new EapPeer({
    randomness: seededRandomness(encodeUtf8('client')),
    userName: encodeUtf8(userName),
    password: encodeUtf8(password),
  });
}

/** Of a step that is no waiting. */
function messageOf(step: EapAuthenticatorStep): Uint8Array {
  assert.ok(step.kind !== 'wait');
  return step.message;
}

interface Conversation {
  readonly requests: readonly Uint8Array[];
  readonly responses: readonly Uint8Array[];
  readonly authenticator: EapAuthenticatorStep | undefined;
  readonly peer: EapPeerStep;
}

/** Until either has no more to say. */
function converse(authenticator: EapAuthenticator, peer: EapPeer): Conversation {
  const requests = [authenticator.begin()];
  const responses: Uint8Array[] = [];
  let judged: EapAuthenticatorStep | undefined;
  for (;;) {
    const heard = peer.receive(requests.at(-1)!);
    if (heard.kind !== 'respond') return { requests, responses, authenticator: judged, peer: heard };
    responses.push(heard.message);
    judged = authenticator.receive(heard.message);
    requests.push(messageOf(judged));
  }
}

const typesOf = (messages: readonly Uint8Array[]): unknown[] =>
  messages.map((octets) => {
    const packet = decodeEapPacket(octets);
    return 'type' in packet ? packet.type : packet.code;
  });

const request = (type: number, data: Uint8Array, identifier = 1): Uint8Array =>
  encodeEapPacket({ code: EapCode.REQUEST, identifier, type, data });

describe('a user', () => {
  // RFC 3748 2, RFC 2759 4 to 6
  test('with the right password gets in, and both ends have the same session key', () => {
    const { requests, responses, authenticator, peer } = converse(authenticatorWith(), peerOf());
    assert.ok(authenticator?.kind === 'success' && peer.kind === 'success');
    assert.equal(formatIdentity(authenticator.user), 'carol');
    assert.deepEqual(authenticator.sessionKey, peer.sessionKey);
    assert.equal(peer.sessionKey.length, 64);
    assert.deepEqual(typesOf(requests), [
      EapType.IDENTITY,
      EapType.MSCHAPV2,
      EapType.MSCHAPV2,
      EapCode.SUCCESS,
    ]);
    assert.deepEqual(typesOf(responses), [EapType.IDENTITY, EapType.MSCHAPV2, EapType.MSCHAPV2]);
  });

  test('need not be asked who he is before', () => {
    const { requests, peer } = converse(authenticatorWith({ askIdentity: false }), peerOf());
    assert.equal(peer.kind, 'success');
    assert.equal(typesOf(requests)[0], EapType.MSCHAPV2);
  });

  // RFC 2759 4
  test('may have a domain in front of his name, which is looked up but not computed with', () => {
    const { authenticator, peer } = converse(
      authenticatorWith({
        passwordOf: (user) => {
          assert.equal(decodeUtf8(user.data), 'WORK\\carol');
          return { kind: 'password', password: encodeUtf8('tulips') };
        },
      }),
      peerOf('WORK\\carol'),
    );
    assert.ok(authenticator?.kind === 'success' && peer.kind === 'success');
    assert.deepEqual(withoutDomain(encodeUtf8('WORK\\carol')), encodeUtf8('carol'));
    assert.deepEqual(withoutDomain(encodeUtf8('carol')), encodeUtf8('carol'));
  });

  test('is who gave the password, whatever he said before', () => {
    const gateway = authenticatorWith();
    const first = decodeEapPacket(gateway.begin());
    const { identifier } = first;
    const asked = gateway.receive(
      encodeEapPacket({
        code: EapCode.RESPONSE,
        identifier,
        type: EapType.IDENTITY,
        data: encodeUtf8('dave'),
      }),
    );
    assert.equal(asked.kind, 'ask');
    const carol = peerOf();
    const answer = carol.receive(messageOf(asked));
    assert.ok(answer.kind === 'respond');
    const proven = gateway.receive(answer.message);
    const acknowledged = carol.receive(messageOf(proven));
    assert.ok(acknowledged.kind === 'respond');
    const step = gateway.receive(acknowledged.message);
    assert.ok(step.kind === 'success');
    assert.equal(formatIdentity(step.user), 'carol');
  });
});

describe('who gives a wrong password, and who is nobody,', () => {
  test('are told the same, in messages of the same lengths', () => {
    const wrong = converse(authenticatorWith(), peerOf('carol', 'roses!'));
    const nobody = converse(authenticatorWith(), peerOf('erika', 'roses!'));
    for (const { authenticator, peer } of [wrong, nobody]) {
      assert.ok(authenticator?.kind === 'failure' && peer.kind === 'failure');
      assert.ok(peer.told);
      assert.match(peer.reason, /the user name or the password is wrong/);
    }
    // The same seed of the gateway: its challenges are the same, and everything else has to be.
    assert.deepEqual(wrong.requests, nobody.requests);
    assert.ok(wrong.authenticator?.kind === 'failure' && nobody.authenticator?.kind === 'failure');
    assert.equal(wrong.authenticator.reason, 'carol gave a wrong password');
    assert.equal(nobody.authenticator.reason, 'erika is nobody');
  });

  test('do not get in with the password that is computed with in place of none', () => {
    const { authenticator } = converse(authenticatorWith(), peerOf('erika', 'nobody has this one'));
    assert.equal(authenticator?.kind, 'failure');
  });

  test('are told the same where nobody looks at what they gave', () => {
    const wrong = converse(authenticatorWith(), peerOf('carol', 'roses!'));
    const unheard = converse(authenticatorWith({ admit: () => ({ kind: 'refuse' }) }), peerOf());
    assert.deepEqual(unheard.requests, wrong.requests);
    assert.ok(unheard.authenticator?.kind === 'failure');
    assert.match(unheard.authenticator.reason, /^carol was not heard: too many wrong passwords/);
  });

  test('have to wait for it if the host says so, and may not say anything else meanwhile', () => {
    const waits = (): EapAuthenticator =>
      authenticatorWith({ askIdentity: false, admit: () => ({ kind: 'wait', forMs: 7 }) });
    for (const [password, expected] of [
      ['tulips', 'S='],
      ['roses', 'E=691'],
    ] as const) {
      const gateway = waits();
      const answer = peerOf('carol', password).receive(gateway.begin());
      assert.ok(answer.kind === 'respond');
      assert.deepEqual(gateway.receive(answer.message), { kind: 'wait', forMs: 7 });
      const judged = decodeEapPacket(messageOf(gateway.judgeHeld()));
      assert.ok('data' in judged);
      const packet = decodeMsChapRequest(judged.data);
      assert.ok(packet.kind !== 'challenge' && decodeUtf8(packet.message).startsWith(expected));
    }
    const gateway = waits();
    const answer = peerOf().receive(gateway.begin());
    assert.ok(answer.kind === 'respond');
    gateway.receive(answer.message);
    assert.equal(gateway.receive(answer.message).kind, 'failure');
    assert.throws(() => gateway.judgeHeld(), /no answer that waits/);
  });

  // RFC 2759 6
  test('are told not to try again, and have one try', () => {
    const { requests } = converse(authenticatorWith(), peerOf('carol', 'roses'));
    const refusal = decodeEapPacket(requests[2]!);
    assert.ok('data' in refusal);
    const packet = decodeMsChapRequest(refusal.data);
    assert.ok(packet.kind === 'failure');
    assert.match(decodeUtf8(packet.message), /^E=691 R=0 C=[0-9A-F]{32} V=3 M=/);
    const gateway = authenticatorWith({ askIdentity: false });
    const challenge = gateway.begin();
    const first = peerOf('carol', 'roses').receive(challenge);
    assert.ok(first.kind === 'respond');
    const message = messageOf(gateway.receive(first.message));
    assert.deepEqual(gateway.refusal, { reason: 'carol gave a wrong password' });
    // The right one at last, for the same challenge, with the identifier that is asked for now.
    const second = peerOf().receive(challenge);
    assert.ok(second.kind === 'respond');
    const again = gateway.receive(second.message.with(1, message[1]!));
    assert.equal(again.kind, 'failure');
  });
});

describe('an authenticator', () => {
  // RFC 3748 5.3.1
  test('has no other method for who does not want this one, and says which was wanted', () => {
    for (const [types, words] of [
      [[EapType.TLS, EapType.TTLS], /not want EAP-MSCHAPv2, but EAP-TLS or EAP-TTLS/],
      [[0], /not want EAP-MSCHAPv2, but no method that we could offer/],
      [[], /but no method/],
      [Array.from({ length: 200 }, () => 99), /(EAP type 99 or ){7}EAP type 99$/],
    ] as const) {
      const gateway = authenticatorWith({ askIdentity: false });
      const identifier = gateway.begin()[1]!;
      const data = Uint8Array.from(types);
      const step = gateway.receive(
        encodeEapPacket({ code: EapCode.RESPONSE, identifier, type: EapType.NAK, data }),
      );
      assert.ok(step.kind === 'failure');
      assert.match(step.reason, words);
      assert.deepEqual(decodeEapPacket(step.message), { code: EapCode.FAILURE, identifier });
    }
  });

  test('lets nobody in who answers another request, or with a request', () => {
    const answer = (change: (octets: Uint8Array) => Uint8Array): EapAuthenticatorStep => {
      const gateway = authenticatorWith({ askIdentity: false });
      const heard = peerOf().receive(gateway.begin());
      assert.ok(heard.kind === 'respond');
      return gateway.receive(change(heard.message));
    };
    assert.equal(answer((octets) => octets).kind, 'ask');
    assert.equal(answer((octets) => octets.with(0, EapCode.REQUEST)).kind, 'failure');
    assert.equal(answer((octets) => octets.with(1, octets[1]! ^ 1)).kind, 'failure');
    assert.equal(answer(() => Uint8Array.of(EapCode.SUCCESS, 0, 0, 4)).kind, 'failure');
  });

  test('lets nobody in who acknowledges a success that there was not', () => {
    for (const kind of ['success', 'failure'] as const) {
      const gateway = authenticatorWith({ askIdentity: false });
      const identifier = gateway.begin()[1]!;
      const data = encodeMsChapResponse({ kind });
      const step = gateway.receive(
        encodeEapPacket({ code: EapCode.RESPONSE, identifier, type: EapType.MSCHAPV2, data }),
      );
      assert.equal(step.kind, 'failure');
    }
  });

  test('lets nobody in once it has failed', () => {
    const gateway = authenticatorWith({ askIdentity: false });
    const heard = peerOf().receive(gateway.begin());
    assert.ok(heard.kind === 'respond');
    assert.equal(gateway.receive(new Uint8Array(0)).kind, 'failure');
    assert.equal(gateway.receive(heard.message).kind, 'failure');
  });

  test('answers a name that is longer than any with a failure', () => {
    const { authenticator } = converse(authenticatorWith(), peerOf('c'.repeat(257)));
    assert.ok(authenticator?.kind === 'failure');
    assert.match(authenticator.reason, /too long/);
  });

  test('answers whatever octets, at every stage, and cut anywhere', () => {
    const { responses } = converse(authenticatorWith(), peerOf());
    const after = (stages: number): EapAuthenticator => {
      const gateway = authenticatorWith();
      gateway.begin();
      for (const response of responses.slice(0, stages)) gateway.receive(response);
      return gateway;
    };
    for (const [stage, response] of responses.entries()) {
      for (let length = 0; length < response.length; length++) {
        const cut = response.slice(0, length);
        if (length >= 4) new DataView(cut.buffer).setUint16(2, length);
        const step = after(stage).receive(cut);
        // A name is as long as it is: who is cut short is somebody else.
        assert.notEqual(step.kind, 'success', `${length} of ${response.length} octets of response ${stage}`);
      }
      fc.assert(
        fc.property(
          fc.uint8Array({ maxLength: 90, size: 'max' }),
          fc.nat(),
          fc.nat(255),
          (octets, at, value) => {
            assert.equal(after(stage).receive(octets).kind, 'failure');
            after(stage).receive(response.with(at % response.length, value));
          },
        ),
        { numRuns: 200 },
      );
    }
  });
});

describe('a peer', () => {
  // draft-kamath-pppext-eap-mschapv2 2.3
  test('does not believe a gateway that does not know its password', () => {
    for (const message of ['S=', `S=${'0'.repeat(40)} M=welcome`, `S=${'0'.repeat(39)}`, 'M=welcome', '']) {
      const peer = peerOf();
      const challenge = authenticatorWith({ askIdentity: false }).begin();
      assert.equal(peer.receive(challenge).kind, 'respond');
      const data = encodeMsChapRequest({ kind: 'success', identifier: 2, message: encodeUtf8(message) });
      const step = peer.receive(request(EapType.MSCHAPV2, data));
      assert.ok(step.kind === 'failure' && !step.told, message);
      assert.match(step.reason, /does not know our password/);
      assert.equal(peer.receive(encodeEapPacket({ code: EapCode.SUCCESS, identifier: 2 })).kind, 'failure');
    }
  });

  // RFC 3748 4.2
  test('does not take a success before the method is done', () => {
    const success = encodeEapPacket({ code: EapCode.SUCCESS, identifier: 1 });
    assert.equal(peerOf().receive(success).kind, 'failure');
    const challenged = peerOf();
    challenged.receive(authenticatorWith({ askIdentity: false }).begin());
    assert.equal(challenged.receive(success).kind, 'failure');
    const refused = peerOf();
    refused.receive(authenticatorWith({ askIdentity: false }).begin());
    const failure = encodeMsChapRequest({ kind: 'failure', identifier: 1, message: encodeUtf8('E=691 R=1') });
    assert.equal(refused.receive(request(EapType.MSCHAPV2, failure)).kind, 'respond');
    assert.equal(refused.receive(success).kind, 'failure');
  });

  test('answers one challenge only', () => {
    const peer = peerOf();
    const gateway = authenticatorWith({ askIdentity: false });
    assert.equal(peer.receive(gateway.begin()).kind, 'respond');
    assert.equal(peer.receive(gateway.begin()).kind, 'failure');
  });

  // RFC 3748 5.2, 5.3
  test('acknowledges notifications, and asks for MSCHAPv2 in place of anything else', () => {
    const peer = peerOf();
    const answer = (type: number): unknown => {
      const step = peer.receive(request(type, encodeUtf8('hello'), 9));
      assert.ok(step.kind === 'respond');
      return decodeEapPacket(step.message);
    };
    const response = { code: EapCode.RESPONSE, identifier: 9 };
    assert.deepEqual(answer(EapType.NOTIFICATION), {
      ...response,
      type: EapType.NOTIFICATION,
      data: new Uint8Array(0),
    });
    assert.deepEqual(answer(EapType.TLS), { ...response, type: EapType.NAK, data: Uint8Array.of(26) });
    assert.deepEqual(answer(EapType.EXPANDED), {
      ...response,
      type: EapType.EXPANDED,
      data: Uint8Array.of(0, 0, 0, 0, 0, 0, 3, 254, 0, 0, 0, 0, 0, 0, 26),
    });
    assert.equal(peerOf().receive(request(EapType.NAK, new Uint8Array(0))).kind, 'failure');
    const gateway = authenticatorWith({ askIdentity: false });
    assert.equal(converse(gateway, peer).peer.kind, 'success');
  });

  // RFC 7296 2.16: ten must be possible.
  test('does not answer without end', () => {
    const peer = peerOf();
    let answered = 0;
    while (peer.receive(request(EapType.NOTIFICATION, new Uint8Array(0))).kind === 'respond') answered++;
    assert.equal(answered, 20);
    assert.equal(peer.receive(request(EapType.IDENTITY, new Uint8Array(0))).kind, 'failure');
  });

  test('says what the gateway says of a refusal, without what could steer a terminal', () => {
    const refusal = (message: string): string => {
      const peer = peerOf();
      peer.receive(authenticatorWith({ askIdentity: false }).begin());
      const data = encodeMsChapRequest({ kind: 'failure', identifier: 2, message: encodeUtf8(message) });
      peer.receive(request(EapType.MSCHAPV2, data));
      const step = peer.receive(encodeEapPacket({ code: EapCode.FAILURE, identifier: 2 }));
      assert.ok(step.kind === 'failure' && step.told);
      return step.reason;
    };
    assert.equal(
      refusal('E=648 R=0 C=00 V=3 M=change it'),
      'the gateway refuses us, which says "change it": the password has expired',
    );
    assert.equal(refusal('E=7'), 'the gateway refuses us: error 7');
    assert.equal(refusal(''), 'the gateway refuses us: error unknown');
    assert.match(
      refusal(`M=\u001b[2J${'x'.repeat(500)}`),
      /^the gateway refuses us, which says "\?\[2Jx{116}":/,
    );
  });

  test('answers whatever octets, at every stage, and never with success', () => {
    const { requests } = converse(authenticatorWith(), peerOf());
    const after = (stages: number): EapPeer => {
      const peer = peerOf();
      for (const one of requests.slice(0, stages)) peer.receive(one);
      return peer;
    };
    for (const [stage, one] of requests.entries()) {
      for (let length = 0; length < one.length; length++) {
        const cut = one.slice(0, length);
        if (length >= 4) new DataView(cut.buffer).setUint16(2, length);
        assert.notEqual(after(stage).receive(cut).kind, 'success');
      }
      fc.assert(
        fc.property(
          fc.uint8Array({ maxLength: 90, size: 'max' }),
          fc.nat(),
          fc.nat(255),
          (octets, at, value) => {
            after(stage).receive(octets);
            after(stage).receive(one.with(at % one.length, value));
          },
        ),
        { numRuns: 200 },
      );
    }
  });
});

test('session keys are gone once either end is destroyed', () => {
  const gateway = authenticatorWith({ askIdentity: false });
  const peer = peerOf();
  const heard = peer.receive(gateway.begin());
  assert.ok(heard.kind === 'respond');
  const proof = gateway.receive(heard.message);
  const acknowledged = peer.receive(messageOf(proof));
  assert.ok(acknowledged.kind === 'respond');
  gateway.destroy();
  peer.destroy();
  assert.equal(gateway.receive(acknowledged.message).kind, 'failure');
  assert.equal(peer.receive(encodeEapPacket({ code: EapCode.SUCCESS, identifier: 1 })).kind, 'failure');
});

test('user names are read as the owners of secrets are, and written as they were', () => {
  for (const name of ['carol', 'carol@example.org', 'WORK\\carol', 'grüße', '', '%any', '{999}:x', 'a=b']) {
    const octets = encodeUtf8(name);
    const identity = identityOfUserName(octets);
    assert.deepEqual(userNameOf(identity), octets, name);
  }
  assert.equal(formatIdentity(identityOfUserName(encodeUtf8('carol@example.org'))), 'carol@example.org');
  // In Latin-1, which is no UTF-8: two users, and both are called as they were.
  const latin = [0xfc, 0xf6].map((octet) => Uint8Array.of(0x4d, octet, 0x6c, 0x6c, 0x65, 0x72));
  const [one, other] = latin.map((name) => identityOfUserName(name));
  assert.ok(!sameIdentity(one!, other!));
  assert.deepEqual([userNameOf(one!), userNameOf(other!)], latin);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (octets) => {
      userNameOf(identityOfUserName(octets));
    }),
  );
});
