// The ring of SPIs: bounded, found at once, whole after any restart.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { address, type Spi } from '#sa';
import type { IkeSpi } from '#wire';
import { cases } from '../testing/cases.ts';
import { initiatorSpi, responderSpi } from '../testing/facts.ts';
import { decodeSpiRecord, encodeSpiRecord, type SpiRecord } from './record.ts';
import { SpiHistory, type SpiHistoryWrite } from './spi-history.ts';

function record(spi: number, changes: Partial<SpiRecord> = {}): SpiRecord {
  return {
    spi: spi as Spi,
    protocol: 'esp',
    keying: 'ike',
    peer: address('198.51.100.2'),
    peerPort: 4500,
    localIdentity: 'moon.example',
    remoteIdentity: 'sun.example',
    initiatorSpi,
    responderSpi,
    connection: 'site',
    child: 'net',
    quickCrashDetection: true,
    createdAtMs: 1_700_000_000_000,
    ...changes,
  };
}

/** A disk that keeps what it is told. */
function keep(disk: Map<string, Uint8Array>, write: SpiHistoryWrite | undefined): void {
  if (write !== undefined) disk.set(write.key, write.octets);
}

test('a record is the same after writing and reading, with every field', () => {
  for (const one of [
    record(256),
    record(0xffff_ffff, { protocol: 'ah', keying: 'hip', quickCrashDetection: false, peerPort: 0 }),
    record(4711, { peer: address('2001:db8::7'), connection: '', child: 'Zürich → 東京 🛰' }),
    record(4711, { ended: { atMs: 1_700_000_000_001, why: 'our-restart' } }),
  ]) {
    assert.deepEqual(decodeSpiRecord(encodeSpiRecord(one)), one);
  }
});

test('long names are cut at a character, and clocks that are not set do no harm', () => {
  const long = decodeSpiRecord(encodeSpiRecord(record(300, { remoteIdentity: 'é'.repeat(200) })));
  assert.equal(long?.remoteIdentity, 'é'.repeat(127));
  assert.equal(decodeSpiRecord(encodeSpiRecord(record(300, { createdAtMs: -5.5 })))?.createdAtMs, 0);
});

test('not one octet of a record may be torn or garbled', () => {
  const octets = encodeSpiRecord(record(4711));
  for (let length = 0; length < octets.length; length++) {
    assert.equal(decodeSpiRecord(octets.subarray(0, length)), undefined);
  }
  for (let i = 0; i < octets.length; i++) {
    const garbled = octets.slice();
    garbled[i]! ^= 0x40;
    assert.equal(decodeSpiRecord(garbled), undefined);
  }
});

test('reading never throws', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), (octets) => {
      assert.equal(decodeSpiRecord(octets), undefined);
    }),
    cases(10_000),
  );
});

test('an SPI is found by itself and by its IKE SA, while it lives and after', () => {
  const history = new SpiHistory(4);
  history.add(record(1000));
  history.add(record(1001));
  assert.equal(history.find(1000)?.ended, undefined);
  history.end(1000 as Spi, 5, 'rekeyed');
  assert.deepEqual(history.find(1000)?.ended, { atMs: 5, why: 'rekeyed' });
  assert.equal(history.end(1000 as Spi, 6, 'expired'), undefined);
  assert.equal(history.end(9999 as Spi, 6, 'expired'), undefined);
  assert.deepEqual(
    history
      .ofIkeSa(initiatorSpi, responderSpi)
      .map(({ spi }) => spi)
      .sort(),
    [1000, 1001],
  );
  assert.deepEqual(history.ofIkeSa(responderSpi, initiatorSpi), []);
});

test('a rekeying of the IKE SA moves its living records, so that tokens are never of an IKE SA that went', () => {
  const history = new SpiHistory(4);
  history.add(record(1000));
  history.add(record(1001));
  history.end(1001 as Spi, 5, 'deleted-by-us');
  const next = 'ffffffffffffffff' as IkeSpi;
  assert.notEqual(history.update(1000 as Spi, { initiatorSpi: next }), undefined);
  assert.equal(history.update(1001 as Spi, { initiatorSpi: next }), undefined);
  assert.deepEqual(
    history.ofIkeSa(next, responderSpi).map(({ spi }) => spi),
    [1000],
  );
});

test('a full ring gives up what ended longest ago, and living records last', () => {
  const history = new SpiHistory(3);
  for (const spi of [1000, 1001, 1002]) history.add(record(spi));
  history.end(1001 as Spi, 10, 'expired');
  history.end(1000 as Spi, 20, 'expired');
  history.add(record(1003));
  assert.deepEqual(
    [1000, 1001, 1002, 1003].map((spi) => history.find(spi) !== undefined),
    [true, false, true, true],
  );
  history.add(record(1004));
  history.add(record(1005));
  assert.deepEqual(
    history.all().map(({ spi }) => spi),
    [1003, 1004, 1005],
  );
});

