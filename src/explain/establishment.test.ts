// An IKE SA comes up or does not, and the story that must be told of it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Ke } from '#sa';
import {
  AuthMethod,
  EapType,
  ExchangeType,
  encodeEapPacket,
  encodeMsChapRequest,
  encodeMsChapResponse,
  NotifyType,
  notify,
  type Payload,
  zeroIkeSpi,
} from '#wire';
import {
  CaptureBuilder,
  clear,
  ikeHeader,
  ipPacket,
  left,
  right,
  sealed,
} from './testing/capture-builder.ts';
import { ikeKeys, newSpis, silent, toLeft, toRight } from './testing/example.ts';
import {
  authRequest,
  authResponse,
  cbcProposal,
  establish,
  gcmProposal,
  initRequest,
  initResponse,
  request,
  response,
} from './testing/exchanges.ts';
import { codes, explained, finding, onlyPeers } from './testing/story.ts';

const { IKE_AUTH } = ExchangeType;

describe('an IKE SA comes up', () => {
  const capture = establish(new CaptureBuilder(), toLeft, toRight).espBothWays([toRight, toLeft], 1, 5);

  test('without keys: who asks whom, what was taken, and SPIs that likely belong to it', () => {
    const peers = onlyPeers(explained(capture.file()));
    assert.deepEqual(
      peers.events.map(({ code, frame }) => [code, frame]),
      [
        ['ike-sa-init', 1],
        ['ike-auth', 3],
        ['esp-begins', 5],
        ['esp-begins', 6],
      ],
    );
    assert.match(peers.events[0]!.text, /takes aes128gcm16-prfsha256-x25519/);
    assert.deepEqual(codes(peers.findings), ['no-nat-detection']);
    assert.deepEqual(
      peers.flows.map(({ spi, source, origin, packets, missing }) => [spi, source, origin, packets, missing]),
      [
        ['c0ffee02', left, 'likely', 5, 0],
        ['c0ffee01', right, 'likely', 5, 0],
      ],
    );
    assert.equal(peers.ikeSas[0]?.state, 'established');
    assert.deepEqual([peers.ikeSas[0]?.sealed, peers.ikeSas[0]?.opened], [2, 0]);
  });

  test('with keys: identities, selectors, the Child SA by its SPIs', () => {
    const peers = onlyPeers(explained(capture.file(), { keys: ikeKeys }));
    assert.match(peers.events[1]!.text, /left\.example.*right\.example.*pre-shared key/);
    assert.deepEqual(
      peers.childSas.map(({ initiatorSpi, responderSpi, suite, mode, initiatorSelectors }) => [
        initiatorSpi,
        responderSpi,
        suite,
        mode,
        initiatorSelectors,
      ]),
      [['c0ffee01', 'c0ffee02', 'aes128gcm16', 'tunnel', ['10.1.0.0/24']]],
    );
    assert.deepEqual(
      peers.flows.map(({ origin }) => origin),
      ['negotiated', 'negotiated'],
    );
    assert.equal(peers.ikeSas[0]?.initiatorIdentity, 'left.example');
    assert.equal(peers.ikeSas[0]?.opened, 2);
  });

  test('with keys of somebody else: that is said, and the rest is told as without', () => {
    const others = {
      ike: [{ ...ikeKeys.ike[0]!, skEi: new Uint8Array(20), skEr: new Uint8Array(20) }],
      esp: [],
    };
    const peers = onlyPeers(explained(capture.file(), { keys: others }));
    assert.equal(finding(peers, 'ike-icv-wrong').count, 2);
  });

  test('in fragments (RFC 7383), in any order', () => {
    const pieces = sealed(ikeHeader(IKE_AUTH, 1), authRequest(toLeft), 3).toReversed();
    const fragmented = new CaptureBuilder().ike(left, right, initRequest()).ike(right, left, initResponse());
    for (const piece of pieces) fragmented.ike(left, right, piece, 4500);
    fragmented.ike(right, left, response(IKE_AUTH, 1, authResponse(toRight)), 4500);
    const peers = onlyPeers(explained(fragmented.file(), { keys: ikeKeys }));
    assert.equal(peers.childSas[0]?.initiatorSpi, 'c0ffee01');
    assert.equal(peers.ikeSas[0]?.retransmissions, 0);
  });
});

