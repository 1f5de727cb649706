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

test('each thread sees the rounds of the other', () => {
  const packetThread = new ControlQueue();
  const controlThread = new ControlQueue(packetThread.memory);
  packetThread.beat();
  packetThread.beat();
  assert.equal(controlThread.beats, 2);
  controlThread.taken();
  assert.equal(controlThread.beats, 2);
});
