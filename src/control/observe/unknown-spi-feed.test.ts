// The feed of stray packets: what is the same is counted, and strangers push out nobody whom we know.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EngineEvent } from '#engine';
import { address } from '#sa';
import { UnknownSpiFeed } from './unknown-spi-feed.ts';

type Stray = Extract<EngineEvent, { kind: 'unknown-spi' }>;

function stray(spi: number, owner?: { readonly connection: string }): Stray {
  return {
    kind: 'unknown-spi',
    remote: { address: address('192.0.2.9'), port: 4_500 },
    spi,
    count: 2,
    evidence: { protocol: 'esp' },
    verdict: { kind: 'ignore', reason: 'not-answerable', because: 'bad-length' },
    outcome: 'nothing-to-send',
    ...(owner === undefined ? {} : { owner: { child: 'net', remoteIdentity: 'peer', ...owner } }),
  } as unknown as Stray;
}

test('flows that take turns are two rows, each with how often and when last', () => {
  const feed = new UnknownSpiFeed('');
  for (let at = 0; at < 100; at += 2) {
    feed.add(at, stray(1), undefined);
    feed.add(at + 1, stray(2), undefined);
  }
  assert.deepEqual(
    feed.all().map(({ spi, count, atMs, lastAtMs }) => [spi, count, atMs, lastAtMs]),
    [
      ['00000002', 100, 1, 99],
      ['00000001', 100, 0, 98],
    ],
  );
  assert.equal(feed.all()[0]?.reason, 'not-answerable: bad-length');
});

test('a flood of random SPIs leaves what was told of our own', () => {
  const feed = new UnknownSpiFeed('');
  feed.add(0, stray(7, { connection: 'office' }), '1-1');
  for (let spi = 1_000; spi < 11_000; spi++) feed.add(spi, stray(spi), undefined);
  const all = feed.all();
  assert.equal(all.length, 65);
  const { owner, incident } = all.at(-1)!;
  assert.deepEqual([owner?.connection, incident], ['office', '1-1']);
});
