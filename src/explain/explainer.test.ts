// Captures whose truth is known, and the stories that must be told of them.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Ke } from '#sa';
import { ExchangeType, type IkeSpi, NotifyType, notify, type Payload, ProtocolId, zeroIkeSpi } from '#wire';
import { parseKeyFile } from './keys/key-file.ts';
import {
  CaptureBuilder,
  clear,
  espBody,
  icmpv4Error,
  ikeHeader,
  ikeKeyHex,
  ipPacket,
  left,
  right,
  sealed,
  spis,
} from './testing/capture-builder.ts';
import {
  authRequest,
  authResponse,
  cbcProposal,
  createChild,
  espProposal,
  establish,
  gcmProposal,
  initRequest,
  initResponse,
  request,
  response,
} from './testing/exchanges.ts';
import { codes, explained, finding, onlyPeers } from './testing/story.ts';

const { IKE_AUTH, CREATE_CHILD_SA, INFORMATIONAL } = ExchangeType;
const newSpis = { initiatorSpi: '3333333333333333' as IkeSpi, responderSpi: '4444444444444444' as IkeSpi };
const ikeKeys = parseKeyFile(
  `ikev2_decryption_table ${spis.initiatorSpi},${spis.responderSpi},${ikeKeyHex},${ikeKeyHex},` +
    `"AES-GCM-128 with 16 octet ICV [RFC5282]",,,"NONE [RFC4306]"`,
);
const toLeft = 0xc0ffee01;
const toRight = 0xc0ffee02;
const silent = (type: number): Payload[] => [notify(type)];

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

describe('messages repeat', () => {
  test('a request that had to be sent again, and where its answer was lost', () => {
    const ask = request(INFORMATIONAL, 2, []);
    const capture = establish(new CaptureBuilder(), toLeft, toRight)
      .ike(left, right, ask, 4500)
      .wait(500)
      .ike(right, left, response(INFORMATIONAL, 2, []), 4500)
      .wait(500)
      .ike(left, right, ask, 4500)
      .wait(50)
      .ike(right, left, response(INFORMATIONAL, 2, []), 4500);
    const peers = onlyPeers(explained(capture.file()));
    const found = finding(peers, 'retransmission');
    assert.match(found.what, /INFORMATIONAL 2 2 times/);
    assert.match(
      found.advice,
      /answer had passed here before 1 repetition: it was lost on the way from here to 192\.0\.2\.1/,
    );
    assert.equal(peers.ikeSas[0]?.retransmissions, 2);
  });

  test('frames that were captured twice are no repetitions and no replays', () => {
    const capture = new CaptureBuilder();
    const twice = (make: () => void): void => {
      make();
      capture.nowMs -= 0.9;
      make();
    };
    twice(() => capture.ike(left, right, initRequest()));
    twice(() => capture.ike(right, left, initResponse()));
    for (let i = 1; i <= 20; i++) {
      twice(() => capture.esp(left, right, toRight, i));
      capture.wait(20);
    }
    const peers = onlyPeers(explained(capture.file()));
    assert.equal(peers.ikeSas[0]?.messages, 2);
    assert.equal(peers.flows[0]?.replayed, 0);
    assert.ok(codes(peers.findings).includes('captured-twice'));
  });
});

