// Given what an initiator proposes and what a policy allows: the narrowed selectors, never more than either.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  address,
  addressBytes,
  addressFromBytes,
  formatSelector,
  type IpAddress,
  matchesSelectors,
  narrowSelectors,
  selectorOfPacket,
  selectorOfPrefix,
  type TrafficSelector,
} from '#sa';
import { narrowRanges } from './ranged-selector.ts';
import { selectorsCover } from './selector-coverage.ts';
import {
  answerIsWithin,
  chooseCandidate,
  hostSelectors,
  narrowPair,
  proposeSelectors,
  resolveSelectors,
  type SelectorPair,
  selectorsFromWire,
  selectorsToWire,
  substituteHost,
} from './traffic-selectors.ts';

const block = (text: string, protocol = 0, startPort = 0, endPort = 65535): TrafficSelector => ({
  ...selectorOfPrefix(text)!,
  protocol,
  startPort,
  endPort,
});
const texts = (selectors: readonly TrafficSelector[] | undefined): string[] | undefined =>
  selectors?.map(formatSelector);
const pair = (initiator: TrafficSelector[], responder: TrafficSelector[]): SelectorPair => ({
  initiator,
  responder,
});

describe('selectors on the wire', () => {
  // RFC 7296 3.13, 3.13.1
  it('come back as they were', () => {
    const selectors = [
      block('10.0.0.0/8', 6, 80, 443),
      block('2001:db8::/32', 58),
      block('0.0.0.0/0', 17, 65535, 0),
    ];
    assert.deepEqual(selectorsFromWire(selectorsToWire(selectors)), selectors);
  });

  it('are left out if of unknown type or empty', () => {
    const [valid] = selectorsToWire([block('10.0.0.0/8')]);
    assert.ok(valid && 'startPort' in valid);
    const wire = [
      { tsType: 10, body: new Uint8Array(8) },
      { ...valid, startPort: 81, endPort: 80 },
      { ...valid, startAddress: Uint8Array.of(10, 0, 0, 9), endAddress: Uint8Array.of(10, 0, 0, 8) },
      valid,
    ];
    assert.deepEqual(texts(selectorsFromWire(wire)), ['10.0.0.0/8']);
  });
});

describe('dynamic selectors', () => {
  const dynamic = { dynamic: true, protocol: 6, startPort: 22, endPort: 22 } as const;

  it('become the hosts, with protocol and ports kept', () => {
    const hosts = [address('10.3.0.1'), address('fd00::1')];
    assert.deepEqual(texts(resolveSelectors([dynamic, block('192.0.2.0/24')], hosts)), [
      '10.3.0.1/32[tcp/22]',
      'fd00::1/128[tcp/22]',
      '192.0.2.0/24',
    ]);
  });
});

describe('a proposal (RFC 7296 2.9)', () => {
  // RFC 7296 2.9
  it('begins with the packet that asked for it', () => {
    const packet = selectorOfPacket(17, addressBytes(address('10.1.0.7')), 53);
    assert.deepEqual(texts(proposeSelectors([block('10.1.0.0/16')], packet)), [
      '10.1.0.7/32[udp/53]',
      '10.1.0.0/16',
    ]);
    assert.deepEqual(texts(proposeSelectors([block('10.2.0.0/16')], packet)), ['10.2.0.0/16']);
  });
});

