import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RestartDamping } from './restart-damping.ts';

test('the first restart is immediate, those that follow wait longer each time', () => {
  const damping = new RestartDamping();
  const waits: number[] = [];
  let at = 0;
  for (let i = 0; i < 5; i++) {
    const waitMs = damping.take('gateway', at);
    waits.push(waitMs);
    at += waitMs + 10;
  }
  assert.deepEqual(waits, [0, 1_000, 2_000, 4_000, 8_000]);
  assert.equal(damping.take('another', at), 0);
});

test('a tunnel that stood for a minute is restarted at once again', () => {
  const damping = new RestartDamping();
  assert.equal(damping.take('gateway', 0), 0);
  assert.equal(damping.take('gateway', 100), 1_000);
  assert.equal(damping.take('gateway', 61_100), 0);
});

test('connections that are configured no more are forgotten', () => {
  const damping = new RestartDamping();
  damping.take('gateway', 0);
  damping.retain(new Set());
  assert.equal(damping.take('gateway', 0), 0);
});
