// How often changes are looked at: once for a group of them, and never most of the time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Settling } from './settling.ts';

test('changes in a group are looked at once, those after it again, and after the end none', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let looked = 0;
  const settling = new Settling(() => looked++, { now: () => 0 });
  for (let group = 1; group <= 3; group++) {
    for (let i = 0; i < 5; i++) settling.changed();
    t.mock.timers.tick(9);
    assert.equal(looked, group - 1);
    t.mock.timers.tick(1);
    assert.equal(looked, group);
  }
  settling.changed();
  settling.stop();
  t.mock.timers.tick(1_000);
  assert.equal(looked, 3);
});

for (const [where, later] of [
  ['at once', false],
  ['by work that is done later', true],
] as const) {
  test(`however often something changes, a look ${where} takes a tenth of the time at most`, (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    let now = 0;
    let looked = 0;
    let waiting: (() => void) | undefined;
    const work = (): void => {
      looked++;
      now += 150;
    };
    const begin = (): void => {
      waiting = () => {
        work();
        settling.rest(150);
      };
    };
    const settling = new Settling(later ? begin : work, { now: () => now });
    // A router that learns its routes.
    for (let i = 0; i < 1_500; i++) {
      settling.changed();
      now += 10;
      t.mock.timers.tick(10);
      waiting?.();
      waiting = undefined;
    }
    assert.ok(looked > 5 && 150 * looked < now / 9, `${looked} looks in ${now} ms`);
  });
}
