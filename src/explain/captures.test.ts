// Captures as they come: cut, damaged, doubled, with garbage in them.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { zeroIkeSpi } from '#wire';
import { CaptureBuilder, clear, ikeHeader, ipPacket, left, right } from './testing/capture-builder.ts';
import { toLeft, toRight } from './testing/example.ts';
import { espProposal, establish, initRequest } from './testing/exchanges.ts';
import { codes, explained, finding, onlyPeers } from './testing/story.ts';

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
