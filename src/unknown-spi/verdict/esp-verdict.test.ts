// The table of verdicts on ESP and AH, row by row and in its order.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { address, type UnknownSpiEvidence } from '#sa';
import { cases } from '../testing/cases.ts';
import {
  evidence,
  facts,
  historyFact,
  initiatorSpi,
  ourEnd,
  peerEnd,
  responderSpi,
} from '../testing/facts.ts';
import { judgeUnknownSpi, type SpiFacts } from './esp-verdict.ts';
import { unknownSpiPolicy, unknownSpiPolicyNames } from './policy.ts';

const native = (changes: Partial<UnknownSpiEvidence> = {}): UnknownSpiEvidence =>
  evidence({
    encapsulated: false,
    source: { address: peerEnd.address, port: 0 },
    destination: { address: ourEnd.address, port: 0 },
    ...changes,
  });

const from = (text: string, port = 4500): UnknownSpiEvidence['source'] => ({ address: address(text), port });

test('what cannot be answered is ignored, each with its reason', () => {
  const cases: readonly [Partial<UnknownSpiEvidence>, Partial<SpiFacts>, string][] = [
    [{}, { destinationIsOurs: false }, 'destination-not-ours'],
    [{ destination: from('224.0.0.5') }, {}, 'destination-not-ours'],
    [{ destination: from('ff02::1') }, {}, 'destination-not-ours'],
    [{ source: from('224.0.0.1') }, {}, 'source-not-unicast'],
    [{ source: from('255.255.255.255') }, {}, 'source-not-unicast'],
    [{ source: from('0.0.0.0') }, {}, 'source-not-unicast'],
    [{ source: from('::'), destination: from('2001:db8::1') }, {}, 'source-not-unicast'],
    [{ source: from('ff0e::1'), destination: from('2001:db8::1') }, {}, 'source-not-unicast'],
    [{ source: from('127.0.0.1') }, {}, 'source-not-unicast'],
    [{ source: ourEnd }, {}, 'source-is-destination'],
    [{ source: from('198.51.100.2', 0) }, {}, 'no-source-port'],
    [{ nonFirstFragment: true }, {}, 'fragment'],
    [{ spi: 0 }, {}, 'reserved-spi'],
    [{ spi: 255 }, {}, 'reserved-spi'],
    [{ lengthBytes: 16 }, {}, 'bad-length'],
    [{ lengthBytes: 137 }, {}, 'bad-length'],
    [{ protocol: 'ah', lengthBytes: 23 }, {}, 'bad-length'],
  ];
  for (const [packet, known, because] of cases) {
    assert.deepEqual(
      judgeUnknownSpi(evidence(packet), facts(known)),
      { kind: 'ignore', reason: 'not-answerable', because },
      because,
    );
  }
});

test('two hosts behind one loopback address differ by their ports', () => {
  const verdict = judgeUnknownSpi(
    evidence({ source: from('127.0.0.1', 4501), destination: from('127.0.0.1', 4500) }),
    facts(),
  );
  assert.equal(verdict.kind, 'notify-unprotected');
});

test('every row wins over all rows below it', () => {
  // From the bottom up: each fact is added to those before it and must change the verdict.
  const rows: readonly [Partial<SpiFacts>, string, string][] = [
    [{}, 'notify-unprotected', 'unknown'],
    [{ history: historyFact() }, 'notify-unprotected', 'history-with-tokens'],
    [{ historyIkeSaLive: true }, 'notify-unprotected', 'history-live'],
    [{ ikeSa: { ikeId: 3 } }, 'notify-protected', 'ike-sa-stands'],
    [{ history: historyFact({ late: true }) }, 'ignore', 'late'],
    [{ owner: 'us' }, 'ignore', 'ours'],
    [{ owner: 'other' }, 'leave-to-owner', 'claimed'],
    [{ ready: false }, 'ignore', 'not-ready'],
    [{ destinationIsOurs: false }, 'ignore', 'not-answerable'],
  ];
  let known: Partial<SpiFacts> = {};
  for (const [fact, kind, reason] of rows) {
    known = { ...known, ...fact };
    const verdict = judgeUnknownSpi(evidence(), facts(known));
    assert.deepEqual([verdict.kind, verdict.reason], [kind, reason]);
  }
});

test('nothing is answered before re-adoption and the dump of owners have finished', () => {
  for (const name of unknownSpiPolicyNames) {
    for (const known of [{}, { history: historyFact() }, { ikeSa: { ikeId: 1 } }]) {
      const verdict = judgeUnknownSpi(
        evidence(),
        facts({ ...known, ready: false, policy: unknownSpiPolicy(name) }),
      );
      assert.deepEqual(verdict, { kind: 'ignore', reason: 'not-ready' });
    }
  }
});

test('the tokens of a forgotten IKE SA go with INVALID_SPI, whoever sent the packet', () => {
  for (const source of [peerEnd, from('203.0.113.77', 9)]) {
    assert.deepEqual(judgeUnknownSpi(evidence({ source }), facts({ history: historyFact() })), {
      kind: 'notify-unprotected',
      reason: 'history-with-tokens',
      tokensFor: { initiatorSpi, responderSpi },
      reestablish: true,
    });
  }
});

