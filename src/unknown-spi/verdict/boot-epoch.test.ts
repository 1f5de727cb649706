// Counting starts, and the window after a restart.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inRebootWindow, nextBootEpoch } from './boot-epoch.ts';

test('each start is one more than the last, and a torn record begins anew', () => {
  const first = nextBootEpoch(undefined);
  const second = nextBootEpoch(first.record);
  assert.deepEqual([first.epoch, second.epoch], [1, 2]);
  for (let length = 0; length < second.record.length; length++) {
    assert.equal(nextBootEpoch(second.record.subarray(0, length)).epoch, 1);
  }
  for (let i = 0; i < second.record.length; i++) {
    const garbled = second.record.slice();
    garbled[i]! ^= 1;
    assert.equal(nextBootEpoch(garbled).epoch, 1);
  }
});

test('only a host that ran before has a window, and it ends', () => {
  assert.equal(inRebootWindow({ epoch: 1, startedAt: 0 }, 10, 60_000), false);
  assert.equal(inRebootWindow({ epoch: 2, startedAt: 1_000 }, 60_999, 60_000), true);
  assert.equal(inRebootWindow({ epoch: 2, startedAt: 1_000 }, 61_000, 60_000), false);
  assert.equal(inRebootWindow({ epoch: 2, startedAt: 1_000 }, 1_000, 0), false);
});
