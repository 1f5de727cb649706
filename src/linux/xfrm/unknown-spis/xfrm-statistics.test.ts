// The kernel's counters as its file has them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseXfrmStatistics } from './xfrm-statistics.ts';

test('lines of /proc/net/xfrm_stat are counters by name, and other lines are nothing', () => {
  const text =
    'XfrmInError             \t0\nXfrmInNoStates          \t12\n\nsomething else 3\nXfrmOutNoStates\t-1\n';
  assert.deepEqual(
    [...parseXfrmStatistics(text)],
    [
      ['XfrmInError', 0],
      ['XfrmInNoStates', 12],
    ],
  );
});