describe('narrowing (RFC 7296 2.9)', () => {
  const narrowed = (proposed: SelectorPair, policy: SelectorPair): SelectorPair | undefined => {
    const narrowing = narrowPair(proposed, policy);
    return narrowing.kind === 'accepted' ? narrowing.selectors : undefined;
  };

  it('keeps what the policy allows, the packet first', () => {
    const result = narrowed(
      pair(
        [block('10.1.0.7/32', 6, 5000, 5000), block('0.0.0.0/0')],
        [block('192.0.2.9/32', 6, 80, 80), block('0.0.0.0/0')],
      ),
      pair([block('10.1.0.0/24')], [block('192.0.2.0/24', 6)]),
    );
    assert.deepEqual(texts(result?.initiator), ['10.1.0.0/24']);
    assert.deepEqual(texts(result?.responder), ['192.0.2.0/24[tcp]']);
  });

  it('is TS_UNACCEPTABLE if either side has nothing in common', () => {
    const proposed = pair([block('10.1.0.0/24')], [block('192.0.2.0/24')]);
    assert.equal(narrowed(proposed, pair([block('10.2.0.0/24')], [block('0.0.0.0/0')])), undefined);
    assert.equal(narrowed(proposed, pair([block('0.0.0.0/0')], [block('::/0')])), undefined);
  });

  it('leaves out selectors that nothing on the other side could go with', () => {
    const open = pair([block('0.0.0.0/0'), block('::/0')], [block('0.0.0.0/0'), block('::/0')]);
    const result = narrowed(pair([block('10.0.0.0/8'), block('fd00::/8')], [block('192.0.2.0/24')]), open);
    assert.deepEqual(texts(result?.initiator), ['10.0.0.0/8']);
    const crossed = pair([block('10.0.0.0/8', 6)], [block('192.0.2.0/24', 17)]);
    assert.equal(narrowed(crossed, open), undefined);
  });

  it('never gives more selectors than the payload can count', () => {
    const many = Array.from({ length: 255 }, (_, i) => block(`10.0.${i}.0/24`));
    const halves = [block('10.0.0.0/8', 6), block('10.0.0.0/8', 17)];
    const result = narrowed(pair(many, [block('192.0.2.0/24')]), pair(halves, [block('192.0.2.0/24')]));
    assert.equal(result?.initiator.length, 255);
  });
});

describe('the responder chooses among its Child SAs', () => {
  const web = { name: 'web', policy: pair([block('10.0.0.0/8')], [block('192.0.2.0/24', 6, 80, 80)]) };
  const all = { name: 'all', policy: pair([block('10.0.0.0/8')], [block('192.0.2.0/24')]) };
  const mail = { name: 'mail', policy: pair([block('10.0.0.0/8')], [block('198.51.100.0/24', 6, 25, 25)]) };

  it('the one that keeps most of the proposal', () => {
    const proposed = pair([block('10.1.0.0/16')], [block('192.0.2.0/24')]);
    const chosen = chooseCandidate(proposed, [web, all]);
    assert.deepEqual([chosen?.candidate.name, chosen?.additionalPossible], ['all', false]);
  });

  it('rather the one that allows the first packet, and says that more is possible', () => {
    const packet = [block('10.1.0.7/32', 6, 1025, 1025)];
    const proposed = pair(
      [...packet, block('10.0.0.0/8')],
      [block('198.51.100.5/32', 6, 25, 25), block('0.0.0.0/0')],
    );
    const chosen = chooseCandidate(proposed, [all, mail]);
    assert.deepEqual([chosen?.candidate.name, chosen?.additionalPossible], ['mail', true]);
  });

  it('none if none fits', () => {
    assert.equal(chooseCandidate(pair([block('::/0')], [block('::/0')]), [web, mail]), undefined);
  });
});

describe('the initiator judges the answer', () => {
  const proposed = pair([block('10.0.0.0/25'), block('10.0.0.128/25')], [block('192.0.2.0/24', 6)]);
  const cases: [string, SelectorPair, boolean][] = [
    ['the whole proposal', proposed, true],
    ['neighboring blocks merged', pair([block('10.0.0.0/24')], [block('192.0.2.0/24', 6)]), true],
    ['one host and port', pair([block('10.0.0.7/32')], [block('192.0.2.1/32', 6, 22, 22)]), true],
    ['more addresses', pair([block('10.0.0.0/23')], [block('192.0.2.0/24', 6)]), false],
    ['more protocols', pair([block('10.0.0.0/24')], [block('192.0.2.0/24')]), false],
    ['another family', pair([block('::/0')], [block('192.0.2.0/24', 6)]), false],
    ['nothing on one side', pair([], [block('192.0.2.0/24', 6)]), false],
  ];
  for (const [name, answer, within] of cases) {
    it(`${within ? 'accepts' : 'refuses'} ${name}`, () =>
      assert.equal(answerIsWithin(answer, proposed), within));
  }
});

