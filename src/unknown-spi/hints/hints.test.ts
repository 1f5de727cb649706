// Hints: what fits, how much it weighs, and how seldom it is acted upon.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address } from '#sa';
import { notify } from '#wire';
import { ikeHeader, ourEnd, peerEnd } from '../testing/facts.ts';
import {
  type HintJudgement,
  invalidSpiOf,
  judgeIcmpQuote,
  judgeInvalidSpi,
  judgeRefusal,
  type QuotedPacket,
  type QuotedSa,
  recentSequences,
} from './hint.ts';
import { Suspicion } from './suspicion.ts';

const outbound: QuotedSa = {
  childId: 1,
  ikeId: 2,
  remote: peerEnd,
  local: ourEnd,
  encapsulated: true,
  spi: 0xabcd1234,
  sentSequence: 1_000,
};

test('INVALID_SPI carries exactly four octets', () => {
  const data = Uint8Array.of(0xab, 0xcd, 0x12, 0x34);
  assert.equal(invalidSpiOf([notify(4), notify(11, { data })]), 0xabcd1234);
  assert.equal(invalidSpiOf([notify(11, { data: data.subarray(1) })]), undefined);
  assert.equal(invalidSpiOf([notify(11)]), undefined);
  assert.equal(invalidSpiOf([notify(4)]), undefined);
});

test('INVALID_SPI fits if it names a current outbound SPI to its sender, from whatever port', () => {
  assert.deepEqual(judgeInvalidSpi(peerEnd.address, [outbound]), {
    fits: true,
    weight: 'strong',
    subject: outbound,
  });
  assert.deepEqual(judgeInvalidSpi(peerEnd.address, []), { fits: false, reason: 'no-such-outbound-spi' });
  assert.deepEqual(judgeInvalidSpi(address('203.0.113.9'), [outbound]), {
    fits: false,
    reason: 'spi-of-another-peer',
  });
});

test('a refusal fits if it answers a request that is outstanding', () => {
  const outstanding = [
    { exchangeType: 36, messageId: 40 },
    { exchangeType: 37, messageId: 41 },
  ];
  const refusal = ikeHeader({ response: true, initiator: false });
  const judge = (changes: Parameters<typeof ikeHeader>[0], weAreInitiator = true) =>
    judgeRefusal({ ...refusal, ...changes }, weAreInitiator, outstanding);
  assert.deepEqual(judge({}), { fits: true, weight: 'strong', subject: outstanding[1] });
  for (const [changes, reason] of [
    [{ response: false }, 'not-a-response'],
    [{ initiator: true }, 'not-a-response'],
    [{ messageId: 40 }, 'no-such-request'],
    [{ exchangeType: 36 }, 'no-such-request'],
    [{ messageId: 42 }, 'no-such-request'],
  ] as const) {
    assert.deepEqual(judge(changes), { fits: false, reason });
  }
  assert.deepEqual(judge({}, false), { fits: false, reason: 'not-a-response' });
});

/** Against all that a host has. */
function judgeQuote(quote: QuotedPacket, all: readonly QuotedSa[]): HintJudgement<QuotedSa> {
  const named = all.filter(({ spi }) => spi === quote.spi);
  return judgeIcmpQuote(quote, named, all);
}

test('an ICMP error weighs as much as what it quotes', () => {
  const quote: QuotedPacket = {
    source: ourEnd.address,
    destination: peerEnd.address,
    sourcePort: ourEnd.port,
    destinationPort: peerEnd.port,
    spi: outbound.spi,
    sequence: 990,
  };
  const judge = (changes: Partial<QuotedPacket>, sa: Partial<QuotedSa> = {}) => {
    const judgement = judgeQuote({ ...quote, ...changes }, [{ ...outbound, ...sa }]);
    return judgement.fits ? judgement.weight : judgement.reason;
  };
  assert.equal(judge({}), 'strong');
  assert.equal(judge({ spi: 5 }), 'no-such-outbound-spi');
  assert.equal(judge({ source: peerEnd.address }), 'not-our-packet');
  assert.equal(judge({ destination: ourEnd.address }), 'not-our-packet');
  assert.equal(judge({ sourcePort: 1 }), 'not-our-packet');
  assert.equal(judge({ sourcePort: 1 }, { encapsulated: false }), 'strong');
  assert.equal(judge({ sequence: 1_001 }), 'not-sent-recently');
  assert.equal(judge({ sequence: 0 }), 'not-sent-recently');
  const { spi: _, sequence: __, ...addressesOnly } = quote;
  assert.equal(judgeQuote(addressesOnly, [outbound]).fits && 'weak', 'weak');
  const { sentSequence: ___, ...untold } = outbound;
  const judgement = judgeQuote(quote, [untold]);
  assert.equal(judgement.fits && judgement.weight, 'weak');
});

test('sequence numbers are compared modulo 2^32: a quote shows the low half only', () => {
  const quote = { source: ourEnd.address, destination: peerEnd.address, spi: outbound.spi };
  const judge = (sequence: number, sentSequence: number): boolean =>
    judgeQuote({ ...quote, sequence }, [{ ...outbound, encapsulated: false, sentSequence }]).fits;
  assert.equal(judge(0xffff_fff0, 10), true);
  assert.equal(judge(10, 0xffff_fff0), false);
  assert.equal(judge(1, 1 + recentSequences), true);
  assert.equal(judge(1, 2 + recentSequences), false);
});

test('one liveness check per back-off window, and none against fresh traffic', () => {
  const suspicion = new Suspicion();
  const suspect = { ikeId: 1, lastInboundAt: 900 };
  assert.equal(suspicion.raise({ ...suspect, quotedSentAt: 800 }, 1_000), 'fresh-traffic');
  assert.equal(suspicion.raise(suspect, 1_000), 'check');
  assert.equal(suspicion.raise(suspect, 2_999), 'back-off');
  assert.equal(suspicion.raise({ ...suspect, ikeId: 2 }, 2_999), 'check');
  assert.equal(suspicion.raise(suspect, 3_000), 'check');
  assert.equal(suspicion.raise(suspect, 6_999), 'back-off');
  assert.equal(suspicion.raise(suspect, 7_000), 'check');
  suspicion.forget(1);
  assert.equal(suspicion.raise(suspect, 7_001), 'check');
});

test('a day of forged hints costs an IKE SA a check every five minutes', () => {
  const suspicion = new Suspicion();
  let checks = 0;
  for (let at = 0; at < 86_400_000; at += 1_000) {
    if (suspicion.raise({ ikeId: 1, lastInboundAt: 0 }, at) === 'check') checks++;
  }
  assert.ok(checks <= 8 + 86_400 / 300, `${checks} checks`);
});
