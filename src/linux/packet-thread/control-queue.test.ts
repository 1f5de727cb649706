import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ControlQueue } from './control-queue.ts';

test('given a control thread that takes nothing, a bounded number is admitted and the rest is counted', () => {
  const packetThread = new ControlQueue();
  const controlThread = new ControlQueue(packetThread.memory);
  let admitted = 0;
  for (let i = 0; i < 5000; i++) if (packetThread.admit()) admitted++;
  assert.equal(admitted, 1024);
  assert.equal(packetThread.dropped, 5000 - 1024);
  controlThread.taken();
  assert.equal(packetThread.admit(), true);
  assert.equal(packetThread.admit(), false);
});