describe('coverage', () => {
  it('gives up on selectors that cut each other into countless pieces', () => {
    const strips = Array.from({ length: 127 }, (_, i) => [
      block(`${2 * i}.0.0.0/8`),
      block('0.0.0.0/0', 0, 512 * i, 512 * i + 255),
    ]).flat();
    const halves = [block('0.0.0.0/1'), block('128.0.0.0/1')];
    assert.equal(selectorsCover([...strips, ...halves], [block('0.0.0.0/0')]), false);
    assert.equal(selectorsCover([...halves, ...strips], [block('0.0.0.0/0')]), true);
  });

  it('looks at so many meetings of selectors that cut each other as often as they can', () => {
    const steps = Array.from({ length: 255 }, (_, i) => ({
      ...block('10.0.0.0/16', 0, i, 65_000 + i),
      start: address(`10.0.0.${i}`),
      end: address(`10.0.200.${i}`),
    }));
    const policy = pair([block('10.0.0.0/8')], [block('10.0.0.0/8')]);
    const candidates = [
      { policy },
      { policy },
      { policy: pair([block('10.0.0.0/15')], [block('10.0.0.0/15')]) },
    ];
    const chosen = chooseCandidate(pair(steps, steps), candidates);
    assert.equal(chosen?.candidate, candidates[0]);
    assert.equal(chosen?.selectors.initiator.length, 255);
    // A rekeying that proposes them meets what was agreed upon before: 4,096 meetings are looked at, 255 for each of 16.
    const narrowed = narrowPair(pair(steps, steps), pair([...steps], [...steps]));
    assert.equal(narrowed.kind === 'accepted' && narrowed.selectors.initiator.length, 16);
  });

  it('gives up after more cuts than honest selectors take, however few pieces are left', () => {
    const strips = Array.from({ length: 25 }, (_, i) => block('0.0.0.0/0', 0, 2_000 * i, 2_000 * i + 999));
    const halves = [block('0.0.0.0/1'), block('128.0.0.0/1')];
    const repeated = Array.from({ length: 9 }, () => strips).flat();
    assert.equal(selectorsCover([...strips, ...halves], [block('0.0.0.0/0')]), true);
    assert.equal(selectorsCover([...repeated, ...halves], [block('0.0.0.0/0')]), false);
  });
});

describe('transport mode (RFC 7296 2.23.1)', () => {
  const inside = address('10.0.0.5');
  const outside = address('203.0.113.9');

  it('is for one host on either side', () => {
    assert.deepEqual(texts(hostSelectors([block('10.0.0.0/8', 6), block('192.0.2.0/24')], inside)), [
      '10.0.0.5/32[tcp]',
    ]);
  });

  it('exchanges the address behind a NAT for the one outside, and back', () => {
    const sent = [block('10.0.0.5/32', 6, 80, 80), block('10.0.0.5/32', 17)];
    const seen = substituteHost(sent, outside);
    assert.deepEqual(texts(seen?.selectors), ['203.0.113.9/32[tcp/80]', '203.0.113.9/32[udp]']);
    assert.deepEqual(substituteHost(seen!.selectors, seen!.original)?.selectors, sent);
  });

  it('has no substitute for selectors of more than one host', () => {
    for (const selectors of [[], [block('10.0.0.0/31')], [block('10.0.0.5/32'), block('10.0.0.6/32')]]) {
      assert.equal(substituteHost(selectors, outside), undefined);
    }
  });
});

