// What `wayward watch` shows, line by line.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Association, HostSnapshot, Incident, Tunnel, UnknownSpi } from '#control';
import { frame, type Seen, share, type View } from './frame.ts';
import { keysOf } from './keys.ts';
import { printed } from './styled.ts';

const view: View = { columns: 80, rows: 24, scroll: 0, incident: 0, paused: false };

const flow = { bytes: 840, packets: 10, bytesPerSecond: 1_680, packetsPerSecond: 20, refused: 0 };

function tunnel(childId: number): Tunnel {
  return {
    childId,
    ikeId: 1,
    connection: 'office',
    child: `net-${childId}`,
    phase: 'established',
    protocol: 'esp',
    mode: 'tunnel',
    inboundSpi: 'c0ffee01',
    outboundSpi: 'c0ffee02',
    local: ['10.1.0.0/16'],
    remote: ['10.2.0.0/16'],
    suite: 'aes128gcm16',
    generation: 0,
    installedMsAgo: 250_000,
    inbound: flow,
    outbound: { ...flow, bytesPerSecond: 0 },
  };
}

function seen(tunnels: number, entries: number, rows: number): Seen {
  const atMs = Date.UTC(2026, 0, 2, 3, 4, 5);
  const host: HostSnapshot = {
    name: '',
    state: 'running',
    atMs,
    version: '1.2.3',
    pid: 42,
    startedAtMs: atMs - 3_600_000,
    bootEpoch: 7,
    policy: 'shy',
    tunnels: Array.from({ length: tunnels }, (_, i) => tunnel(i + 1)),
    tunnelCount: tunnels,
    peers: [],
    peerCount: 0,
    associations: [],
    associationCount: 0,
    connecting: [],
    budgets: [],
    replies: { receivedBytes: 0, sentBytes: 0, sentPackets: 0, refused: {}, foldedSpis: 0 },
    traffic: { sampleMs: 500, endMs: 0, inboundBytesPerSecond: [], outboundBytesPerSecond: [] },
    counts: {},
    openIncidents: [],
  };
  const incident: Incident = {
    id: '7-1',
    host: '',
    connection: 'office',
    startedAtMs: atMs - 1_240,
    state: 'open',
    exchanges: 2,
    rttMs: 12,
    entries: Array.from({ length: entries }, (_, i) => ({
      afterMs: 100 * i,
      lastAfterMs: 100 * i,
      count: 1,
      kind: 'message',
      direction: i % 2 === 0 ? 'out' : 'in',
      title: `message ${i}`,
    })),
    omitted: 0,
  };
  const stray: UnknownSpi = {
    id: '1',
    host: '',
    atMs,
    lastAtMs: atMs,
    count: 3,
    protocol: 'esp',
    spi: 'deadbeef',
    remote: '192.0.2.9:4500',
    verdict: 'notify-unprotected',
    reason: 'history-with-tokens',
    outcome: 'sent',
    owner: { connection: 'office', child: 'net-1', remoteIdentity: 'gate\u001b[2Jway' },
  };
  return {
    snapshot: { atMs, hosts: [host], demonstration: false },
    incidents: entries === 0 ? [] : [incident],
    unknownSpis: Array.from({ length: rows }, () => stray),
  };
}

function plain(given: Seen | undefined, changes: Partial<View> = {}, problem?: string): string[] {
  const how = { ...view, ...changes };
  return frame(given, problem, how).map((line) => printed(line, how.columns, false));
}

test('on 80 columns and 24 rows everything has its place, and keys are at the bottom', () => {
  assert.deepEqual(plain(seen(1, 2, 1)), [
    'wayward 1.2.3, process 42, up 1 h 0 min, start 7, shy                   03:04:05',
    'TUNNELS 1                            IN          OUT  SPI IN   SPI OUT  KEYS',
    'office/net-1 10.2.0.0/16    13.4 kbit/s      0 bit/s  c0ffee01 c0ffee02 4 min 10',
    '',
    'INCIDENT 7-1 office recovering, 1.24 s, RTT 12 ms, 2 exchanges',
    '     0.0 ms → message 0',
    '     100 ms ← message 1',
    '',
    'UNKNOWN SPIS          FROM                  WHOSE                VERDICT',
    '03:04:05 esp deadbeef 192.0.2.9:4500        office/net-1         sent ×3',
    ...new Array(13).fill(''),
    ' q  quit   ↑↓  tunnels   ←→  incidents   p  pause',
  ]);
});

