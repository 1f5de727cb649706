// SAs of other key managers, as the kernel tells of them.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import type { XfrmMessage, XfrmState } from '#wire';
import { ForeignSpis } from './foreign-spis.ts';

let told: (readonly number[])[];
let foreign: ForeignSpis;

beforeEach(() => {
  told = [];
  foreign = new ForeignSpis((spis) => told.push(spis));
});

function stateWith(spi: number, lastOctet = 1, requestId = 1): XfrmState {
  return { spi, protocol: 50, destination: Uint8Array.of(192, 0, 2, lastOctet), requestId } as XfrmState;
}

function says(kind: 'new-sa' | 'update-sa' | 'delete-sa', state: XfrmState): void {
  const message =
    kind === 'delete-sa' ? { kind, id: state, attributes: { state } } : { kind, state, attributes: {} };
  foreign.take(message as XfrmMessage, ({ requestId }) => requestId === 7);
}

test('an SA that gets its keys by an update, as charon’s inbound ones do, is known, and known once', () => {
  says('update-sa', stateWith(500));
  says('update-sa', stateWith(500));
  assert.deepEqual(told, [[500]]);
  says('delete-sa', stateWith(500));
  assert.deepEqual(told, [[500], []]);
});

test('one that a dump had, and that is updated then, is gone when it is gone', () => {
  foreign.reset([stateWith(500), stateWith(0)]);
  says('update-sa', stateWith(500));
  says('delete-sa', stateWith(500));
  assert.deepEqual(foreign.spis(), []);
});

test('an SPI of two is somebody’s until both are gone, and ours are none', () => {
  says('new-sa', stateWith(500));
  says('new-sa', stateWith(500, 2));
  says('new-sa', stateWith(600, 1, 7));
  assert.deepEqual(foreign.spis(), [500]);
  says('delete-sa', stateWith(500));
  assert.deepEqual(foreign.spis(), [500]);
  says('delete-sa', stateWith(500, 2));
  assert.deepEqual(foreign.spis(), []);
});
