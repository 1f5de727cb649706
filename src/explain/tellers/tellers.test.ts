// The same story as text that fits, as JSON lines, and as a page that needs nothing else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NotifyType, notify, zeroIkeSpi } from '#wire';
import type { CaptureStory } from '../story.ts';
import { CaptureBuilder, left, right } from '../testing/capture-builder.ts';
import {
  authRequest,
  authResponse,
  cbcProposal,
  establish,
  initRequest,
  initResponse,
  request,
  response,
} from '../testing/exchanges.ts';
import { explained } from '../testing/story.ts';
import { storyHtml } from './html.ts';
import { storyJsonLines } from './json-lines.ts';
import { wrapped } from './lines.ts';
import { storyText } from './text.ts';
import { dateText } from './time-text.ts';

function story(): CaptureStory {
  const capture = new CaptureBuilder()
    .ike(left, right, initRequest(Array.from({ length: 9 }, (_, i) => ({ ...cbcProposal, number: i + 1 }))))
    .ike(right, left, initResponse([notify(NotifyType.NO_PROPOSAL_CHOSEN)], { responderSpi: zeroIkeSpi }));
  establish(capture, 0xc0ffee01, 0xc0ffee02).espBothWays([0xc0ffee02, 0xc0ffee01], 1, 20);
  for (let i = 21; i < 60; i++) capture.esp(left, right, 0xc0ffee02, i).wait(99);
  capture.ike(
    left,
    right,
    initRequest([cbcProposal], { initiatorSpi: '5555555555555555' as typeof zeroIkeSpi }),
  );
  return explained(capture.file());
}

test('text: the story first, then what stands out, then the tables, within the columns', () => {
  for (const width of [60, 80, 100]) {
    const lines = storyText(story(), 'capture.pcap', width);
    const titles = lines.slice(2).filter((line) => /^[A-Z]/.test(line));
    assert.deepEqual(titles, ['The story', 'What stands out', 'IKE SAs', 'ESP and AH']);
    const wide = lines.filter((line) => line.length > width);
    // Rows of tables are as wide as they are.
    assert.deepEqual(
      wide.filter((line) => !/^ {2}(c0ffee|SPI )/.test(line)),
      [],
    );
  }
});

test('text: an empty capture', () => {
  const lines = storyText(explained(new CaptureBuilder().file()), 'empty', 80);
  assert.deepEqual(lines, ['empty: 0 frames', '', 'Nothing of IKEv2, ESP, AH or HIP is in it.']);
});

test('JSON: one object a line, each of a kind, each of a pair with its peers', () => {
  const lines = [...storyJsonLines(story())];
  const objects = lines.map((line) => JSON.parse(line) as { kind: string; peers?: string[] });
  assert.equal(objects[0]?.kind, 'capture');
  assert.ok(lines.every((line) => !line.includes('\n')));
  assert.deepEqual([...new Set(objects.map(({ kind }) => kind))].toSorted(), [
    'capture',
    'event',
    'finding',
    'flow',
    'ike-sa',
    'peers',
  ]);
  for (const { kind, peers } of objects) {
    if (kind !== 'capture') assert.deepEqual(peers, [left, right]);
  }
});

test('HTML: whole, and with nothing from elsewhere', () => {
  const html = storyHtml(story(), 'capture.pcap');
  assert.match(html, /^<!doctype html>/);
  assert.match(html, /<\/html>\n$/);
  assert.doesNotMatch(html, /<script|<link|<img|src=|href=|url\(|https?:/);
  for (const tag of ['table', 'article', 'svg', 'div', 'tr', 'td', 'h2']) {
    const count = (pattern: string): number => html.match(new RegExp(pattern, 'g'))?.length ?? 0;
    assert.equal(count(`<${tag}[ >]`), count(`</${tag}>`), tag);
  }
});

test('what a peer calls itself cannot become a tag, nor reach the terminal', () => {
  const name = new Uint8Array(Buffer.from('<script>alert(1)</script>\x1b[2J\u202e'));
  const withName = (payloads: ReturnType<typeof authRequest>): typeof payloads =>
    payloads.map((payload) =>
      payload.type === 'IDi' || payload.type === 'IDr' ? { ...payload, data: name } : payload,
    );
  const capture = new CaptureBuilder()
    .ike(left, right, initRequest())
    .ike(right, left, initResponse())
    .ike(left, right, request(35, 1, withName(authRequest(0xc0ffee01))))
    .ike(right, left, response(35, 1, withName(authResponse(0xc0ffee02))));
  const key = Uint8Array.from({ length: 20 }, (_, i) => i);
  const none = new Uint8Array();
  const ike = [
    {
      initiatorSpi: '1111111111111111',
      responderSpi: '2222222222222222',
      skEi: key,
      skEr: key,
      skAi: none,
      skAr: none,
      algorithms: { encryption: { id: 20, keyLengthBits: 128 } },
    },
  ];
  const told = explained(capture.file(), { keys: { ike, esp: [] } });
  assert.match(told.peers[0]!.ikeSas[0]!.initiatorIdentity!, /^<script>/);
  assert.doesNotMatch(storyHtml(told, '<b>'), /<script|<b>/);
  assert.doesNotMatch(storyText(told, 'capture').join('\n'), /\p{Cc}(?<!\n)|\p{Cf}/u);
});

test('wrapped text loses nothing and keeps to its width', () => {
  const word = fc.stringMatching(/^[a-z0-9]{1,12}(-[a-z0-9]{1,12}){0,9}$/);
  fc.assert(
    fc.property(
      fc.array(word, { minLength: 1, maxLength: 30 }),
      fc.integer({ min: 30, max: 100 }),
      (words, width) => {
        const lines = wrapped('  first  ', words.join(' '), width);
        assert.ok(lines.every((line) => line.length <= width));
        assert.equal(lines.join('').replace(/ /g, ''), `first${words.join('')}`);
      },
    ),
  );
});

test('dates without a calendar are those of the calendar', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 253_402_300_799 }), (seconds) => {
      const expected = new Date(seconds * 1_000).toISOString().replace('T', ' ').slice(0, 19);
      assert.equal(dateText(seconds * 1_000_000), `${expected} UTC`);
    }),
  );
});