describe('keys are replaced', () => {
  const rekeyed = 0xc0ffee03;
  const successor = 0xc0ffee04;
  const capture = establish(new CaptureBuilder(), toLeft, toRight)
    .espBothWays([toRight, toLeft], 1, 5)
    .ike(left, right, request(CREATE_CHILD_SA, 2, createChild(rekeyed, toLeft)), 4500)
    .ike(right, left, response(CREATE_CHILD_SA, 2, createChild(successor)), 4500)
    .espBothWays([successor, rekeyed], 1, 5)
    .ike(left, right, request(INFORMATIONAL, 3, deletes(toLeft)), 4500)
    .ike(right, left, response(INFORMATIONAL, 3, deletes(toRight)), 4500);

  function deletes(spi: number): Payload[] {
    return [{ type: 'D', protocolId: ProtocolId.ESP, spiSize: 4, spis: [espProposal(spi).spi] }];
  }

  function deletesIke(): Payload[] {
    return [{ type: 'D', protocolId: ProtocolId.IKE, spiSize: 0, spis: [] }];
  }

  test('with keys: which SPI gave way to which, and which were deleted', () => {
    const peers = onlyPeers(explained(capture.file(), { keys: ikeKeys }));
    assert.match(
      peers.events.find(({ code }) => code === 'child-sa-rekeyed')!.text,
      /rekeys SPI c0ffee01 .* c0ffee03_i c0ffee04_r/,
    );
    assert.deepEqual(
      peers.childSas.map(({ ended }) => ended !== undefined),
      [true, false],
    );
    assert.deepEqual(codes(peers.findings), ['no-nat-detection']);
  });

  test('without keys: an exchange, and new SPIs that likely come of it', () => {
    const peers = onlyPeers(explained(capture.file()));
    assert.deepEqual(peers.events.map(({ code }) => code).slice(4), [
      'create-child-sa',
      'esp-begins',
      'esp-begins',
      'child-sa-ends',
    ]);
  });

  test('both sides rekey at once, and one request is overtaken by the end of the IKE SA', () => {
    const theirs = { initiator: false };
    const ours = { initiator: true, response: true };
    const both = establish(new CaptureBuilder(), toLeft, toRight)
      .ike(left, right, request(CREATE_CHILD_SA, 2, createChild(rekeyed, toLeft)), 4500)
      .ike(right, left, request(CREATE_CHILD_SA, 0, createChild(0xc0ffee07, toRight), theirs), 4500)
      .ike(left, right, response(CREATE_CHILD_SA, 0, createChild(0xc0ffee08), ours), 4500)
      .ike(right, left, response(CREATE_CHILD_SA, 2, createChild(successor)), 4500)
      .ike(right, left, request(CREATE_CHILD_SA, 1, createChild(0xc0ffee09), theirs), 4500)
      .wait(50)
      .ike(left, right, request(INFORMATIONAL, 3, deletesIke()), 4500)
      .ike(right, left, response(INFORMATIONAL, 3, []), 4500)
      .wait(60_000)
      .esp(left, right, toRight, 1);
    const peers = onlyPeers(explained(both.file(), { keys: ikeKeys }));
    assert.equal(finding(peers, 'rekey-collision').severity, 'note');
    assert.ok(!codes(peers.findings).includes('request-unanswered'));
  });

  test('an SPI that is used on after its Delete', () => {
    capture.wait(3_000);
    for (let i = 6; i < 10; i++) capture.esp(left, right, toRight, i);
    const peers = onlyPeers(explained(capture.file(), { keys: ikeKeys }));
    assert.match(finding(peers, 'used-after-delete').what, /192\.0\.2\.1 goes on using ESP SPI c0ffee02/);
  });

  test('the IKE SA itself: its successor is known before it says a word', () => {
    const octets = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));
    const offer = (spi: string): Payload[] => [
      { type: 'SA', proposals: [{ ...gcmProposal, spi: octets(spi) }] },
      { type: 'Nonce', data: new Uint8Array(32) },
    ];
    const again = establish(new CaptureBuilder(), toLeft, toRight)
      .ike(left, right, request(CREATE_CHILD_SA, 2, offer(newSpis.initiatorSpi)), 4500)
      .ike(right, left, response(CREATE_CHILD_SA, 2, offer(newSpis.responderSpi)), 4500)
      .ike(left, right, request(INFORMATIONAL, 0, [], newSpis), 4500)
      .ike(right, left, response(INFORMATIONAL, 0, [], newSpis), 4500);
    const known = onlyPeers(explained(again.file(), { keys: ikeKeys }));
    assert.deepEqual(
      known.ikeSas.map(({ state }) => state),
      ['rekeyed', 'established'],
    );
    assert.equal(known.ikeSas[1]?.initiatorIdentity, 'left.example');
    const guessed = onlyPeers(explained(again.file()));
    assert.deepEqual(
      guessed.ikeSas.map(({ state }) => state),
      ['rekeyed', 'established'],
    );
    assert.match(guessed.events.find(({ code }) => code === 'ike-sa-rekeyed')!.text, /3333333333333333_i/);
  });
});

