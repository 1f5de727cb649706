// What strangers can make us send: never more octets than they spent, and only so many packets.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { address, addressFromBytes, type IpAddress } from '#sa';
import { cases } from '../testing/cases.ts';
import { type UnknownSpiPolicyName, unknownSpiPolicy, unknownSpiPolicyNames } from '../verdict/policy.ts';
import { BackOff } from './back-off.ts';
import { prefixNumber } from './prefix.ts';
import { ipOverheadBytes, ReplyBudget } from './reply-budget.ts';
import { SourceRate } from './source-rate.ts';
import { creditBytesMax } from './source-table.ts';

const peer = address('198.51.100.2');
const shy = unknownSpiPolicy('shy');

function reply(destination: IpAddress, ipBytes: number) {
  return { destination, ipBytes, policy: shy, known: false, rebootAware: false };
}

test('a reply is paid from what its destination has sent', () => {
  const budget = new ReplyBudget({ sources: 64, salt: 1, at: 0 });
  assert.equal(budget.spend(reply(peer, 1), 0), 'prefix-credit');
  budget.received(peer, 100);
  assert.equal(budget.creditBytes(peer), 100);
  assert.equal(budget.spend(reply(peer, 101), 0), 'prefix-credit');
  assert.equal(budget.spend(reply(address('198.51.100.3'), 50), 0), 'prefix-credit');
  assert.equal(budget.spend(reply(peer, 60), 0), undefined);
  assert.equal(budget.spend(reply(peer, 41), 0), 'prefix-credit');
  assert.equal(budget.spend(reply(peer, 40), 0), undefined);
  assert.deepEqual(budget.statistics, {
    receivedBytes: 100,
    sentBytes: 100,
    sentPackets: 2,
    refused: { 'prefix-credit': 4, 'total-credit': 0, 'source-rate': 0, 'total-rate': 0 },
  });
});

test('a whole IPv6 /64 is one source, two are two, and no IPv6 prefix is an IPv4 address', () => {
  const number = (text: string): bigint => prefixNumber(address(text));
  assert.equal(number('2001:db8::1'), number('2001:db8::ffff:1'));
  assert.notEqual(number('2001:db8::1'), number('2001:db8:0:1::1'));
  assert.notEqual(number('::c633:6402'), number('198.51.100.2'));
  assert.notEqual(number('0:0:c633:6402::'), number('198.51.100.2'));
});

test('a prefix saves up no more than the cap', () => {
  const budget = new ReplyBudget({ sources: 64, salt: 1, at: 0 });
  for (let i = 0; i < 100; i++) budget.received(peer, 1_500);
  assert.equal(budget.creditBytes(peer), creditBytesMax);
});

test('all prefixes together save up no more than a cap of their own, and what goes out is paid from it', () => {
  const budget = new ReplyBudget({ sources: 65_536, salt: 1, at: 0 });
  const sources = Array.from({ length: 2_000 }, (_, i) =>
    addressFromBytes(Uint8Array.of(100, 64, i >>> 8, i)),
  );
  for (const source of sources) budget.received(source, 1_500);
  let sentBytes = 0;
  const refusals = new Set<string>();
  for (const source of sources) {
    // The byte rule alone holds, as for COOKIE.
    const refusal = budget.spend(
      { destination: source, ipBytes: 1_000, known: false, rebootAware: false },
      0,
    );
    if (refusal === undefined) sentBytes += 1_000;
    else refusals.add(refusal);
  }
  assert.ok(refusals.has('total-credit'));
  assert.equal(sentBytes, 1_048_000);
});

test('the window after a boot raises rates tenfold, and not the credit', () => {
  const budget = new ReplyBudget({ sources: 64, salt: 1, at: 0 });
  budget.received(peer, creditBytesMax);
  let answered = 0;
  while (budget.spend({ ...reply(peer, 60), rebootAware: true }, 0) === undefined) answered++;
  assert.equal(answered, 10 * shy.perSource.burst);
});

test('one source gets its burst and then its rate, whatever it pays', () => {
  const budget = new ReplyBudget({ sources: 64, salt: 1, at: 0 });
  const answered = (at: number): boolean => {
    budget.received(peer, 1_500);
    return budget.spend(reply(peer, 60), at) === undefined;
  };
  assert.deepEqual([0, 0, 0, 0, 0, 999, 1_000, 1_001].map(answered), [
    true,
    true,
    true,
    true,
    false,
    false,
    true,
    false,
  ]);
});

