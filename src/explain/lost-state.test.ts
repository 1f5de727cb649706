// One side loses its state, or seems to, and the story that must be told of it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ExchangeType, NotifyType, notify, zeroIkeSpi } from '#wire';
import {
  CaptureBuilder,
  clear,
  icmpv4Error,
  ikeHeader,
  ipPacket,
  left,
  right,
} from './testing/capture-builder.ts';
import { ikeKeys, newSpis, toLeft, toRight } from './testing/example.ts';
import {
  authRequest,
  authResponse,
  espProposal,
  establish,
  gcmProposal,
  initRequest,
  initResponse,
  request,
  response,
} from './testing/exchanges.ts';
import { codes, explained, finding, onlyPeers } from './testing/story.ts';

const { IKE_AUTH, INFORMATIONAL } = ExchangeType;

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