describe('one side loses its state', () => {
  function crash(): CaptureBuilder {
    const capture = establish(new CaptureBuilder(), toLeft, toRight).espBothWays([toRight, toLeft], 1, 20);
    for (let i = 21; i <= 60; i++) capture.esp(left, right, toRight, i).wait(99);
    return capture;
  }

  test('and calls itself: how long it took, and how much sooner a notify would have told', () => {
    const capture = crash()
      .ike(right, left, initRequest([gcmProposal], { initiatorSpi: newSpis.initiatorSpi }))
      .ike(left, right, initResponse(undefined, newSpis));
    const peers = onlyPeers(explained(capture.file()));
    const found = finding(peers, 'lost-state');
    assert.match(found.what, /192\.0\.2\.2 lost its SAs .* no answer for 4\.0 s/);
    assert.match(found.why, /192\.0\.2\.2 asks for a fresh IKE SA itself/);
    assert.match(found.advice, /40 packets of SPI c0ffee02 .* INVALID_SPI .* QCD token .* up to 4\.0 s/);
    assert.match(found.advice, /--keys would open/);
    assert.equal(peers.ikeSas[0]?.state, 'lost');
  });

  test('its host says that nobody listens: the program was gone, and came back after the last of these', () => {
    const capture = establish(new CaptureBuilder(), toLeft, toRight).espBothWays([toRight, toLeft], 1, 20);
    for (let i = 21; i <= 60; i++) {
      capture.esp(left, right, toRight, i).wait(99);
      const quoted = ipPacket(left, right, 50, espProposal(toRight).spi);
      if (i < 40) capture.raw(icmpv4Error(right, left, 3, 3, quoted));
    }
    capture
      .ike(left, right, initRequest([gcmProposal], { initiatorSpi: newSpis.initiatorSpi }))
      .ike(right, left, initResponse(undefined, newSpis));
    const found = finding(onlyPeers(explained(capture.file())), 'lost-state');
    assert.match(found.why, /the program was gone, not the path/);
    assert.match(found.advice, /21 packets of SPI c0ffee02 .* up to 2\.1 s/);
  });

  test('it says INVALID_SPI, and the other side does not heed it', () => {
    const says = clear(ikeHeader(INFORMATIONAL, 0, { responderSpi: zeroIkeSpi }), [
      notify(NotifyType.INVALID_SPI, { data: espProposal(toRight).spi }),
    ]);
    const capture = establish(new CaptureBuilder(), toLeft, toRight).espBothWays([toRight, toLeft], 1, 20);
    for (let i = 21; i <= 60; i++) {
      capture.esp(left, right, toRight, i);
      if (i === 25) capture.ike(right, left, says);
      capture.wait(99);
    }
    capture
      .ike(left, right, initRequest([gcmProposal], { initiatorSpi: newSpis.initiatorSpi }))
      .ike(right, left, initResponse(undefined, newSpis));
    const peers = onlyPeers(explained(capture.file()));
    assert.match(finding(peers, 'invalid-spi').what, /192\.0\.2\.2 does not know SPI c0ffee02/);
    assert.match(
      finding(peers, 'lost-state').advice,
      /first in frame 50.*began anew 3\.6 s later.*did not heed it/,
    );
  });

  test('what the forgotten SA goes on asking is no second silence', () => {
    const ask = request(INFORMATIONAL, 2, []);
    const capture = crash()
      .ike(right, left, initRequest([gcmProposal], { initiatorSpi: newSpis.initiatorSpi }))
      .ike(left, right, initResponse(undefined, newSpis))
      .espBothWays([0xc0ffee05, 0xc0ffee06], 1, 10);
    for (let i = 0; i < 5; i++) capture.ike(left, right, ask, 4500).wait(2_000);
    const peers = onlyPeers(explained(capture.file()));
    assert.ok(!codes(peers.findings).includes('black-hole'), codes(peers.findings).join());
    assert.equal(peers.ikeSas[0]?.state, 'lost');
  });

  test('without traffic: it says INITIAL_CONTACT while an IKE SA stands', () => {
    const again = [notify(NotifyType.INITIAL_CONTACT)];
    const capture = establish(new CaptureBuilder(), toLeft, toRight)
      .wait(60_000)
      .ike(left, right, initRequest([gcmProposal], { initiatorSpi: newSpis.initiatorSpi }))
      .ike(right, left, initResponse(undefined, newSpis))
      .ike(left, right, request(IKE_AUTH, 1, authRequest(toLeft + 8, again), newSpis), 4500)
      .ike(right, left, response(IKE_AUTH, 1, authResponse(toRight + 8), newSpis), 4500);
    const { initiatorSpi, responderSpi } = newSpis;
    const both = { ike: [...ikeKeys.ike, { ...ikeKeys.ike[0]!, initiatorSpi, responderSpi }], esp: [] };
    const peers = onlyPeers(explained(capture.file(), { keys: both }));
    assert.match(finding(peers, 'restart-suspected').what, /192\.0\.2\.1 restarted, as it seems/);
    assert.deepEqual(
      peers.ikeSas.map(({ state }) => state),
      ['lost', 'established'],
    );
  });

  test('the program was away and came back with its state', () => {
    const capture = establish(new CaptureBuilder(), toLeft, toRight).espBothWays([toRight, toLeft], 1, 20);
    for (let i = 21; i <= 60; i++) {
      capture.esp(left, right, toRight, i).wait(99);
      capture.raw(icmpv4Error(right, left, 3, 3, ipPacket(left, right, 50, espProposal(toRight).spi)));
    }
    capture.esp(right, left, toLeft, 1_000).espBothWays([toRight, toLeft + 9], 61, 70);
    const found = finding(onlyPeers(explained(capture.file())), 'outage');
    assert.match(found.what, /192\.0\.2\.2 was away for 4\.0 s, and came back with the SAs it had/);
  });

  test('a capture of ESP alone: a new SPI ends the silence', () => {
    const capture = new CaptureBuilder().espBothWays([toRight, toLeft], 500, 520);
    for (let i = 521; i <= 560; i++) {
      capture.esp(left, right, toRight, i).wait(99);
      if (i < 530)
        capture.raw(icmpv4Error(right, left, 3, 3, ipPacket(left, right, 50, espProposal(toRight).spi)));
    }
    capture.espBothWays([0xc0ffee08, 0xc0ffee09], 1, 10);
    const found = finding(onlyPeers(explained(capture.file())), 'lost-state');
    assert.match(found.why, /begins anew with an SPI whose making is not in the capture/);
  });

  test('the path alone was down: no state was lost, and no notify would have helped', () => {
    const ask = request(INFORMATIONAL, 2, []);
    const capture = establish(new CaptureBuilder(), toLeft, toRight).espBothWays([toRight, toLeft], 1, 20);
    for (let i = 21; i <= 60; i++) capture.esp(left, right, toRight, i).wait(99);
    for (let i = 0; i < 3; i++) capture.ike(left, right, ask, 4500).wait(1_000);
    capture.ike(right, left, response(INFORMATIONAL, 2, []), 4500).espBothWays([toRight, toLeft], 61, 70);
    const peers = onlyPeers(explained(capture.file()));
    assert.match(finding(peers, 'outage').advice, /lost no state.*would not have helped/);
    assert.ok(!codes(peers.findings).includes('lost-state'));
  });

  test('it never comes back', () => {
    const ask = request(INFORMATIONAL, 2, []);
    const capture = crash();
    for (let i = 0; i < 5; i++) capture.ike(left, right, ask, 4500).wait(2_000);
    const peers = onlyPeers(explained(capture.file()));
    assert.equal(finding(peers, 'black-hole').severity, 'problem');
    assert.match(finding(peers, 'request-unanswered').what, /never answers INFORMATIONAL 2/);
  });
});

