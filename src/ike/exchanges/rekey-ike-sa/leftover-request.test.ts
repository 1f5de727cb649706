// A request of ours that was under way when the peer replaced the IKE SA: it must not end what the peer's answer depends on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connection } from '../../testing/connections.ts';
import { Pair } from '../../testing/pair.ts';

/** Sun asks whether moon lives; then moon rekeys, and the answer that makes the new IKE SA is lost. */
function answerLost(): Pair {
  const pair = new Pair().establish();
  const { moon, sun } = pair;
  sun.command({ kind: 'check-liveness', reason: 'test' });
  pair.drop(moon);
  pair.wait(10_000);
  pair.wire.length = 0;
  moon.command({ kind: 'rekey-ike' });
  pair.deliver(sun);
  pair.wire.length = 0;
  return pair;
}

test('where Message IDs were being synchronised (RFC 6311), that ends with the hand-over', () => {
  const agreed = { messageIdSync: true };
  const pair = new Pair({
    moon: { connections: [connection('moon', agreed)] },
    sun: { connections: [connection('sun', agreed)] },
  }).establish();
  const { moon, sun } = pair;
  sun.command({ kind: 'synchronize-message-ids', skip: 0 });
  pair.drop(moon);
  moon.command({ kind: 'rekey-ike' });
  pair.deliver(sun);
  const [old] = sun.sas;
  for (let waitedMs = 0; waitedMs < 20_000; waitedMs += 1_000) {
    pair.wait(1_000);
    pair.wire.length = 0;
  }
  assert.equal(old?.phase, 'rekeyed', 'it waits for its Delete');
});

test('what it asked goes unanswered, and the repeated rekeying has its answer all the same', () => {
  const pair = answerLost();
  const { moon, sun } = pair;
  const [old] = sun.sas;
  assert.equal(old?.phase, 'rekeyed');
  // Nothing of sun's arrives, until it has given up.
  while (old.outstanding.length > 0) {
    pair.wait(500);
    assert.equal(old.phase, 'rekeyed', 'the peer still asks');
    pair.wire.length = 0;
    assert.ok(pair.now < 17_000, 'before moon tries for the last time');
  }
  assert.equal(old.phase, 'rekeyed');
  pair.run(20_000);
  assert.equal(moon.sa.phase, 'established');
  assert.equal(sun.sa.phase, 'established');
  assert.equal(moon.sa.initiatorSpi, sun.sa.initiatorSpi);
  pair.assertKeysAgree();
});