test('no token where none was given, and no call to whom we may not call', () => {
  const history = historyFact({ quickCrashDetection: false, reestablishable: false });
  assert.deepEqual(judgeUnknownSpi(evidence(), facts({ history })), {
    kind: 'notify-unprotected',
    reason: 'history-without-tokens',
    reestablish: false,
  });
});

test('an IKE SA says nothing about an SPI that was HIP’s, with the same host', () => {
  const ikeSa = { ikeId: 3 };
  const kindOf = (packet: UnknownSpiEvidence, known: Partial<SpiFacts>): string =>
    judgeUnknownSpi(packet, facts({ ikeSa, ...known })).kind;
  assert.equal(kindOf(native(), { history: historyFact({ keying: 'hip' }) }), 'parameter-problem');
  assert.equal(kindOf(native(), { history: historyFact() }), 'notify-protected');
  const inUdp = evidence({ destination: from('192.0.2.1', 10_500) });
  assert.equal(kindOf(inUdp, {}), 'parameter-problem');
  assert.equal(kindOf(evidence(), { history: historyFact({ keying: 'hip' }) }), 'notify-protected');
});

test('native ESP is answered where one protocol alone can have made it', () => {
  const both = { ike: true, hip: true };
  const none = { ike: false, hip: false };
  const verdict = (known: Partial<SpiFacts>): string => {
    const { kind, reason } = judgeUnknownSpi(native(), facts(known));
    return `${kind} ${reason}`;
  };
  assert.equal(verdict({}), 'notify-unprotected unknown');
  assert.equal(verdict({ configured: { ike: false, hip: true } }), 'parameter-problem hip-unknown');
  for (const configured of [both, none]) {
    assert.equal(verdict({ configured }), 'ignore protocol-unclear');
    assert.equal(verdict({ configured, policy: unknownSpiPolicy('helpful') }), 'notify-unprotected unknown');
    assert.equal(verdict({ configured, history: historyFact() }), 'notify-unprotected history-with-tokens');
    assert.equal(
      verdict({ configured, history: historyFact({ keying: 'hip' }) }),
      'parameter-problem hip-unknown',
    );
  }
  assert.equal(verdict({ owner: 'unreadable' }), 'ignore owner-unreadable');
});

test('the UDP port tells the protocol of encapsulated ESP', () => {
  const none = { configured: { ike: false, hip: false } };
  assert.equal(judgeUnknownSpi(evidence(), facts(none)).kind, 'notify-unprotected');
  assert.equal(
    judgeUnknownSpi(evidence({ destination: { ...ourEnd, port: 10_500 } }), facts(none)).kind,
    'parameter-problem',
  );
  assert.equal(judgeUnknownSpi(evidence(), facts({ owner: 'unreadable' })).kind, 'notify-unprotected');
});

const anyFacts: fc.Arbitrary<SpiFacts> = fc.record({
  policy: fc.constantFrom(...unknownSpiPolicyNames).map(unknownSpiPolicy),
  ready: fc.boolean(),
  destinationIsOurs: fc.boolean(),
  owner: fc.constantFrom('nobody' as const, 'us' as const, 'other' as const, 'unreadable' as const),
  history: fc.option(
    fc.record({
      keying: fc.constantFrom('ike' as const, 'hip' as const),
      initiatorSpi: fc.constant(initiatorSpi),
      responderSpi: fc.constant(responderSpi),
      quickCrashDetection: fc.boolean(),
      late: fc.boolean(),
      reestablishable: fc.boolean(),
    }),
    { nil: undefined },
  ),
  ikeSa: fc.option(fc.constant({ ikeId: 1 }), { nil: undefined }),
  historyIkeSaLive: fc.boolean(),
  configured: fc.record({ ike: fc.boolean(), hip: fc.boolean() }),
});

const anyEvidence: fc.Arbitrary<UnknownSpiEvidence> = fc
  .record({
    protocol: fc.constantFrom('esp' as const, 'ah' as const),
    spi: fc.nat({ max: 0xffff_ffff }),
    source: fc.constantFrom(peerEnd, ourEnd, from('224.0.0.9'), from('203.0.113.5', 0), from('203.0.113.5')),
    destination: fc.constantFrom(ourEnd, { ...ourEnd, port: 10_500 }, from('239.1.1.1')),
    encapsulated: fc.boolean(),
    lengthBytes: fc.nat({ max: 200 }),
    nonFirstFragment: fc.boolean(),
  })
  .map((packet) => evidence(packet));

test('whatever the facts: no token for a live IKE SA, none before we are ready, none by the silent', () => {
  fc.assert(
    fc.property(anyEvidence, anyFacts, (packet, known) => {
      const verdict = judgeUnknownSpi(packet, known);
      const sends = verdict.kind !== 'ignore' && verdict.kind !== 'leave-to-owner';
      if (!known.ready || !known.destinationIsOurs || known.policy.name === 'silent') assert.ok(!sends);
      if (known.owner === 'other' || known.owner === 'us') assert.ok(!sends);
      if ('tokensFor' in verdict) {
        assert.ok(!known.historyIkeSaLive && known.policy.tokens);
        assert.equal(known.history?.quickCrashDetection, true);
      }
      if ('reestablish' in verdict && verdict.reestablish) {
        assert.ok(known.history?.reestablishable === true && !known.historyIkeSaLive);
      }
      if (packet.spi < 256 || packet.nonFirstFragment === true) assert.ok(!sends);
    }),
    cases(30_000),
  );
});