describe('ESP alone', () => {
  test('that began before the capture, and that nobody negotiated in it', () => {
    const capture = new CaptureBuilder().espBothWays([toRight, toLeft], 5_000, 5_010);
    for (let i = 1; i <= 20; i++) capture.esp(left, right, 0xbad00001, i).wait(10);
    const peers = onlyPeers(explained(capture.file()));
    assert.deepEqual(
      peers.flows.map(({ origin }) => origin),
      ['before', 'before', 'unknown'],
    );
    assert.match(finding(peers, 'spi-not-negotiated').what, /bad00001/);
  });

  test('with gaps, replays, and numbers that start over', () => {
    const capture = new CaptureBuilder();
    for (let i = 1; i <= 300; i++) if (i % 10 !== 0) capture.esp(left, right, toRight, i).wait(9);
    for (const i of [5, 17, 91]) capture.esp(left, right, toRight, i).wait(9);
    const lossy = onlyPeers(explained(capture.file()));
    assert.match(finding(lossy, 'sequence-gap').what, /29 packets of 299 missing/);
    assert.equal(lossy.flows[0]?.replayed, 3);
    assert.equal(finding(lossy, 'replay').count, 3);
    for (let i = 1; i <= 50; i++) capture.esp(left, right, toRight, i).wait(9);
    assert.match(
      finding(onlyPeers(explained(capture.file())), 'sequence-restart').advice,
      /snapshot or cloned/,
    );
  });

  test('one way only, although IKE works', () => {
    const capture = establish(new CaptureBuilder(), toLeft, toRight);
    for (let i = 1; i <= 40; i++) capture.esp(left, right, toRight, i).wait(50);
    assert.match(finding(onlyPeers(explained(capture.file())), 'esp-one-way').advice, /encap = yes/);
  });

  test('that its key opens, with and without extended sequence numbers', () => {
    const key = Uint8Array.from({ length: 20 }, (_, i) => 100 + i);
    const keys = parseKeyFile(
      `esp_sa "IPv4","${left}","${right}","0xc0ffee02","AES-GCM with 16 octet ICV [RFC4106]","0x${Buffer.from(key).toString('hex')}","NULL",""`,
    );
    assert.deepEqual(keys.problems, []);
    for (const high of [undefined, 0]) {
      const capture = new CaptureBuilder();
      for (let i = 1; i <= 10; i++) {
        const inner = ipPacket('10.1.0.1' as typeof left, '10.2.0.1' as typeof left, 6, new Uint8Array(20));
        const body = espBody(toRight, i, i === 9 ? new Uint8Array(8) : inner, key, high);
        if (i === 7) body[20]! ^= 1;
        capture.esp(left, right, toRight, i, body);
      }
      const peers = onlyPeers(explained(capture.file(), { keys }));
      assert.deepEqual([peers.flows[0]?.verified, peers.flows[0]?.forged], [9, 1]);
      const carried = ['10.1.0.1 > 10.2.0.1 tcp (8)', 'what is no IP packet (1)'];
      assert.deepEqual(peers.flows[0]?.carries, carried);
      assert.equal(finding(peers, 'icv-wrong').severity, 'problem');
    }
  });
});

