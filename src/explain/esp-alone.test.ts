// ESP without the IKE that negotiated it, and the story that must be told of it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseKeyFile } from './keys/key-file.ts';
import { CaptureBuilder, espBody, ipPacket, left, right } from './testing/capture-builder.ts';
import { toLeft, toRight } from './testing/example.ts';
import { establish } from './testing/exchanges.ts';
import { explained, finding, onlyPeers } from './testing/story.ts';

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
