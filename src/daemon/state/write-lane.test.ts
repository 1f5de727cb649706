// Which records are written together.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Batch, WriteLane } from './write-lane.ts';

const octets = Uint8Array.of(1);

function lane(gatherMs: number): { readonly lane: WriteLane; readonly batches: string[][] } {
  const batches: string[][] = [];
  const keep = async (batch: Batch): Promise<void> => {
    batches.push([...batch.keys()]);
  };
  return { lane: new WriteLane(keep, assert.fail, gatherMs), batches };
}

test('what comes while the first of a batch waits is written with it', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { lane: gathering, batches } = lane(30);
  const first = gathering.write('a', octets);
  t.mock.timers.tick(29);
  const second = gathering.write('b', octets);
  assert.deepEqual(batches, []);
  t.mock.timers.tick(1);
  await Promise.all([first, second]);
  const third = gathering.write('c', octets);
  t.mock.timers.tick(30);
  await third;
  assert.deepEqual(batches, [['a', 'b'], ['c']]);
});

test('whoever closes waits for no more', async () => {
  const { lane: patient, batches } = lane(2 ** 30);
  const written = patient.write('a', octets);
  await patient.close();
  await written;
  assert.deepEqual(batches, [['a']]);
});

test('without waiting, a record is written at once', () => {
  const { lane: prompt, batches } = lane(0);
  void prompt.write('a', octets);
  assert.deepEqual(batches, [['a']]);
});
