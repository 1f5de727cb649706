// What tunnels have carried: over rekeyings, in windows, by names.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TunnelTraffic } from './tunnel-traffic.ts';

const name = { connection: 'office', child: 'net' };

function report(spi: number, packets: number, childId = 1) {
  const counters = { bytes: 100 * packets, packets, integrityFailures: 0, replays: 1, malformed: 0 };
  return { direction: 'inbound', spi, childId, counters } as const;
}

test('a rekeying goes on counting, and what still arrives on the replaced SA is counted once', () => {
  const traffic = new TunnelTraffic(500, 1_000);
  traffic.childUp(1, name);
  traffic.reports([report(10, 5)]);
  traffic.rekeyed(1, { inboundSpi: 10, outboundSpi: 11 });
  traffic.reports([report(10, 7), report(20, 3)]);
  assert.equal(traffic.flow(1, 'inbound').packets, 10);
  traffic.rekeyed(1, { inboundSpi: 20, outboundSpi: 21 });
  traffic.reports([report(20, 4), report(30, 1)]);
  assert.deepEqual(
    traffic.named().map(({ packets, bytes, refused }) => ({ packets, bytes, refused })),
    [{ packets: 12, bytes: 1_200, refused: 3 }],
  );
});

test('a tunnel that comes again is counted on under its name, and as a new one for itself', () => {
  const traffic = new TunnelTraffic(500, 1_000);
  traffic.childUp(1, name);
  traffic.reports([report(10, 5)]);
  traffic.childDown(1, { inboundSpi: 10, outboundSpi: 11 });
  traffic.childUp(2, name);
  traffic.reports([report(10, 2, 2)]);
  assert.equal(traffic.flow(2, 'inbound').packets, 2);
  assert.equal(traffic.named()[0]?.packets, 7);
  assert.equal(traffic.flow(1, 'inbound').packets, 0);
});

test('rates are those of the last window, and fall to nothing with it', () => {
  const traffic = new TunnelTraffic(500, 1_000);
  traffic.childUp(1, name);
  let packets = 0;
  const rates: number[] = [];
  for (let at = 0; at <= 4_000; at += 500) {
    if (at > 0 && at <= 2_000) packets += 5;
    traffic.reports([report(10, packets)]);
    traffic.sample(at);
    rates.push(traffic.flow(1, 'inbound').packetsPerSecond);
  }
  assert.deepEqual(rates, [0, 10, 10, 10, 10, 5, 0, 0, 0]);
  const history = traffic.history(4_000).inboundBytesPerSecond;
  assert.deepEqual(history, [0, 1_000, 1_000, 1_000, 1_000, 500, 0, 0, 0]);
  for (let at = 4_500; at < 400_000; at += 500) traffic.sample(at);
  assert.equal(traffic.history(0).inboundBytesPerSecond.length, 240);
});
