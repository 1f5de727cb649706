// The table of verdicts on IKE messages of no IKE SA.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PayloadType, type ReceivedIkeHeader, zeroIkeSpi } from '#wire';
import { cases } from '../testing/cases.ts';
import { ikeEvidence, ikeFacts, initiatorSpi, ourEnd, responderSpi } from '../testing/facts.ts';
import { type IkeFacts, judgeUnknownIkeMessage } from './ike-verdict.ts';
import { unknownSpiPolicy, unknownSpiPolicyNames } from './policy.ts';

test('a protected request of a forgotten IKE SA is told so, with tokens', () => {
  assert.deepEqual(judgeUnknownIkeMessage(ikeEvidence(), ikeFacts()), {
    kind: 'invalid-ike-spi',
    reason: 'with-tokens',
    tokensFor: { initiatorSpi, responderSpi },
    reestablish: false,
  });
  const fragment = judgeUnknownIkeMessage(ikeEvidence({ nextPayload: PayloadType.SKF }), ikeFacts());
  assert.equal(fragment.kind, 'invalid-ike-spi');
});

test('every row wins over all rows below it', () => {
  const forgotten = { quickCrashDetection: false, reestablishable: true };
  const rows: readonly [Partial<ReceivedIkeHeader>, Partial<IkeFacts>, string, string][] = [
    [{}, {}, 'invalid-ike-spi', 'with-tokens'],
    [{}, { history: forgotten }, 'invalid-ike-spi', 'no-crash-detection'],
    [{}, { ikeSaLive: true }, 'ignore', 'live'],
    [{ nextPayload: PayloadType.N }, {}, 'ignore', 'unprotected'],
    [{ responderSpi: zeroIkeSpi }, {}, 'ignore', 'no-ike-spi'],
    [{ majorVersion: 3 }, {}, 'invalid-major-version', 'higher-version'],
    [{}, { policy: unknownSpiPolicy('silent') }, 'ignore', 'policy'],
    [{}, { claimedByOther: true }, 'leave-to-owner', 'claimed'],
    [{ majorVersion: 1 }, {}, 'ignore', 'lower-version'],
    [{}, { ready: false }, 'ignore', 'not-ready'],
    [{}, { destinationIsOurs: false }, 'ignore', 'not-answerable'],
    [{ response: true }, {}, 'ignore', 'response'],
  ];
  let header: Partial<ReceivedIkeHeader> = {};
  let known: Partial<IkeFacts> = {};
  for (const [ofHeader, fact, kind, reason] of rows) {
    header = { ...header, ...ofHeader };
    known = { ...known, ...fact };
    const verdict = judgeUnknownIkeMessage(ikeEvidence(header), ikeFacts(known));
    assert.deepEqual([verdict.kind, verdict.reason], [kind, reason]);
  }
});

test('a message that claims another length, or comes from ourselves, has no answer', () => {
  const short = { ...ikeEvidence(), lengthBytes: 79 };
  const own = { ...ikeEvidence(), source: ourEnd };
  for (const [message, because] of [
    [short, 'bad-length'],
    [own, 'source-is-destination'],
  ] as const) {
    const verdict = judgeUnknownIkeMessage(message, ikeFacts());
    assert.deepEqual(verdict, { kind: 'ignore', reason: 'not-answerable', because });
  }
});

test('the one-way message of another host is never answered, so that no loop begins (RFC 7296 1.5)', () => {
  const oneWay = { nextPayload: PayloadType.N, exchangeType: 37, messageId: 0 };
  for (const name of unknownSpiPolicyNames) {
    const verdict = judgeUnknownIkeMessage(ikeEvidence(oneWay), ikeFacts({ policy: unknownSpiPolicy(name) }));
    assert.equal(verdict.kind, 'ignore');
  }
});

test('whatever the header and the facts: responses stay unanswered, and live IKE SAs have no token', () => {
  const spi = fc.constantFrom(zeroIkeSpi, initiatorSpi, responderSpi);
  const anyHeader = fc.record({
    initiatorSpi: spi,
    responderSpi: spi,
    nextPayload: fc.nat({ max: 60 }),
    majorVersion: fc.nat({ max: 15 }),
    exchangeType: fc.nat({ max: 255 }),
    initiator: fc.boolean(),
    response: fc.boolean(),
    messageId: fc.nat(),
  });
  const anyFacts = fc.record({
    policy: fc.constantFrom(...unknownSpiPolicyNames).map(unknownSpiPolicy),
    ready: fc.boolean(),
    claimedByOther: fc.boolean(),
    ikeSaLive: fc.boolean(),
    history: fc.option(fc.record({ quickCrashDetection: fc.boolean(), reestablishable: fc.boolean() }), {
      nil: undefined,
    }),
  });
  fc.assert(
    fc.property(anyHeader, anyFacts, (header, known) => {
      const verdict = judgeUnknownIkeMessage(ikeEvidence(header), ikeFacts(known));
      const sends = verdict.kind !== 'ignore' && verdict.kind !== 'leave-to-owner';
      if (header.response || !known.ready || known.policy.name === 'silent') assert.ok(!sends);
      if (verdict.kind === 'invalid-ike-spi') {
        assert.ok(!known.ikeSaLive);
        assert.ok(header.nextPayload === PayloadType.SK || header.nextPayload === PayloadType.SKF);
      }
    }),
    cases(20_000),
  );
});