describe('an IKE SA does not come up', () => {
  test('no proposal: what was offered, and what the other side itself was seen to want', () => {
    const capture = new CaptureBuilder()
      .ike(right, left, initRequest([cbcProposal], { initiatorSpi: newSpis.initiatorSpi }))
      .ike(left, right, initRequest())
      .ike(right, left, initResponse(silent(NotifyType.NO_PROPOSAL_CHOSEN), { responderSpi: zeroIkeSpi }));
    const found = finding(onlyPeers(explained(capture.file())), 'no-proposal-chosen');
    assert.match(found.why, /offered: aes128gcm16-prfsha256-x25519/);
    assert.match(
      found.why,
      /no encryption in common: aes128gcm16 is offered, and 192\.0\.2\.2 .* aes128 \(frame 1\)/,
    );
    assert.match(found.why, /no key exchange in common: x25519 .* modp2048/);
  });

  test('another key exchange method is wanted once, and again and again', () => {
    const wants = initResponse(
      [notify(NotifyType.INVALID_KE_PAYLOAD, { data: Uint8Array.of(0, Ke.MODP_2048) })],
      {
        responderSpi: zeroIkeSpi,
      },
    );
    const once = new CaptureBuilder().ike(left, right, initRequest()).ike(right, left, wants);
    assert.match(finding(onlyPeers(explained(once.file())), 'invalid-ke').what, /wants modp2048/);
    const offers = [gcmProposal, { ...gcmProposal, number: 2 }];
    const twice = once.ike(left, right, initRequest(offers)).wait(100).ike(right, left, wants);
    assert.equal(finding(onlyPeers(explained(twice.file())), 'invalid-ke-loop').severity, 'problem');
  });

  test('nobody answers', () => {
    const capture = new CaptureBuilder();
    for (const waitMs of [2_000, 4_000, 8_000, 0]) capture.ike(left, right, initRequest()).wait(waitMs);
    const peers = onlyPeers(explained(capture.file()));
    assert.match(finding(peers, 'init-unanswered').what, /sent 4 times over 14\.0 s/);
    assert.match(finding(peers, 'one-direction').what, /nothing of 192\.0\.2\.2/);
  });

  test('the proof is refused: the size of the answer tells, and keys show the notify', () => {
    const capture = new CaptureBuilder()
      .ike(left, right, initRequest())
      .ike(right, left, initResponse())
      .ike(left, right, request(IKE_AUTH, 1, authRequest(toLeft)))
      .ike(right, left, response(IKE_AUTH, 1, silent(NotifyType.AUTHENTICATION_FAILED)));
    for (const keys of [{ ike: [], esp: [] }, ikeKeys]) {
      const peers = onlyPeers(explained(capture.file(), { keys }));
      assert.equal(peers.ikeSas[0]?.state, 'refused');
      assert.equal(finding(peers, 'auth-refused').severity, 'problem');
    }
    assert.match(
      finding(onlyPeers(explained(capture.file(), { keys: ikeKeys })), 'auth-refused').what,
      /left\.example.*AUTHENTICATION_FAILED/,
    );
  });

  test('the Child SA alone is refused', () => {
    const [, , , ...rest] = authResponse(toRight);
    const answer = [
      ...authResponse(toRight).slice(0, 2),
      ...silent(NotifyType.TS_UNACCEPTABLE),
      ...rest.slice(2),
    ];
    const capture = new CaptureBuilder()
      .ike(left, right, initRequest())
      .ike(right, left, initResponse())
      .ike(left, right, request(IKE_AUTH, 1, authRequest(toLeft)))
      .ike(right, left, response(IKE_AUTH, 1, answer));
    const peers = onlyPeers(explained(capture.file(), { keys: ikeKeys }));
    assert.equal(peers.ikeSas[0]?.state, 'established');
    assert.match(finding(peers, 'child-refused').why, /10\.1\.0\.0\/24 === 10\.2\.0\.0\/24/);
  });

  test('pieces of a large message never come', () => {
    const message = clear(ikeHeader(IKE_AUTH, 1), [{ type: 'V', data: new Uint8Array(3_000) }]);
    const datagram = new Uint8Array(8 + message.length);
    datagram.set([0x11, 0x94, 0x11, 0x94, datagram.length >> 8, datagram.length]);
    datagram.set(message, 8);
    const capture = new CaptureBuilder()
      .raw(ipPacket(left, right, 17, datagram.subarray(0, 1_480), { more: true }))
      .wait(100_000)
      .esp(left, right, 1_000, 1);
    assert.match(
      finding(onlyPeers(explained(capture.file())), 'fragments-lost').why,
      /1 IP fragment on UDP 4500/,
    );
  });
});

