// A capture of any length, and of anything: memory that does not grow with it, and no exception.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { ExchangeType, type IkeSpi, WireError } from '#wire';
import { BoundedTable } from './bounded-table.ts';
import { Explainer } from './explainer.ts';
import { parseKeyFile } from './keys/key-file.ts';
import { explainLimits } from './limits.ts';
import { storyHtml } from './tellers/html.ts';
import { storyJsonLines } from './tellers/json-lines.ts';
import { storyText } from './tellers/text.ts';
import {
  CaptureBuilder,
  ikeHeader,
  ikeKeyHex,
  left,
  right,
  sealed,
  spis,
} from './testing/capture-builder.ts';
import { establish, initRequest, request, response } from './testing/exchanges.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What collections leave: garbage that waits for one is not what grows. */
function heapBytes(): number {
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const address = (i: number): typeof left =>
  `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}` as typeof left;

/** A piece of a capture without its beginning, so that it can follow any other. */
function piece(make: (capture: CaptureBuilder) => void, nowMs: number): Uint8Array {
  const capture = new CaptureBuilder();
  const beginning = capture.file().length;
  capture.nowMs = nowMs;
  make(capture);
  return capture.file().subarray(beginning);
}

test('whoever sends whatever: after fifteen thousand packets there is no more in memory than after five thousand', () => {
  const explainer = new Explainer();
  explainer.push(new CaptureBuilder().file());
  let stranger = 0;
  const strangers = (count: number): void => {
    for (let batch = 0; batch < count / 500; batch++) {
      const now = explainer.frames;
      explainer.push(
        piece((capture) => {
          for (let i = 0; i < 100; i++, stranger++) {
            const from = address(stranger);
            const hex = (stranger + 1).toString(16).padStart(16, '0') as IkeSpi;
            capture.ike(from, right, initRequest(undefined, { initiatorSpi: hex }));
            capture.esp(from, right, 0x1000 + stranger, 1).esp(from, right, 0x1000 + stranger, 2);
            // Many SPIs, and many IKE SAs, between the same two.
            capture.esp(left, right, 0x8000_0000 + stranger, 1);
            capture.ike(
              left,
              right,
              request(ExchangeType.INFORMATIONAL, stranger, [], { initiatorSpi: hex }),
              4500,
            );
          }
        }, now),
      );
    }
  };
  strangers(5_000);
  const before = heapBytes();
  strangers(10_000);
  const grownBytes = heapBytes() - before;
  assert.equal(explainer.frames, 15_000);
  assert.ok(grownBytes < 8e6, `${grownBytes} octets more`);
  const story = explainer.finish();
  assert.ok(story.peers.length <= explainLimits.conversations);
  for (const peer of story.peers) {
    assert.ok(peer.flows.length <= explainLimits.flows);
    assert.ok(peer.ikeSas.length <= explainLimits.ikeSas);
    assert.ok(peer.events.length <= 3 * explainLimits.eventsKept);
    assert.ok(peer.findings.length <= explainLimits.findings);
  }
});

test('a tunnel that runs on and on: the same memory after fifteen times the packets', () => {
  const explainer = new Explainer();
  const begin = establish(new CaptureBuilder(), 0xc0ffee01, 0xc0ffee02);
  explainer.push(begin.file());
  let sequence = 1;
  let messageId = 2;
  const packets = (count: number): void => {
    for (let sent = 0; sent < count; sent += 2_000) {
      explainer.push(
        piece((capture) => {
          capture.espBothWays([0xc0ffee02, 0xc0ffee01], sequence, sequence + 999, 10);
          capture.ike(left, right, request(ExchangeType.INFORMATIONAL, messageId, []), 4500);
          capture.ike(right, left, response(ExchangeType.INFORMATIONAL, messageId, []), 4500);
        }, explainer.frames * 5),
      );
      sequence += 1_000;
      messageId++;
    }
  };
  packets(2_000);
  const before = heapBytes();
  packets(28_000);
  const grownBytes = heapBytes() - before;
  assert.ok(grownBytes < 4e6, `${grownBytes} octets more`);
  const [peers] = explainer.finish().peers;
  assert.deepEqual(
    peers!.flows.map(({ packets: count, missing }) => [count, missing]),
    [
      [15_000, 0],
      [15_000, 0],
    ],
  );
});

test('an IKE SA that moves without end takes no more memory with its six thousandth place than with its two thousandth', () => {
  const explainer = new Explainer();
  explainer.push(establish(new CaptureBuilder(), 0xc0ffee01, 0xc0ffee02).file());
  let places = 0;
  const moves = (count: number): void => {
    explainer.push(
      piece((capture) => {
        for (let i = 0; i < count; i++, places++) {
          const from = address(places);
          capture.ike(from, right, request(ExchangeType.INFORMATIONAL, 2 + places, []), 4500);
          capture.esp(from, right, 0xc0ffee02, 1 + places);
        }
      }, explainer.frames),
    );
  };
  moves(2_000);
  const before = heapBytes();
  moves(4_000);
  const grownBytes = heapBytes() - before;
  assert.ok(grownBytes < 4e6, `${grownBytes} octets more`);
  assert.ok(explainer.finish().peers.length <= explainLimits.conversations);
});

test('the busiest stay when there is no more room', () => {
  const table = new BoundedTable<number, { weight: number }>(50, ({ weight }) => weight);
  table.set(-1, { weight: 1_000 });
  for (let i = 0; i < 10_000; i++) table.set(i, { weight: 1 });
  assert.equal(table.size, 50);
  assert.ok(table.get(-1) !== undefined);
  assert.equal(table.leftOut, 10_001 - 50);
});

test('whatever is changed in a capture, its story can be told', () => {
  const capture = establish(new CaptureBuilder(), 0xc0ffee01, 0xc0ffee02).espBothWays(
    [0xc0ffee02, 0xc0ffee01],
    1,
    5,
  );
  for (const part of sealed(
    ikeHeader(ExchangeType.INFORMATIONAL, 2),
    [{ type: 'V', data: new Uint8Array(90) }],
    3,
  )) {
    capture.ike(left, right, part, 4500);
  }
  const file = capture.file();
  const keys = parseKeyFile(
    `${spis.initiatorSpi},${spis.responderSpi},${ikeKeyHex},${ikeKeyHex},"AES-GCM-128 with 16 octet ICV [RFC5282]",,,"NONE [RFC4306]"`,
  );
  const changes = fc.array(fc.tuple(fc.nat(file.length - 1), fc.nat(255)), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(changes, (changed) => {
      const damaged = file.slice();
      for (const [at, value] of changed) damaged[at] = value;
      try {
        const explainer = new Explainer({ keys });
        explainer.push(damaged);
        const story = explainer.finish();
        storyText(story, 'damaged');
        storyHtml(story, 'damaged');
        for (const line of storyJsonLines(story)) JSON.parse(line);
      } catch (error) {
        assert.ok(error instanceof WireError, `${error}`);
      }
    }),
    { numRuns: 300 },
  );
});
