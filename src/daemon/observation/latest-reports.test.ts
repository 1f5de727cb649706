// Counters of SAs, and how many of the dead are kept.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SaReport } from '#linux';
import type { SaDirection, Spi } from '#sa';
import { LatestReports, type LivingPair } from './latest-reports.ts';

function report(direction: SaDirection, spi: number, packets: number): SaReport {
  const counters = {
    packets,
    bytes: 100 * packets,
    lastUsedAt: packets,
    integrityFailures: 0,
    replays: 0,
    malformed: 0,
  };
  return { protocol: 'esp', direction, spi: spi as Spi, childId: 1, counters };
}

test('a Child SA that is rekeyed a thousand times leaves no thousand counters, though nobody looks', () => {
  let pair: LivingPair = { inboundSpi: 1, outboundSpi: 2 };
  const reports = new LatestReports(() => [pair]);
  for (let i = 0; i < 1_000; i++) {
    pair = { inboundSpi: 1_000 + i, outboundSpi: 9_000 + i };
    reports.add([report('inbound', pair.inboundSpi, i), report('outbound', pair.outboundSpi, i)]);
  }
  assert.ok(reports.size <= 70, `${reports.size} entries`);
  assert.equal(reports.countersOf('inbound', 1_999)?.packets, 999);
});

test('many SAs that live are all remembered', () => {
  const pairs = Array.from({ length: 300 }, (_, i) => ({ inboundSpi: 1_000 + i, outboundSpi: 9_000 + i }));
  const reports = new LatestReports(() => pairs);
  for (const { inboundSpi, outboundSpi } of pairs)
    reports.add([report('inbound', inboundSpi, 1), report('outbound', outboundSpi, 1)]);
  assert.equal(reports.all().length, 600);
});

test('what is told of an SA after it went is gone when somebody looks', () => {
  const reports = new LatestReports(() => [{ inboundSpi: 1, outboundSpi: 2 }]);
  reports.add([report('inbound', 1, 5), report('inbound', 7, 6)]);
  assert.deepEqual(
    reports.all().map(({ spi }) => spi),
    [1],
  );
});
