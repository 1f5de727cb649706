// Messages are repeated and keys are replaced, and the story that must be told of it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ExchangeType, type Payload, ProtocolId } from '#wire';
import { CaptureBuilder, left, right } from './testing/capture-builder.ts';
import { ikeKeys, newSpis, toLeft, toRight } from './testing/example.ts';
import {
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

const { CREATE_CHILD_SA, INFORMATIONAL } = ExchangeType;

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
