// What threads are told of each other's SAs, command by command.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { SaCommand, Spi } from '#sa';
import { OthersNotes } from './others-notes.ts';
import { SaPlacement } from './sa-placement.ts';
import { installation, removal } from './testing/commands.ts';

const threads = 3;

/** What is told, by thread, since the last look. */
class Told {
  readonly placement: SaPlacement = new SaPlacement(threads);
  readonly notes: OthersNotes;
  #said: string[] = [];

  constructor(t: TestContext) {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const all = Array.from({ length: threads }, (_, thread) => ({
      sealedElsewhere: (childId: number, by: number | undefined) =>
        void this.#said.push(`${thread}: ${childId} sealed by ${by}`),
      receivedElsewhere: ({ spi }: { readonly spi: Spi }, by: number, remote: string | undefined) =>
        void this.#said.push(`${thread}: ${spi} ${remote === undefined ? 'gone' : `received by ${by}`}`),
      wipe: () => void this.#said.push(`${thread}: wipe`),
    }));
    this.notes = new OthersNotes(all, this.placement);
  }

  ask(command: SaCommand): string[] {
    const before = command.kind === 'remove' ? this.placement.inboundPlace(command) : undefined;
    this.placement.ask(command);
    this.notes.follow(command, before);
    return this.take();
  }

  take(): string[] {
    return this.#said.splice(0);
  }
}

const wiped = ['0: wipe', '1: wipe', '2: wipe'];

test('the others hear of an inbound SA, and of its end', (t) => {
  const told = new Told(t);
  const received = ['0: 1000 received by 1', '2: 1000 received by 1'];
  assert.deepEqual(told.ask(installation('inbound', 1000, 7)), received);
  assert.deepEqual(told.ask(removal('inbound', 1000, 7)), ['0: 1000 gone', '2: 1000 gone', ...wiped]);
  assert.deepEqual(told.ask(removal('inbound', 1000, 7)), wiped, 'it was gone');
});

test('who seals for a pair, and that nobody does any more, is told to all', (t) => {
  const told = new Told(t);
  told.ask(installation('inbound', 1000, 7));
  const sealed = ['0: 7 sealed by 1', '1: 7 sealed by undefined', '2: 7 sealed by 1'];
  assert.deepEqual(told.ask(installation('outbound', 5000, 7)), sealed);
  told.ask(installation('outbound', 5001, 7, 1));
  assert.deepEqual(told.ask(removal('outbound', 5000, 7)).slice(0, 3), sealed, 'it has another one');
  assert.deepEqual(told.ask(removal('outbound', 5001, 7)).slice(0, 3), [
    ...['0: 7 sealed by undefined', '1: 7 sealed by undefined', '2: 7 sealed by undefined'],
  ]);
});

test('an SA that lingers is handed over until it is gone, also by a thread that is started meanwhile', (t) => {
  const told = new Told(t);
  told.ask(installation('inbound', 1000, 7));
  const linger = { ...removal('inbound', 1000, 7), lingerMs: 5_000 } as SaCommand;
  assert.deepEqual(told.ask(linger), wiped);
  told.notes.tellAgain(2);
  assert.deepEqual(told.take(), ['2: 1000 received by 1']);
  t.mock.timers.tick(4_999);
  assert.deepEqual(told.take(), []);
  t.mock.timers.tick(1);
  assert.deepEqual(told.take(), ['0: 1000 gone', '2: 1000 gone']);
  told.notes.tellAgain(2);
  assert.deepEqual(told.take(), []);
});

test('an SA that gets the SPI of one that lingers stays', (t) => {
  const told = new Told(t);
  told.ask(installation('inbound', 1000, 7));
  told.ask({ ...removal('inbound', 1000, 7), lingerMs: 5_000 } as SaCommand);
  told.ask(installation('inbound', 1000, 8));
  t.mock.timers.tick(10_000);
  assert.deepEqual(told.take(), []);
});

test('a thread that takes the place of another hears what all others have, and nothing of its own', (t) => {
  const told = new Told(t);
  for (const spi of [1000, 1001, 1002]) {
    told.ask(installation('inbound', spi, spi));
    told.ask(installation('outbound', spi, spi));
  }
  told.notes.tellAgain(1);
  assert.deepEqual(told.take(), [
    ...['1: 1001 sealed by 2', '1: 1002 sealed by 0'],
    ...['1: 1001 received by 2', '1: 1002 received by 0'],
  ]);
});
