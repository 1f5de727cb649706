// An IKE SA goes on between other addresses (RFC 4555): the SAs are the same, and nobody has fallen silent.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { address, addressBytes } from '#sa';
import { ExchangeType, NotifyType, notify, type Payload } from '#wire';
import type { CaptureStory, PeerStory } from './story.ts';
import { CaptureBuilder, left, right } from './testing/capture-builder.ts';
import { ikeKeys, toLeft, toRight } from './testing/example.ts';
import {
  authRequest,
  authResponse,
  createChild,
  establish,
  initRequest,
  initResponse,
  request,
  response,
} from './testing/exchanges.ts';
import { codes, explained, finding } from './testing/story.ts';

const { INFORMATIONAL, CREATE_CHILD_SA } = ExchangeType;
const away = address('198.51.100.9');
const further = address('192.0.2.22');
const fromRight = { initiator: false };
const toRightSide = { initiator: true };

const hashes: Payload[] = [NotifyType.NAT_DETECTION_SOURCE_IP, NotifyType.NAT_DETECTION_DESTINATION_IP].map(
  (type) => notify(type, { data: new Uint8Array(20) }),
);
const update: Payload[] = [notify(NotifyType.UPDATE_SA_ADDRESSES), ...hashes];
const cookie: Payload[] = [notify(NotifyType.COOKIE2, { data: new Uint8Array(16) })];

/** @param late so many packets go to where left was, one in `everyMs` */
function moved(late: number, everyMs = 100): CaptureBuilder {
  const capture = establish(new CaptureBuilder(), toLeft, toRight).espBothWays([toRight, toLeft], 1, 20);
  for (let i = 0; i < late; i++) capture.esp(right, left, toLeft, 21 + i).wait(everyMs - 1);
  capture
    .ike(away, right, request(INFORMATIONAL, 2, update), 4500)
    .ike(right, away, response(INFORMATIONAL, 2, hashes), 4500)
    .ike(right, away, request(INFORMATIONAL, 0, cookie, fromRight), 4500)
    .ike(away, right, response(INFORMATIONAL, 0, cookie, toRightSide), 4500);
  for (let i = 0; i < 20; i++) {
    capture
      .esp(away, right, toRight, 21 + i)
      .esp(right, away, toLeft, 21 + late + i)
      .wait(98);
  }
  return capture;
}

function between(story: CaptureStory, one: string): PeerStory {
  const found = story.peers.find(({ peers }) => peers.some((peer) => peer === one));
  assert.ok(found, one);
  return found;
}

function texts({ events }: PeerStory): string {
  return events.map(({ text }) => text).join('\n');
}

describe('an IKE SA moves', () => {
  test('its SPIs are those of before, with and without keys', () => {
    for (const options of [{}, { keys: ikeKeys }]) {
      const there = between(explained(moved(5).file(), options), away);
      const origin = options.keys === undefined ? 'likely' : 'negotiated';
      assert.deepEqual(
        there.flows.map((flow) => flow.origin),
        [origin, origin],
      );
      assert.ok(!codes(there.findings).includes('spi-not-negotiated'));
      assert.match(
        texts(there),
        /IKE SA 1111111111111111_i 2222222222222222_r goes on here, .* 192\.0\.2\.1/,
      );
    }
  });

  test('so are those that it makes later', () => {
    const capture = moved(5)
      .ike(away, right, request(CREATE_CHILD_SA, 3, createChild(0xc0ffee03, toLeft)), 4500)
      .ike(right, away, response(CREATE_CHILD_SA, 3, createChild(0xc0ffee04)), 4500)
      .esp(away, right, 0xc0ffee04, 1)
      .esp(away, right, 0xc0ffee04, 2);
    const there = between(explained(capture.file(), { keys: ikeKeys }), away);
    assert.equal(there.flows.at(-1)?.origin, 'negotiated');
  });

  test('whoever is not where it was has not fallen silent, however long it is sent to', () => {
    const story = explained(moved(60).file());
    for (const one of story.peers) {
      const found = codes(one.findings);
      for (const code of ['black-hole', 'lost-state', 'outage', 'silence', 'pause'])
        assert.ok(!found.includes(code), code);
    }
    const { what, severity } = finding(between(story, left), 'sent-to-former-address');
    assert.match(what, /192\.0\.2\.2 sends 61 packets to 192\.0\.2\.1, which has become 198\.51\.100\.9/);
    assert.equal(severity, 'notice');
  });

  test('what is sent there after the move is a problem, if it goes on', () => {
    const capture = moved(2);
    for (let i = 0; i < 60; i++) capture.esp(right, left, toLeft, 100 + i).wait(99);
    assert.equal(
      finding(between(explained(capture.file()), left), 'sent-to-former-address').severity,
      'problem',
    );
  });

  test('a move and a check are told, and a move that is refused', () => {
    const story = explained(moved(1).file(), { keys: ikeKeys });
    assert.match(texts(between(story, left)), /moves the SAs to its present address/);
    assert.match(
      texts(between(story, left)),
      /192\.0\.2\.2 asks whether 198\.51\.100\.9 is where it says \(MOBIKE\)/,
    );
    for (const type of [NotifyType.UNACCEPTABLE_ADDRESSES, NotifyType.UNEXPECTED_NAT_DETECTED]) {
      const capture = establish(new CaptureBuilder(), toLeft, toRight)
        .ike(away, right, request(INFORMATIONAL, 2, update), 4500)
        .ike(right, away, response(INFORMATIONAL, 2, [notify(type)]), 4500);
      const refused = finding(between(explained(capture.file(), { keys: ikeKeys }), left), 'move-refused');
      assert.equal(refused.severity, 'problem');
      assert.match(refused.what, /192\.0\.2\.2 refuses the move of 198\.51\.100\.9/);
    }
  });

  test('that both agreed on it is in IKE_AUTH', () => {
    const supported = [notify(NotifyType.MOBIKE_SUPPORTED)];
    for (const more of [supported, []]) {
      const capture = new CaptureBuilder()
        .ike(left, right, initRequest())
        .ike(right, left, initResponse())
        .ike(left, right, request(ExchangeType.IKE_AUTH, 1, authRequest(toLeft, supported)), 4500)
        .ike(right, left, response(ExchangeType.IKE_AUTH, 1, authResponse(toRight, more)), 4500);
      const told = texts(between(explained(capture.file(), { keys: ikeKeys }), left));
      assert.equal(/the initiator may move \(MOBIKE\)/.test(told), more.length > 0);
    }
  });

  test('the addresses that a side names, of which one alone has the size of a Delete', () => {
    const list = [notify(NotifyType.ADDITIONAL_IP4_ADDRESS, { data: addressBytes(further) })];
    const capture = establish(new CaptureBuilder(), toLeft, toRight)
      .ike(right, left, request(INFORMATIONAL, 0, list, fromRight), 4500)
      .ike(left, right, response(INFORMATIONAL, 0, [], toRightSide), 4500)
      .espBothWays([toRight, toLeft], 1, 5);
    const told = between(explained(capture.file(), { keys: ikeKeys }), left);
    assert.match(texts(told), /192\.0\.2\.2 can also be reached at 192\.0\.2\.22/);
    assert.doesNotMatch(texts(between(explained(capture.file()), left)), /deletes a Child SA/);
  });
});