// RFC 7296 2.16
describe('a user is authenticated by EAP', () => {
  const octetsOf = (message: string): Uint8Array => new Uint8Array(Buffer.from(message));
  const eap = (code: 1 | 2, identifier: number, type: number, data: Uint8Array): Payload => ({
    type: 'EAP',
    message: encodeEapPacket({ code, identifier, type, data }),
  });
  const withoutAuth = authRequest(toLeft).filter(({ type }) => type !== 'AUTH');
  const [idR, auth, ...child] = authResponse(toRight);
  const proof: Payload = { type: 'AUTH', method: AuthMethod.SHARED_KEY, data: new Uint8Array(32) };
  const challenge = encodeMsChapRequest({
    kind: 'challenge',
    identifier: 2,
    challenge: new Uint8Array(16),
    name: octetsOf('right.example'),
  });
  const answer = encodeMsChapResponse({
    kind: 'response',
    identifier: 2,
    peerChallenge: new Uint8Array(16),
    ntResponse: new Uint8Array(24),
    name: octetsOf('caro\u001bl'),
  });
  const failure = encodeMsChapRequest({ kind: 'failure', identifier: 3, message: octetsOf('E=691 R=0') });
  const success = encodeMsChapRequest({ kind: 'success', identifier: 3, message: octetsOf('S=') });

  function until(rounds: readonly (readonly [Payload[], Payload[]])[]): CaptureBuilder {
    const capture = new CaptureBuilder()
      .ike(left, right, initRequest([gcmProposal]))
      .ike(right, left, initResponse());
    for (const [round, [asked, answered]] of rounds.entries()) {
      capture.ike(left, right, request(IKE_AUTH, round + 1, asked), 4500);
      capture.ike(right, left, response(IKE_AUTH, round + 1, answered), 4500);
    }
    return capture;
  }
  const begin: [Payload[], Payload[]] = [
    withoutAuth,
    [idR!, auth!, eap(1, 1, EapType.IDENTITY, new Uint8Array(0))],
  ];
  const asked: [Payload[], Payload[]] = [
    [eap(2, 1, EapType.IDENTITY, octetsOf('dave'))],
    [eap(1, 2, EapType.MSCHAPV2, challenge)],
  ];

  test('with keys: by which method, as whom, and the Child SA that the first request asked for', () => {
    const capture = until([
      begin,
      asked,
      [[eap(2, 2, EapType.MSCHAPV2, answer)], [eap(1, 3, EapType.MSCHAPV2, success)]],
      [
        [eap(2, 3, EapType.MSCHAPV2, Uint8Array.of(3))],
        [{ type: 'EAP', message: encodeEapPacket({ code: 3, identifier: 3 }) }],
      ],
      [[proof], [proof, ...child]],
    ]).espBothWays([toRight, toLeft], 1, 5);
    const peers = onlyPeers(explained(capture.file(), { keys: ikeKeys }));
    const told = peers.events.map(({ code, text }) => `${code}: ${text}`).join('\n');
    assert.match(told, /ike-auth: .* authenticate by EAP-MSCHAPv2 as caro.l$/m);
    assert.ok(!told.includes('\u001b'));
    assert.match(told, /child-sa: .*ESP c0ffee01_i c0ffee02_r/);
    assert.equal(peers.ikeSas[0]?.state, 'established');
    assert.deepEqual(codes(peers.findings), ['no-nat-detection']);
    const sealedPeers = onlyPeers(explained(capture.file()));
    assert.match(
      sealedPeers.events.map(({ text }) => text).join('\n'),
      /IKE_AUTH of .* goes on, most likely with EAP \(sealed\)/,
    );
  });

  test('with keys: refused, whether the client acknowledges that, or gives up', () => {
    const refused = [
      begin,
      asked,
      [[eap(2, 2, EapType.MSCHAPV2, answer)], [eap(1, 3, EapType.MSCHAPV2, failure)]],
    ] as const satisfies (readonly [Payload[], Payload[]])[];
    const acknowledged = until([
      ...refused,
      [
        [eap(2, 3, EapType.MSCHAPV2, Uint8Array.of(4))],
        [{ type: 'EAP', message: encodeEapPacket({ code: 4, identifier: 3 }) }],
      ],
    ]);
    const givenUp = until(refused)
      .ike(
        left,
        right,
        request(ExchangeType.INFORMATIONAL, 4, [notify(NotifyType.AUTHENTICATION_FAILED)]),
        4500,
      )
      .ike(right, left, response(ExchangeType.INFORMATIONAL, 4, []), 4500);
    for (const capture of [acknowledged, givenUp]) {
      const peers = onlyPeers(explained(capture.file(), { keys: ikeKeys }));
      const { what, advice } = finding(peers, 'auth-refused');
      assert.match(what, /refuses .*, which came by EAP-MSCHAPv2 as caro/);
      assert.match(advice, /has another password there/);
      assert.equal(peers.ikeSas[0]?.state, 'refused');
      assert.equal(peers.findings.filter(({ severity }) => severity === 'problem').length, 1);
    }
  });
});
