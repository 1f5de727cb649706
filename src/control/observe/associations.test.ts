// What HIP associations carry, over their rekeyings, and what is told of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EngineStatus, HipContext, HipEvent } from '#engine';
import { address, Encr, type Spi } from '#sa';
import type { Hit } from '#wire';
import { associationOf } from './associations.ts';
import { Observer } from './observer.ts';
import { TunnelTraffic } from './tunnel-traffic.ts';

const context: HipContext = {
  local: '20010022000000000000000000000001' as Hit,
  remote: '20010022000000000000000000000002' as Hit,
  peer: 'sun',
  path: {
    local: { address: address('192.0.2.1'), port: 0 },
    remote: { address: address('192.0.2.2'), port: 0 },
  },
};
const suite = { protocol: 'esp', encr: { id: Encr.AES_GCM_16, keyLengthBits: 128 }, esn: true } as const;
const spi = (number: number): Spi => number as Spi;

function observer(): Observer {
  return new Observer({
    ...{ name: '', version: '1', pid: 1, startedAtMs: 0, wallClockOffsetMs: 0 },
    ...{ sampleMs: 500, rateWindowMs: 2_000 },
  });
}

const standing: EngineStatus['hip'][number] = {
  ...context,
  state: 'ESTABLISHED',
  childId: 5,
  inboundSpi: spi(0x1001),
  outboundSpi: spi(0x1002),
  suite,
  rttMs: 12,
  lastInboundAt: 900,
  client: { until: 9_000 },
};

test('an association is told with its HITs as addresses, its SPIs and its suite', () => {
  const told = associationOf(standing, 1_000, new TunnelTraffic(500, 2_000));
  const idle = { bytes: 0, packets: 0, refused: 0, bytesPerSecond: 0, packetsPerSecond: 0 };
  assert.deepEqual(told, {
    peer: 'sun',
    localHit: '2001:22::1',
    remoteHit: '2001:22::2',
    local: '192.0.2.1',
    remote: '192.0.2.2',
    state: 'ESTABLISHED',
    inboundSpi: '00001001',
    outboundSpi: '00001002',
    suite: 'aes128gcm16-esn',
    rttMs: 12,
    lastInboundMsAgo: 100,
    client: true,
    inbound: idle,
    outbound: idle,
  });
});

test('one that calls has a state and no SAs; in UDP its ports are told', () => {
  const { local, remote } = context.path;
  const path = { local: { ...local, port: 10_500 }, remote: { ...remote, port: 10_500 } };
  const told = associationOf({ ...context, path, state: 'I1-SENT' }, 0, new TunnelTraffic(500, 2_000));
  assert.equal(told.remote, '192.0.2.2:10500');
  assert.equal(told.inbound, undefined);
});

test('traffic is counted over rekeyings, under the name of the peer, until the association ends', () => {
  const seen = observer();
  const give = (event: HipEvent): void => void seen.event(0, { kind: 'hip', event });
  const carry = (inboundSpi: number, packets: number): void =>
    seen.reports([
      {
        ...{ direction: 'inbound', spi: inboundSpi, childId: 5 },
        counters: { bytes: 100 * packets, packets, integrityFailures: 0, replays: 0, malformed: 0 },
      },
    ]);
  const pair = { inboundSpi: spi(0x1001), outboundSpi: spi(0x1002) };
  give({ kind: 'established', context, role: 'initiator', childId: 5, ...pair, suite, replaced: false });
  carry(0x1001, 3);
  const next = { inboundSpi: spi(0x1003), outboundSpi: spi(0x1004) };
  const replaced = { replacedInboundSpi: pair.inboundSpi, replacedOutboundSpi: pair.outboundSpi };
  give({ kind: 'rekeyed', context, childId: 5, ...next, ...replaced });
  carry(0x1001, 4);
  carry(0x1003, 2);
  const named = seen.traffic().map(({ connection, child, packets }) => [connection, child, packets]);
  assert.deepEqual(named, [['hip', 'sun', 6]]);
  give({ kind: 'ended', context, childId: 5, ...next, cause: 'closed-by-peer', reason: '' });
  carry(0x1003, 9);
  assert.equal(seen.traffic()[0]?.packets, 6);
});
