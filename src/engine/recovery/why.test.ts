// What whoever asks why is told.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { responderOnly } from './testing/seen.ts';
import { established, type HostChange, TwoHosts } from './testing/two-hosts.ts';

test('whoever asks why hears the incident from its beginning, in order', () => {
  const hosts = new TwoHosts({ sun: responderOnly });
  hosts.connect();
  const [spi] = [...hosts.moon.outbound.keys()];
  hosts.now = 1_000;
  hosts.restart(hosts.sun);
  hosts.sendEsp(hosts.moon);
  hosts.settle();
  const ofSun = hosts.sun.engine.why(spi!);
  assert.equal(ofSun.live, false);
  assert.equal(ofSun.bootEpoch, 2);
  assert.equal(ofSun.owner?.remoteIdentity, 'moon.example.org');
  assert.deepEqual(ofSun.owner?.ended, { atMs: hosts.wallClockMs + 1_000, why: 'our-restart' });
  assert.deepEqual(
    ofSun.incidents.map(({ reason }) => reason),
    ['restart waiting', 'notify-unprotected history-with-tokens sent', 'restart stands'],
  );
  assert.deepEqual(
    ofSun.successors.map(({ child, ended }) => [child, ended]),
    [['net', undefined]],
  );
  const ofMoon = hosts.moon.engine.why('last');
  assert.deepEqual(
    ofMoon.incidents.map(({ reason }) => reason),
    ['token proven', 'token calling', 'token stands'],
  );
  assert.equal(hosts.sun.engine.why([...hosts.sun.inbound.keys()][0]!).live, true);
  assert.deepEqual(hosts.sun.engine.why(4711).incidents, []);
});

test('whoever asks why is told the whole course, from the silence until traffic is back, and of no older one', () => {
  const silent: HostChange = {
    ...responderOnly,
    unknownSpi: { policy: 'silent', quickCrashDetection: false },
  };
  const hosts = new TwoHosts({ sun: silent });
  hosts.connect();
  const reasons = (): string[] => hosts.moon.engine.why('last').incidents.map(({ reason }) => reason);
  const whole = [
    'silence checking',
    'silence parallel',
    'silence calling',
    'silence stands',
    'silence moved',
    'silence back',
  ];
  for (const start of [0, 600_000]) {
    hosts.restart(hosts.sun);
    const { childId } = hosts.moon.engine.status().ikeSas.at(-1)!.children[0]!;
    const note = (lastInboundAt: number, about = childId): void =>
      hosts.moon.give(hosts.now, {
        kind: 'traffic',
        notes: [{ childId: about, lastInboundAt, lastOutboundAt: hosts.now }],
      });
    for (const at of [10, 150, 300]) {
      hosts.now = start + at;
      note(start);
    }
    hosts.wait(300);
    const fresh = hosts.moon.engine.status().ikeSas.at(-1)!.children[0]!;
    assert.notEqual(fresh.childId, childId);
    note(hosts.now, fresh.childId);
    assert.deepEqual(reasons(), whole);
    // The old IKE SA spends its tries.
    hosts.wait(300_000);
    assert.equal(established(hosts.moon).length, 1);
    hosts.now = start + 600_000;
  }
  const { incidents, connection } = hosts.moon.engine.why('last');
  assert.equal(connection, 'gateway');
  assert.match(incidents[0]!.detail, /no answer to our traffic for 290 ms \(a round trip takes 0 ms\)/);
  assert.match(incidents.at(-1)!.detail, /traffic comes in again, 590 ms after the first sign/);
});

test('a flow of unknown packets is told in one line, with how many they were', () => {
  const hosts = new TwoHosts({ sun: { ...responderOnly, unknownSpi: { policy: 'silent' } } });
  hosts.connect();
  const [spi] = [...hosts.moon.outbound.keys()];
  hosts.restart(hosts.sun);
  for (let i = 0; i < 1_000; i++) {
    hosts.now += 20;
    hosts.sendEsp(hosts.moon, { spi: spi! });
  }
  const told = hosts.sun.engine.why(spi!).incidents.filter(({ what }) => what === 'verdict');
  assert.deepEqual(
    told.map(({ count, atMs, lastAtMs }) => [count, (lastAtMs ?? atMs) - atMs]),
    [[1_000, 999 * 20]],
  );
});

test('a peer that restarts and calls by itself is told of too, from its call until traffic is back', () => {
  const hosts = new TwoHosts({ sun: responderOnly });
  hosts.connect();
  hosts.now = 1_000;
  hosts.restart(hosts.moon);
  hosts.settle();
  const { childId } = hosts.sun.engine.status().ikeSas[0]!.children[0]!;
  hosts.now = 1_100;
  hosts.sun.give(hosts.now, { kind: 'traffic', notes: [{ childId, lastInboundAt: 1_050 }] });
  const { incidents } = hosts.sun.engine.why('last');
  assert.deepEqual(
    incidents.map(({ reason }) => reason),
    ['peer called', 'peer stands', 'peer back'],
  );
});

test('an attempt that is cancelled does not cut off the story of the recovery before it', () => {
  const hosts = new TwoHosts({ sun: responderOnly });
  hosts.connect();
  hosts.restart(hosts.sun);
  hosts.sendEsp(hosts.moon);
  hosts.settle();
  // The fresh IKE SA stands, and before any traffic a request on it is answered late.
  hosts.moon.give(hosts.now, { kind: 'command', id: 2, command: { kind: 'rekey', child: 'net' } });
  hosts.wait(1_500, () => false);
  hosts.wait(2_000, ({ octets }) => octets[18] !== 34);
  const { childId } = hosts.moon.engine.status().ikeSas.at(-1)!.children[0]!;
  hosts.moon.give(hosts.now, {
    kind: 'traffic',
    notes: [{ childId, lastInboundAt: hosts.now, lastOutboundAt: hosts.now }],
  });
  assert.deepEqual(
    hosts.moon.eventsOf('recovery').map(({ rung, step }) => `${rung} ${step}`),
    [
      ...['token calling', 'token stands'],
      ...['silence parallel', 'silence calling', 'silence answered'],
      'token back',
    ],
  );
});