test('strangers cannot use up what is kept for known peers', () => {
  const budget = new ReplyBudget({ sources: 4096, salt: 1, at: 0 });
  let answered = 0;
  for (let i = 0; i < 1_000; i++) {
    const stranger = addressFromBytes(Uint8Array.of(100, 64, i >>> 8, i));
    budget.received(stranger, 100);
    if (budget.spend(reply(stranger, 60), 0) === undefined) answered++;
  }
  assert.equal(answered, shy.total.burst);
  budget.received(peer, 100);
  assert.equal(budget.spend(reply(peer, 60), 0), 'total-rate');
  assert.equal(budget.spend({ ...reply(peer, 60), known: true }, 0), undefined);
});

test('a flood of forged sources takes credit from a cell, and gives none', () => {
  const budget = new ReplyBudget({ sources: 1, salt: 1, at: 0 });
  budget.received(peer, 1_000);
  budget.received(address('203.0.113.1'), 60);
  assert.equal(budget.creditBytes(address('203.0.113.1')), 60);
  assert.equal(budget.creditBytes(peer), 0);
});

test('after a boot more packets may go, but not one octet more', () => {
  const budget = new ReplyBudget({ sources: 64, salt: 1, at: 0 });
  budget.received(peer, 60 * 20);
  let answered = 0;
  while (budget.spend({ ...reply(peer, 60), rebootAware: true }, 0) === undefined) answered++;
  assert.equal(answered, 20);
  assert.equal(budget.statistics.sentBytes, budget.statistics.receivedBytes);
});

test('headers are counted for what they are', () => {
  assert.equal(ipOverheadBytes(peer, true), 28);
  assert.equal(ipOverheadBytes(address('2001:db8::1'), false), 40);
});

const sources: readonly IpAddress[] = [
  ...['10.0.0.0', '10.0.0.1', '10.0.0.7', '198.51.100.2'],
  ...['2001:db8::1', '2001:db8::2', '2001:db8:0:1::1', '2001:db8:0:1::2'],
].map(address);

interface Datagram {
  readonly source: IpAddress;
  readonly bytes: number;
  readonly afterMs: number;
  readonly replyBytes: number;
  readonly policy: UnknownSpiPolicyName;
  readonly known: boolean;
  readonly rebootAware: boolean;
}

/** One number per datagram: a record of many arbitraries would take most of the time of these tests. */
const anyDatagrams: fc.Arbitrary<Datagram[]> = fc.array(
  fc.nat({ max: 0x7fff_ffff }).map(
    (word): Datagram => ({
      source: sources[word & 7]!,
      bytes: ((word >> 3) & 31) * 48,
      afterMs: ((word >> 8) & 31) * 13,
      replyBytes: 28 + ((word >> 13) & 31) * 12,
      policy: unknownSpiPolicyNames[(word >> 18) & 3]!,
      known: (word & (1 << 20)) !== 0,
      rebootAware: (word & (1 << 21)) !== 0,
    }),
  ),
  { minLength: 1, maxLength: 24 },
);

test('for any datagrams from any sources: the byte rule holds per prefix and in total, in a table that never grows', () => {
  fc.assert(
    fc.property(anyDatagrams, fc.constantFrom(1, 2, 8), fc.nat(), (datagrams, size, salt) => {
      const budget = new ReplyBudget({ sources: size, salt, at: 0 });
      const balance = new Map<bigint, number>();
      let total = 0;
      let at = 0;
      for (const { source, bytes, afterMs, replyBytes, policy, known, rebootAware } of datagrams) {
        at += afterMs;
        const prefix = prefixNumber(source);
        budget.received(source, bytes);
        balance.set(prefix, (balance.get(prefix) ?? 0) + bytes);
        total += bytes;
        const request = { destination: source, ipBytes: replyBytes, policy: unknownSpiPolicy(policy) };
        if (budget.spend({ ...request, known, rebootAware }, at) !== undefined) continue;
        balance.set(prefix, balance.get(prefix)! - replyBytes);
        total -= replyBytes;
        assert.ok(balance.get(prefix)! >= 0 && total >= 0);
      }
      const { receivedBytes, sentBytes } = budget.statistics;
      assert.equal(receivedBytes - sentBytes, total);
    }),
    cases(25_000),
  );
});

