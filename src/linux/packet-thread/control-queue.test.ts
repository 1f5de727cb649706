import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ControlQueue } from './control-queue.ts';

test('given a control thread that takes nothing, a bounded number is admitted, the last of it for peers', () => {
  const packetThread = new ControlQueue();
  const controlThread = new ControlQueue(packetThread.memory);
  const admitted = (ofPeer: boolean): number => {
    let count = 0;
    for (let i = 0; i < 5000; i++) if (packetThread.admit(ofPeer)) count++;
    return count;
  };
  assert.equal(admitted(false), 256);
  assert.equal(admitted(true), 768);
  controlThread.taken();
  assert.equal(packetThread.admit(false), false);
  assert.equal(admitted(true), 1);
});
