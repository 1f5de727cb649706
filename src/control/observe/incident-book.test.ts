// Which events make one incident, and how it ends.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EngineEvent, IkeEvent, RecoveryRung, RecoveryStep } from '#engine';
import { address, type Endpoint, type Spi } from '#sa';
import type { IkeSpi } from '#wire';
import type { Incident } from '../api/index.ts';
import { type Ended, IncidentBook } from './incident-book.ts';
import type { TracedMessage } from './message-trace.ts';

const peer: Endpoint = { address: address('192.0.2.2'), port: 500 };
const stranger: Endpoint = { address: address('203.0.113.9'), port: 500 };
const spi = 0xc0ffee00 as Spi;

class Book {
  readonly ended: Ended[] = [];
  readonly book: IncidentBook = new IncidentBook({
    host: '',
    wallClockOffsetMs: 1_000_000,
    ended: (ended) => this.ended.push(ended),
  });

  constructor() {
    this.give(0, {
      kind: 'started',
      bootEpoch: 3,
      historyRecords: 0,
      historyRefused: 0,
      secretsLost: false,
    });
  }

  give(at: number, event: EngineEvent): string | undefined {
    return this.book.event(at, event);
  }

  rung(
    at: number,
    rung: RecoveryRung,
    step: RecoveryStep,
    connection = 'net',
    firstSignAt?: number,
  ): string | undefined {
    const sign = firstSignAt === undefined ? {} : { firstSignAt };
    return this.give(at, { kind: 'recovery', connection, rung, step, detail: 'as told', ...sign });
  }

  ike(
    at: number,
    event: IkeEvent,
    connection = 'net',
    initiatorSpi = '1111111111111111',
  ): string | undefined {
    const context = {
      ikeId: 1,
      initiatorSpi,
      responderSpi: '2222222222222222',
      connection: { name: connection },
      remote: peer,
    };
    return this.give(at, { kind: 'ike', context, event } as unknown as EngineEvent);
  }

  hint(
    at: number,
    outcome: 'check' | 'proven' | 'spi-of-another-peer' | 'replacing-child',
  ): string | undefined {
    const hint = outcome === 'proven' ? 'token' : 'invalid-spi';
    return this.give(at, {
      kind: 'hint',
      hint,
      remote: peer,
      protected: false,
      outcome,
      spi,
      connection: 'net',
    });
  }

  message(at: number, fields: Partial<TracedMessage> = {}): void {
    this.book.message({
      at,
      direction: 'out',
      remote: peer,
      initiatorSpi: '1111111111111111' as IkeSpi,
      response: false,
      begins: false,
      exchange: 'liveness',
      title: 'INFORMATIONAL request 2 [ SK ]',
      lengthBytes: 80,
      ...fields,
    });
  }

  get only(): Incident {
    const all = this.book.all();
    assert.equal(all.length, 1);
    return all[0]!;
  }
}

const alive: IkeEvent = { kind: 'liveness-confirmed', rttMs: 12 };

test('from silence over a token to traffic: one incident, whose time begins with the first sign', () => {
  const book = new Book();
  book.ike(0, alive);
  const id = book.rung(1_000, 'silence', 'checking');
  assert.equal(id, '3-1');
  book.message(1_001);
  assert.equal(book.rung(1_150, 'silence', 'parallel'), id);
  assert.equal(book.rung(1_150, 'silence', 'calling', 'net', 700), id);
  assert.equal(book.hint(2_000, 'proven'), id);
  assert.equal(book.rung(2_000, 'token', 'calling', 'net', 700), id);
  assert.equal(book.rung(2_100, 'token', 'stands', 'net', 700), id);
  // An answer to the liveness check of before does not end what is under way.
  assert.equal(book.ike(2_110, alive), id);
  assert.deepEqual(book.book.openIds(), [id]);
  assert.equal(book.rung(2_200, 'token', 'back'), id);
  const { state, rung, startedAtMs, endedAtMs, entries } = book.only;
  assert.deepEqual([state, rung, startedAtMs, endedAtMs], ['traffic-back', 'token', 1_000_700, 1_002_200]);
  assert.deepEqual(
    entries.map(({ afterMs, title }) => [afterMs, title]),
    [
      [300, 'silence: checking'],
      [301, 'INFORMATIONAL request 2 [ SK ]'],
      [450, 'silence: parallel'],
      [450, 'silence: calling'],
      [1_300, 'token: proven'],
      [1_300, 'token: calling'],
      [1_400, 'token: stands'],
      [1_410, 'peer is alive'],
      [1_500, 'token: back'],
    ],
  );
  assert.deepEqual(book.ended, [{ outcome: 'traffic-back', rung: 'token', durationMs: 1_500 }]);
  assert.deepEqual(book.book.openIds(), []);
});