test('for any datagrams: packets per prefix and in all stay within burst and rate', () => {
  fc.assert(
    fc.property(anyDatagrams, fc.constantFrom(1, 8), (datagrams, size) => {
      const budget = new ReplyBudget({ sources: size, salt: 5, at: 0 });
      const perPrefix = new Map<bigint, number>();
      const all = { known: 0, stranger: 0 };
      let at = 0;
      for (const { source, afterMs, known } of datagrams) {
        at += afterMs;
        budget.received(source, 1_500);
        const request = { destination: source, ipBytes: 28, policy: shy, known, rebootAware: false };
        if (budget.spend(request, at) !== undefined) continue;
        const prefix = prefixNumber(source);
        perPrefix.set(prefix, (perPrefix.get(prefix) ?? 0) + 1);
        all[known ? 'known' : 'stranger']++;
      }
      const allowed = ({ burst, perSecond }: typeof shy.total): number => burst + (at / 1_000) * perSecond;
      for (const count of perPrefix.values()) assert.ok(count <= allowed(shy.perSource));
      assert.ok(all.known <= allowed(shy.total) && all.stranger <= allowed(shy.total));
    }),
    cases(10_000),
  );
});

test('for any askers: each source has its turns within burst and rate, in a table that never grows', () => {
  const rate = { perSecond: 10, burst: 3 };
  fc.assert(
    fc.property(anyDatagrams, fc.constantFrom(1, 2, 8), fc.nat(), (askers, size, salt) => {
      const turns = new SourceRate({ sources: size, salt, rate, at: 0 });
      const taken = new Map<bigint, number>();
      let at = 0;
      for (const { source, afterMs } of askers) {
        at += afterMs;
        if (!turns.take(source, at)) continue;
        const prefix = prefixNumber(source);
        taken.set(prefix, (taken.get(prefix) ?? 0) + 1);
      }
      const all = [...taken.values()];
      const allowed = rate.burst + (at / 1_000) * rate.perSecond;
      for (const count of all) assert.ok(count <= allowed);
      // Those that meet in a cell share it.
      assert.ok(all.reduce((sum, count) => sum + count, 0) <= size * allowed);
    }),
    cases(10_000),
  );
});

test('for any askers: a source that asks no more often than its rate has its turn, whatever others do', () => {
  const rate = { perSecond: 10, burst: 3 };
  fc.assert(
    fc.property(anyDatagrams, (askers) => {
      // Large enough for these sources not to meet.
      const turns = new SourceRate({ sources: 4_096, salt: 7, rate, at: 0 });
      let at = 0;
      let nextAt = 0;
      for (const { source, afterMs } of askers) {
        if (source === peer) continue;
        at += afterMs;
        turns.take(source, at);
        if (at < nextAt) continue;
        assert.ok(turns.take(peer, at));
        nextAt = at + 1_000 / rate.perSecond;
      }
    }),
    cases(10_000),
  );
});

test('windows double while they are asked for, and shrink in quiet times', () => {
  const backOff = new BackOff({ windowMsMin: 100, windowMsMax: 400, subjectsMax: 8 });
  const turns = (times: readonly number[]): boolean[] => times.map((at) => backOff.take('a', at));
  assert.deepEqual(turns([0, 99, 100, 299, 300, 699, 700, 1_099]), [
    ...[true, false, true, false, true, false, true, false],
  ]);
  assert.equal(backOff.nextAt('a', 1_099), 1_100);
  assert.equal(backOff.nextAt('a', 1_100), undefined);
  // Long quiet: back at the shortest window.
  assert.deepEqual(turns([10_000, 10_099, 10_100]), [true, false, true]);
});

test('a full table of waiting subjects lets nobody else act, and grows no further', () => {
  const backOff = new BackOff({ windowMsMin: 100, windowMsMax: 400, subjectsMax: 2 });
  assert.deepEqual(
    [backOff.take('a', 0), backOff.take('b', 50), backOff.take('c', 99), backOff.take('c', 100)],
    [true, true, false, true],
  );
  assert.equal(backOff.size, 2);
  backOff.forget('c');
  assert.equal(backOff.take('c', 101), true);
});

test('for any requests: two actions on one subject are never closer than the shortest window', () => {
  const requests = fc.array(
    fc.record({ subject: fc.constantFrom('a', 'b', 'c', 'd'), afterMs: fc.nat({ max: 150 }) }),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(requests, (sequence) => {
      const backOff = new BackOff({ windowMsMin: 100, windowMsMax: 400, subjectsMax: 3 });
      const lastAt = new Map<string, number>();
      let at = 0;
      for (const { subject, afterMs } of sequence) {
        at += afterMs;
        if (backOff.take(subject, at)) {
          assert.ok(at - (lastAt.get(subject) ?? Number.NEGATIVE_INFINITY) >= 100);
          lastAt.set(subject, at);
        }
        assert.ok(backOff.size <= 3);
      }
    }),
    cases(10_000),
  );
});