// Small ranges, so that random selectors often meet.
const smallAddress = fc
  .integer({ min: 0, max: 15 })
  .map((low) => addressFromBytes(Uint8Array.of(10, 0, 0, low)));
const range = <T>(ends: fc.Arbitrary<T>, order: (a: T, b: T) => number): fc.Arbitrary<[T, T]> =>
  fc.tuple(ends, ends).map(([a, b]) => (order(a, b) <= 0 ? [a, b] : [b, a]));
const lastOctet = (one: IpAddress): number => addressBytes(one)[3]!;
const smallSelector = fc
  .record({
    protocol: fc.constantFrom(0, 6, 17),
    addresses: range(smallAddress, (a, b) => lastOctet(a) - lastOctet(b)),
    ports: fc.oneof(
      fc.constant([0, 65535]),
      range(fc.integer({ min: 0, max: 7 }), (a, b) => a - b),
    ),
  })
  .map(({ protocol, addresses: [start, end], ports: [startPort = 0, endPort = 0] }) => ({
    protocol,
    startPort,
    endPort,
    start,
    end,
  }));
const smallSelectors = fc.array(smallSelector, { minLength: 1, maxLength: 4 });
const opaqueSelector = smallSelector.map((one) => ({ ...one, startPort: 65_535, endPort: 0 }));
const selectorsOfAnyKind = fc.array(fc.oneof(smallSelector, opaqueSelector), { minLength: 1, maxLength: 5 });
const packets = fc.record({
  address: smallAddress,
  protocol: fc.constantFrom(6, 17, 50),
  port: fc.integer({ min: 0, max: 9 }),
});

describe('for any selectors', () => {
  it("narrowing by numbers is the narrowing of the selectors' algebra", () => {
    fc.assert(
      fc.property(selectorsOfAnyKind, selectorsOfAnyKind, (proposed, policy) => {
        assert.deepEqual(narrowRanges(proposed, policy, 255), narrowSelectors(proposed, policy));
      }),
    );
  });

  it('narrowed ones are within both the proposal and the policy', () => {
    fc.assert(
      fc.property(smallSelectors, smallSelectors, smallSelectors, smallSelectors, (a, b, c, d) => {
        const narrowing = narrowPair(pair(a, b), pair(c, d));
        if (narrowing.kind !== 'accepted') return;
        assert.ok(answerIsWithin(narrowing.selectors, pair(a, b)));
        assert.ok(answerIsWithin(narrowing.selectors, pair(c, d)));
      }),
    );
  });

  it('a packet of both sides that proposal and policy allow is not lost', () => {
    fc.assert(
      fc.property(smallSelectors, smallSelectors, packets, (proposed, policy, packet) => {
        const both = matchesSelectors(proposed, packet) && matchesSelectors(policy, packet);
        const open = [block('0.0.0.0/0')];
        const narrowing = narrowPair(pair(proposed, open), pair(policy, open));
        const kept = narrowing.kind === 'accepted' && matchesSelectors(narrowing.selectors.initiator, packet);
        assert.equal(kept, both);
      }),
    );
  });

  it('coverage says the same as asking for every packet', () => {
    fc.assert(
      fc.property(smallSelectors, smallSelector, (outer, inner) => {
        // Beyond port 9 all ports are alike, as are all protocols other than 6 and 17.
        const every = [6, 17, 50].every((protocol) =>
          Array.from({ length: 10 }).every((_, port) =>
            Array.from({ length: 16 }).every((__, low) => {
              const packet = { address: addressFromBytes(Uint8Array.of(10, 0, 0, low)), protocol, port };
              return !matchesSelectors([inner], packet) || matchesSelectors(outer, packet);
            }),
          ),
        );
        // Coverage of all protocols by single ones is not looked for: 256 selectors would be needed.
        assert.equal(selectorsCover(outer, [inner]), every);
      }),
    );
  });
});
