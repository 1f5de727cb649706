// A host that starts again calls whom it remembers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { responderOnly } from './testing/seen.ts';
import { established, TwoHosts } from './testing/two-hosts.ts';

test('a host that restarts calls whom it remembers (rung 2), without INITIAL_CONTACT twice', () => {
  const hosts = new TwoHosts();
  hosts.connect();
  hosts.restart(hosts.moon);
  assert.deepEqual(
    hosts.moon.eventsOf('recovery').map(({ rung, step }) => [rung, step]),
    [['restart', 'calling']],
  );
  hosts.settle();
  assert.equal(established(hosts.moon).length, 1);
  // INITIAL_CONTACT told sun that its old IKE SA is gone.
  assert.equal(established(hosts.sun).length, 1);
  const started = hosts.moon.eventsOf('started').at(-1);
  assert.deepEqual([started?.bootEpoch, started?.historyRecords], [2, 1]);
});

test('both restart at once, and one IKE SA or two of both sides stand, never none', () => {
  const hosts = new TwoHosts();
  hosts.connect();
  hosts.restart(hosts.moon);
  hosts.restart(hosts.sun);
  hosts.settle();
  hosts.wait(10_000);
  assert.ok(established(hosts.moon).length >= 1);
  assert.equal(established(hosts.moon).length, established(hosts.sun).length);
});

test('a restarted host whose peer said goodbye before does not call it', () => {
  const hosts = new TwoHosts();
  hosts.connect();
  hosts.sun.give(hosts.now, {
    kind: 'command',
    id: 9,
    command: { kind: 'terminate', connection: 'gateway' },
  });
  hosts.settle();
  hosts.restart(hosts.moon);
  assert.deepEqual(hosts.moon.eventsOf('recovery'), []);
});

// RFC 6290 4.4, 5.1
test('given a token that waited for the disk and went to the peer late, the restarted host knows that it gave one', () => {
  const hosts = new TwoHosts({ sun: responderOnly });
  hosts.sun.disk.clear();
  hosts.sun.diskAnswers = false;
  hosts.restart(hosts.sun);
  hosts.connect();
  hosts.sun.diskCatchesUp(hosts.now);
  hosts.settle();
  hosts.restart(hosts.sun);
  hosts.sendEsp(hosts.moon);
  assert.equal(hosts.sun.eventsOf('unknown-spi')[0]?.verdict.reason, 'history-with-tokens');
});

test('a loss of more than an hour ago is not called for', () => {
  const calledAfter = (ms: number): number => {
    const hosts = new TwoHosts();
    hosts.connect();
    hosts.restart(hosts.moon);
    hosts.wait(ms, () => false);
    hosts.moon.events.length = 0;
    hosts.restart(hosts.moon);
    return hosts.moon.eventsOf('recovery').length;
  };
  assert.deepEqual([calledAfter(3_500_000), calledAfter(3_700_000)], [1, 0]);
});