test('a hint whose liveness check is answered was a false alarm', () => {
  const book = new Book();
  // The message that brought it came right before.
  book.message(990, { at: 990, direction: 'in', title: 'INFORMATIONAL request 0 [ N(INVAL_SPI) ]' });
  const id = book.hint(1_000, 'check');
  book.message(1_001);
  book.message(1_013, { direction: 'in', response: true, title: 'INFORMATIONAL response 2 [ SK ]' });
  assert.equal(book.ike(1_013, alive), id);
  const { state, entries, rttMs, exchanges } = book.only;
  assert.equal(state, 'peer-alive');
  assert.equal(entries[0]?.title, 'INFORMATIONAL request 0 [ N(INVAL_SPI) ]');
  assert.deepEqual([rttMs, exchanges], [12, 1]);
});

test('an incident that begins when the peer has called shows the whole of its call', () => {
  const book = new Book();
  const fresh = { initiatorSpi: '5555555555555555' as IkeSpi, remote: peer };
  book.message(100, { title: 'a liveness check of long ago' });
  book.message(2_000, { ...fresh, direction: 'in', begins: true, title: 'IKE_SA_INIT request 0' });
  book.message(2_001, { ...fresh, response: true, title: 'IKE_SA_INIT response 0' });
  book.message(2_300, { ...fresh, direction: 'in', title: 'IKE_AUTH request 1' });
  const how = { kind: 'ike-established', resumed: false } as unknown as IkeEvent;
  book.ike(2_300, how, 'net', fresh.initiatorSpi);
  book.rung(2_300, 'peer', 'called');
  book.ike(2_310, alive, 'net', fresh.initiatorSpi);
  assert.deepEqual(
    book.only.entries.map(({ afterMs, title }) => [afterMs, title]),
    [
      [0, 'IKE_SA_INIT request 0'],
      [1, 'IKE_SA_INIT response 0'],
      [300, 'peer: called'],
      [300, 'IKE_AUTH request 1'],
      [310, 'peer is alive'],
    ],
  );
});

test('a hint that fits nothing is no incident, and neither is what else happens to a tunnel', () => {
  const book = new Book();
  assert.equal(book.hint(1, 'spi-of-another-peer'), undefined);
  assert.equal(book.ike(2, alive), undefined);
  assert.equal(book.rung(3, 'token', 'back'), undefined);
  assert.deepEqual(book.book.all(), []);
});

test('who was asked to prove that it forgot is told when a Child SA stands again', () => {
  const book = new Book();
  const owner = { connection: 'net', child: 'net', remoteIdentity: 'peer' };
  const evidence = { protocol: 'esp', lengthBytes: 100 };
  const verdict = { kind: 'notify-unprotected', reason: 'history-with-tokens' };
  const stray = { kind: 'unknown-spi', remote: peer, spi, count: 1, evidence, verdict, owner };
  const give = (at: number, outcome: string): string | undefined =>
    book.give(at, { ...stray, outcome } as unknown as EngineEvent);
  const id = give(10, 'sent');
  assert.equal(give(11, 'source-rate'), id);
  for (let at = 12; at < 40; at++) give(at, 'source-rate');
  const child = { name: 'net', inboundSpi: spi, outboundSpi: spi };
  book.ike(50, { kind: 'child-established', child } as unknown as IkeEvent);
  const { state, entries } = book.only;
  assert.equal(state, 'sa-stands');
  // The same packet and the same verdict on it are two entries, not sixty.
  assert.deepEqual(
    entries.map(({ title, count }) => [title, count]),
    [
      ['ESP with unknown SPI c0ffee00', 30],
      ['notify-unprotected', 1],
      ['notify-unprotected', 29],
      ['Child SA established', 1],
    ],
  );
});

test('messages with others, and of other connections with the same address, are left out', () => {
  const book = new Book();
  book.ike(0, alive, 'other', '3333333333333333');
  book.hint(100, 'check');
  book.message(101, { remote: stranger });
  book.message(102, { initiatorSpi: '3333333333333333' as IkeSpi });
  book.message(103, { title: 'mine' });
  assert.deepEqual(
    book.only.entries.map(({ title }) => title),
    ['invalid-spi: check', 'mine'],
  );
});

test('what is heard of no more fades, and nothing grows without bound', () => {
  const book = new Book();
  for (let i = 0; i < 200; i++) book.rung(i, 'silence', 'calling', `net-${i}`);
  assert.equal(book.book.openIds().length, 64);
  assert.equal(book.book.all().length, 64 + 32);
  book.ike(900, alive, 'net-199');
  for (let i = 0; i < 500; i++)
    book.rung(1_000 + i, 'silence', i % 2 === 0 ? 'calling' : 'parallel', 'net-199');
  for (let i = 0; i < 500; i++) book.message(2_000 + i, { title: `message ${i}` });
  const longest = Math.max(...book.book.all().map(({ entries }) => entries.length));
  assert.equal(longest, 96);
  book.book.tick(700_000);
  assert.deepEqual(book.book.openIds(), []);
  assert.ok(book.book.all().every(({ state }) => state === 'faded'));
});

test('of what is over, false alarms are forgotten first', () => {
  const book = new Book();
  book.rung(0, 'token', 'calling');
  book.rung(1, 'token', 'back');
  for (let at = 10; at < 1_000; at += 10) {
    book.rung(at, 'silence', 'checking');
    book.ike(at + 1, alive);
  }
  const all = book.book.all();
  assert.equal(all.length, 32);
  assert.equal(all.at(-1)?.state, 'traffic-back');
});