test('what was alive at the crash is alive no more, is written again so, and stays so', () => {
  const disk = new Map<string, Uint8Array>([['boot-epoch', new Uint8Array(12)]]);
  const before = new SpiHistory(4);
  keep(disk, before.add(record(1000)));
  keep(disk, before.add(record(1001)));
  keep(disk, before.end(1001 as Spi, 9, 'deleted-by-peer'));
  const after = SpiHistory.load(4, disk, 77);
  assert.equal(after.refused, 0);
  assert.deepEqual(after.history.find(1000)?.ended, { atMs: 77, why: 'our-restart' });
  assert.deepEqual(after.history.find(1001)?.ended, { atMs: 9, why: 'deleted-by-peer' });
  assert.equal(after.writes.length, 1);
  for (const write of after.writes) keep(disk, write);
  assert.equal(SpiHistory.load(4, disk, 99).history.find(1000)?.ended?.atMs, 77);
  assert.equal(after.history.count, 2);
});

test('records that are torn or lie beyond a smaller ring are refused one by one', () => {
  const disk = new Map<string, Uint8Array>();
  const history = new SpiHistory(4);
  for (const spi of [1000, 1001, 1002, 1003]) keep(disk, history.add(record(spi)));
  const [first, , , last] = [...disk.keys()].sort();
  disk.set(first!, disk.get(first!)!.subarray(0, 20));
  const loaded = SpiHistory.load(3, disk, 5);
  assert.equal(loaded.refused, 2);
  assert.equal(loaded.history.count, 2);
  assert.equal(last, 'spi-history/000003');
  disk.set('spi-history/1e1', disk.get(last!)!);
  assert.equal(SpiHistory.load(4, disk, 5).refused, 2);
});

test('any sequence of events leaves a ring that a plain list agrees with, in memory and on disk', () => {
  const events = fc.array(
    fc.record({
      kind: fc.constantFrom(
        'add' as const,
        'add' as const,
        'end' as const,
        'update' as const,
        'crash' as const,
      ),
      spi: fc.integer({ min: 256, max: 268 }),
    }),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(events, (sequence) => {
      const size = 5;
      const disk = new Map<string, Uint8Array>();
      let history = new SpiHistory(size);
      /** Newest last; `ended` is undefined while alive. */
      let model: { spi: number; endedAt: number | undefined }[] = [];
      sequence.forEach(({ kind, spi }, at) => {
        switch (kind) {
          case 'add': {
            const known = model.findIndex((one) => one.spi === spi);
            if (known >= 0) model.splice(known, 1);
            else if (model.length === size) {
              const ended = model.filter(({ endedAt }) => endedAt !== undefined);
              ended.sort((a, b) => a.endedAt! - b.endedAt!);
              const victim = ended[0] ?? model[0]!;
              model.splice(model.indexOf(victim), 1);
            }
            model.push({ spi, endedAt: undefined });
            keep(disk, history.add(record(spi, { connection: `site ${spi % 3}` })));
            break;
          }
          case 'end': {
            const one = model.find((candidate) => candidate.spi === spi);
            if (one !== undefined) one.endedAt ??= at;
            keep(disk, history.end(spi as Spi, at, 'expired'));
            break;
          }
          case 'update':
            keep(disk, history.update(spi as Spi, { peerPort: at }));
            if (history.find(spi)?.ended === undefined) {
              // A change makes a record the newest of its kind.
              const moved = model.find((one) => one.spi === spi);
              if (moved !== undefined) model = [...model.filter((one) => one !== moved), moved];
            }
            break;
          case 'crash':
            break;
        }
        const expected = new Set(model.map((one) => `${one.spi} ${one.endedAt}`));
        const seen = new Set(history.all().map((one) => `${one.spi} ${one.ended?.atMs}`));
        assert.deepEqual(seen, expected);
        for (const site of ['site 0', 'site 1', 'site 2', 'site 3']) {
          assert.deepEqual(
            history.ofConnection(site),
            history.all().filter(({ connection }) => connection === site),
          );
        }
        if (kind === 'crash') {
          const loaded = SpiHistory.load(size, disk, at);
          assert.equal(loaded.refused, 0);
          for (const write of loaded.writes) keep(disk, write);
          assert.deepEqual(
            new Set(loaded.history.all().map(({ spi: one }) => one)),
            new Set(model.map((one) => one.spi)),
          );
          // From here on the model's order among equals is not the ring's: go on with the old one.
          history = SpiHistory.load(size, new Map(), at).history;
          model = [];
          disk.clear();
        }
      });
      assert.ok(history.count <= size && disk.size <= size);
    }),
    cases(3_000),
  );
});