describe('captures as they come', () => {
  test('IKEv1 is named and not read', () => {
    const header = ikeHeader(2, 0, { majorVersion: 1, responderSpi: zeroIkeSpi });
    const message = clear({ ...header, majorVersion: 1 }, []);
    const peers = onlyPeers(explained(new CaptureBuilder().ike(left, right, message).file()));
    assert.match(finding(peers, 'ikev1').what, /Main Mode/);
  });

  test('garbage on an IKE port is reported and passed over', () => {
    const capture = new CaptureBuilder().ike(left, right, new Uint8Array(40).fill(0x41));
    establish(capture, toLeft, toRight);
    const peers = onlyPeers(explained(capture.file()));
    assert.equal(finding(peers, 'unreadable').frame, 1);
    assert.equal(peers.ikeSas.length, 1);
  });

  test('both sides of a NAT: one story, and its shadow is named', () => {
    const outside = '198.51.100.7' as typeof left;
    const capture = new CaptureBuilder().ike(left, right, initRequest());
    capture.nowMs -= 0.9;
    capture.ike(outside, right, initRequest());
    const story = explained(capture.file());
    const all = story.peers.flatMap(({ findings }) => codes(findings));
    assert.ok(all.includes('both-sides-of-nat'), all.join());
  });

  test('a file that is damaged in its middle tells the rest', () => {
    const file = establish(new CaptureBuilder(), toLeft, toRight)
      .espBothWays([toRight, toLeft], 1, 50)
      .file();
    file.fill(0xff, 3_000, 3_050);
    const story = explained(file);
    assert.equal(finding(story, 'capture-damaged').severity, 'notice');
    assert.ok(onlyPeers(story).packets > 90);
  });

  test('frames that the capture cut are read as far as they go', () => {
    const capture = new CaptureBuilder();
    for (let i = 1; i <= 5; i++) {
      const whole = ipPacket(
        left,
        right,
        50,
        new Uint8Array([...espProposal(toRight).spi, 0, 0, 0, i, ...new Uint8Array(900)]),
      );
      capture.raw(whole.subarray(0, 60), whole.length);
    }
    const story = explained(capture.file());
    assert.match(finding(story, 'frames-cut').what, /5 frames/);
    assert.equal(onlyPeers(story).flows[0]?.packets, 5);
    assert.equal(onlyPeers(story).flows[0]?.octets, 5 * 908);
  });

  test('how the file is cut into chunks makes no difference', () => {
    const file = establish(new CaptureBuilder(), toLeft, toRight)
      .espBothWays([toRight, toLeft], 1, 20)
      .file();
    const whole = explained(file, {}, file.length);
    for (const chunk of [1, 7, 4_096]) assert.deepEqual(explained(file, {}, chunk), whole);
  });
});