test('where there is too much of everything, each part keeps a share, and an incident its beginning and its end', () => {
  const lines = plain(seen(50, 40, 50));
  assert.equal(lines.length, 24);
  assert.ok(lines.every((line) => [...line].length <= 80));
  const entries = lines
    .filter((line) => / message \d+$/.test(line))
    .map((line) => Number(/\d+$/.exec(line)?.[0]));
  assert.deepEqual(entries, [0, 35, 36, 37, 38, 39]);
  assert.equal(lines.filter((line) => line.includes('office/net-')).length, 6 + 5);
  assert.equal(plain(seen(50, 40, 50), { scroll: 10 })[2]?.slice(0, 13), 'office/net-11');
});

test('HIP associations stand below the tunnels: those with SAs with their rates, others with their state', () => {
  const one = seen(1, 0, 0);
  const [host] = one.snapshot.hosts;
  const ends = { localHit: '2001:22::1', remoteHit: '2001:22::2', local: '192.0.2.1', remote: '192.0.2.2' };
  const associations: readonly Association[] = [
    {
      ...{ ...ends, peer: 'sun', state: 'ESTABLISHED', inboundSpi: 'c0ffee03', outboundSpi: 'c0ffee04' },
      ...{ inbound: flow, outbound: flow },
    },
    { ...ends, state: 'I1-SENT' },
  ];
  const changed: Seen = {
    ...one,
    snapshot: { ...one.snapshot, hosts: [{ ...host!, associations, associationCount: 2 }] },
  };
  const lines = frame(changed, undefined, view).map((line) => line.map(({ text }) => text).join(''));
  assert.match(lines.find((line) => line.includes('sun')) ?? '', /^hip sun .*c0ffee03 c0ffee04/);
  assert.ok(lines.includes('hip 2001:22::2 is I1-SENT'));
});

test('any size will do', () => {
  for (const [columns, rows] of [
    [20, 5],
    [40, 10],
    [200, 60],
    [1, 1],
  ] as const) {
    const lines = plain(seen(3, 9, 4), { columns, rows });
    assert.equal(lines.length, rows);
    assert.ok(lines.every((line) => [...line].length <= columns));
  }
});

test('escapes are written only where colours are wanted, and never those that a peer has in its name', () => {
  const lines = frame(seen(1, 2, 1), undefined, view);
  assert.ok(lines.every((line) => !printed(line, 80, false).includes('\u001b')));
  assert.ok(lines.some((line) => printed(line, 80, true).includes('\u001b[32m')));
  assert.equal(printed([{ text: 'gate\u001b[2Jway\r\n' }], 80, true), 'gate·[2Jway··');
});

test('before the first answer, and when there is none, that is said', () => {
  assert.equal(plain(undefined)[2], 'asking the daemon');
  assert.equal(plain(undefined, {}, 'no daemon answers')[2], 'no daemon answers');
  assert.match(plain(seen(1, 0, 0), {}, 'no daemon answers')[0] ?? '', / no daemon answers$/);
  assert.match(plain(seen(1, 0, 0), { paused: true })[0] ?? '', / paused$/);
});

test('room is shared so that nobody has less than another who has more than he needs', () => {
  assert.deepEqual(share([50, 50, 50], 20), [7, 7, 6]);
  assert.deepEqual(share([2, 50, 2], 20), [2, 16, 2]);
  assert.deepEqual(share([1, 2, 3], 20), [1, 2, 3]);
  assert.deepEqual(share([5, 5], 0), [0, 0]);
});

test('keys of several terminals, several at once, and what is no key', () => {
  assert.deepEqual(keysOf('q'), ['quit']);
  assert.deepEqual(keysOf('\u001b[A\u001bOB\u001b[5~x \u0003'), ['up', 'down', 'page-up', 'pause', 'quit']);
  assert.deepEqual(keysOf('\u001b\u001b[200~ü'), []);
});
