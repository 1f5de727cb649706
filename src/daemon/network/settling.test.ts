// How often changes are looked at: once for a group of them, and never most of the time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Settling } from './settling.ts';

test('changes in a group are looked at once, and those after it again', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let looked = 0;
  const settling = new Settling(
    () => looked++,
    () => 0,
  );
  for (let group = 1; group <= 3; group++) {
    for (let i = 0; i < 5; i++) settling.changed();
    t.mock.timers.tick(10);
    assert.equal(looked, group);
  }
});

test('however often something changes, looking takes a tenth of the time at most', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let now = 0;
  let looked = 0;
  const settling = new Settling(
    () => {
      looked++;
      now += 150;
    },
    () => now,
  );
  // A router that learns its routes.
  for (let i = 0; i < 1_500; i++) {
    settling.changed();
    now += 10;
    t.mock.timers.tick(10);
  }
  assert.ok(looked > 5 && 150 * looked < now / 9, `${looked} looks in ${now} ms`);
});
