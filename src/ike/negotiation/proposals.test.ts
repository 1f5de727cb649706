// Given what an initiator offers and what a responder allows: the suite, the reply, or the refusal.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Encr, Esn, Integ, isCombinedMode, Ke, Prf, type Proposal, type Transform } from '#sa';
import { TransformType, type WireProposal } from '#wire';
import {
  childSuiteFromReply,
  ikeSuiteFromReply,
  proposalFromWire,
  proposalsToWire,
  selectChildSuite,
  selectIkeSuite,
} from './proposals.ts';
import { equalTransforms } from './transforms.ts';

const { ENCR, PRF, INTEG, KE, ESN } = TransformType;
const spi = Uint8Array.of(0xc0, 0, 0, 1);
const peerSpi = Uint8Array.of(0xd0, 0, 0, 2);
const configured = { order: 'configured' } as const;

const aes = (keyLengthBits: number): Transform => ({ type: ENCR, id: Encr.AES_CBC, keyLengthBits });
const gcm = (keyLengthBits: number): Transform => ({ type: ENCR, id: Encr.AES_GCM_16, keyLengthBits });
const sha256: Transform = { type: INTEG, id: Integ.HMAC_SHA2_256_128 };
const sha512: Transform = { type: INTEG, id: Integ.HMAC_SHA2_512_256 };
const prf256: Transform = { type: PRF, id: Prf.HMAC_SHA2_256 };
const x25519: Transform = { type: KE, id: Ke.CURVE25519 };
const modp2048: Transform = { type: KE, id: Ke.MODP_2048 };
const noKe: Transform = { type: KE, id: Ke.NONE };
const esn: Transform = { type: ESN, id: Esn.YES };
const noEsn: Transform = { type: ESN, id: Esn.NO };

const ike = (...transforms: Transform[]): Proposal => ({ protocol: 'ike', transforms });
const esp = (...transforms: Transform[]): Proposal => ({ protocol: 'esp', transforms });
const ah = (...transforms: Transform[]): Proposal => ({ protocol: 'ah', transforms });

const offerIke = (...proposals: Proposal[]): WireProposal[] =>
  proposalsToWire(proposals, new Uint8Array(), 'IKE_SA_INIT');
const offerChild = (...proposals: Proposal[]): WireProposal[] =>
  proposalsToWire(proposals, peerSpi, 'CREATE_CHILD_SA');

describe('proposals on the wire', () => {
  // RFC 7296 3.3.1
  it('keep their order and are numbered from 1', () => {
    const sent = offerIke(ike(aes(256), sha256, prf256, x25519), ike(gcm(128), prf256, x25519));
    assert.deepEqual(
      sent.map(({ number, protocolId }) => [number, protocolId]),
      [
        [1, 1],
        [2, 1],
      ],
    );
    assert.deepEqual(sent[0]?.transforms[0], {
      type: ENCR,
      id: Encr.AES_CBC,
      attributes: [{ type: 14, value: 256 }],
    });
  });

  it('are split where combined-mode ciphers stand beside others, and INTEG goes with the others', () => {
    const [first, second, ...others] = offerIke(ike(gcm(128), aes(128), sha256, prf256, x25519));
    assert.deepEqual(
      first?.transforms.map(({ type, id }) => [type, id]),
      [
        [ENCR, Encr.AES_GCM_16],
        [PRF, Prf.HMAC_SHA2_256],
        [KE, Ke.CURVE25519],
      ],
    );
    assert.deepEqual(
      second?.transforms.map(({ type }) => type),
      [ENCR, INTEG, PRF, KE],
    );
    assert.deepEqual([second?.number, others.length], [2, 0]);
  });

  it('carry no key exchange in IKE_AUTH, and always an ESN transform', () => {
    const [sent] = proposalsToWire([esp(gcm(128), x25519)], spi, 'IKE_AUTH');
    assert.deepEqual(
      sent?.transforms.map(({ type }) => type),
      [ENCR, ESN],
    );
    assert.deepEqual(sent?.spi, spi);
  });

  it('never name the key length of a cipher that has only one (RFC 7296 3.3.5)', () => {
    const chacha = { type: ENCR, id: Encr.CHACHA20_POLY1305, keyLengthBits: 256 };
    assert.deepEqual(offerIke(ike(chacha, prf256, x25519))[0]?.transforms[0]?.attributes, []);
  });
});

describe('a received proposal (RFC 7296 3.3.6)', () => {
  const [valid] = offerIke(ike(aes(128), sha256, prf256, x25519)) as [WireProposal];
  const withTransforms = (...transforms: WireProposal['transforms']): WireProposal => ({
    ...valid,
    transforms,
  });

  // RFC 7296 3.3.3, 3.3.6
  it('is unacceptable with a transform type that is not understood', () => {
    const unknown = { type: 6, id: 1, attributes: [] };
    assert.equal(proposalFromWire(withTransforms(...valid.transforms, unknown)), undefined);
  });

  it('is unacceptable without a mandatory transform type', () => {
    for (const missing of [ENCR, PRF, KE]) {
      const rest = valid.transforms.filter(({ type }) => type !== missing);
      assert.equal(proposalFromWire(withTransforms(...rest)), undefined, `without type ${missing}`);
    }
  });

  const cases = [
    ['AES without key length', { type: ENCR, id: Encr.AES_CBC, attributes: [] }],
    ['an unknown attribute', { type: ENCR, id: Encr.AES_CBC, attributes: [{ type: 18, value: 1 }] }],
    [
      'a second attribute',
      {
        type: ENCR,
        id: Encr.AES_CBC,
        attributes: [
          { type: 14, value: 128 },
          { type: 18, value: 1 },
        ],
      },
    ],
    [
      'a key length in long form',
      { type: ENCR, id: 12, attributes: [{ type: 14, value: Uint8Array.of(0, 128) }] },
    ],
    ['ChaCha20 with key length', { type: ENCR, id: 28, attributes: [{ type: 14, value: 256 }] }],
    ['a PRF with an attribute', { type: PRF, id: 7, attributes: [{ type: 14, value: 256 }] }],
  ] as const;
  for (const [name, transform] of cases) {
    it(`loses only the one transform with ${name}`, () => {
      const known = proposalFromWire(withTransforms(transform, ...valid.transforms));
      assert.deepEqual(known, proposalFromWire(valid));
    });
  }
});

describe('the responder chooses an IKE suite', () => {
  // RFC 7296 2.7, 3.3
  it('takes one transform of each type and returns them unmodified', () => {
    const offered = offerIke(ike(aes(256), aes(128), sha512, sha256, prf256, modp2048, x25519));
    const chosen = selectIkeSuite(offered, [ike(aes(128), sha256, prf256, x25519)], configured);
    assert.deepEqual(chosen?.suite, {
      encr: { id: Encr.AES_CBC, keyLengthBits: 128 },
      prf: Prf.HMAC_SHA2_256,
      integ: Integ.HMAC_SHA2_256_128,
      ke: Ke.CURVE25519,
    });
    assert.equal(chosen?.reply.transforms.length, 4);
    assert.deepEqual(ikeSuiteFromReply([chosen.reply], offered)?.suite, chosen.suite);
  });

  it('follows its own order or the offered one, as told', () => {
    const offered = offerIke(ike(aes(128), sha256, prf256, x25519), ike(gcm(256), prf256, x25519));
    const own = [ike(gcm(256), prf256, x25519), ike(aes(128), sha256, prf256, x25519)];
    assert.equal(selectIkeSuite(offered, own, { order: 'configured' })?.proposalNumber, 2);
    assert.equal(selectIkeSuite(offered, own, { order: 'offered' })?.proposalNumber, 1);
  });

  it('prefers the group it already has a KE payload of', () => {
    const offered = offerIke(ike(gcm(128), prf256, x25519, modp2048));
    const own = [ike(gcm(128), prf256, x25519, modp2048)];
    const sent = { order: 'configured', keyExchangeGroup: Ke.MODP_2048 } as const;
    assert.equal(selectIkeSuite(offered, own, sent)?.suite.ke, Ke.MODP_2048);
    const foreign = { order: 'configured', keyExchangeGroup: Ke.ECP_521 } as const;
    assert.equal(selectIkeSuite(offered, own, foreign)?.suite.ke, Ke.CURVE25519);
  });

  it('accepts INTEG NONE beside a combined-mode cipher and returns it, but no other INTEG', () => {
    const [bare] = offerIke(ike(gcm(128), prf256, x25519)) as [WireProposal];
    const integ = (id: number): WireProposal => ({
      ...bare,
      transforms: [...bare.transforms, { type: INTEG, id, attributes: [] }],
    });
    const own = [ike(gcm(128), prf256, x25519)];
    const chosen = selectIkeSuite([integ(Integ.NONE)], own, configured);
    assert.equal(chosen?.suite.integ, undefined);
    assert.ok(chosen?.reply.transforms.some(({ type, id }) => type === INTEG && id === Integ.NONE));
    assert.equal(selectIkeSuite([integ(Integ.HMAC_SHA2_256_128)], own, configured), undefined);
  });

  it('never agrees to an IKE SA without encryption, integrity or key exchange', () => {
    const weak = [
      ike({ type: ENCR, id: Encr.NULL }, sha256, prf256, x25519),
      ike({ type: ENCR, id: Encr.NULL_AUTH_AES_GMAC, keyLengthBits: 128 }, prf256, x25519),
      ike(aes(128), { type: INTEG, id: Integ.NONE }, prf256, x25519),
      ike(gcm(128), prf256, noKe),
    ];
    for (const proposal of weak) {
      assert.equal(selectIkeSuite(offerIke(proposal), [proposal], configured), undefined);
    }
  });

  // RFC 7296 3.3.1
  it('wants an SPI in a rekeying proposal and none in the first', () => {
    const own = [ike(gcm(128), prf256, x25519)];
    const rekeying = proposalsToWire(own, new Uint8Array(8).fill(7), 'CREATE_CHILD_SA');
    assert.equal(selectIkeSuite(rekeying, own, configured), undefined);
    const chosen = selectIkeSuite(rekeying, own, configured, new Uint8Array(8).fill(9));
    assert.deepEqual(chosen?.peerSpi, new Uint8Array(8).fill(7));
    assert.deepEqual(chosen?.reply.spi, new Uint8Array(8).fill(9));
  });
});

describe('the responder chooses a Child SA suite', () => {
  const choose = (
    offered: WireProposal[],
    own: Proposal[],
    exchange: 'IKE_AUTH' | 'CREATE_CHILD_SA' = 'CREATE_CHILD_SA',
  ): ReturnType<typeof selectChildSuite> => selectChildSuite(offered, own, configured, exchange, spi);

  it('ignores key exchange in IKE_AUTH on both sides', () => {
    const chosen = choose(offerChild(esp(gcm(128), modp2048)), [esp(gcm(128), x25519)], 'IKE_AUTH');
    assert.deepEqual(chosen?.suite, {
      protocol: 'esp',
      encr: { id: Encr.AES_GCM_16, keyLengthBits: 128 },
      esn: false,
    });
    assert.deepEqual(
      chosen?.reply.transforms.map(({ type }) => type),
      [ENCR, ESN],
    );
  });

  it('insists on the key exchange it is configured for', () => {
    assert.equal(choose(offerChild(esp(gcm(128))), [esp(gcm(128), x25519)]), undefined);
    assert.equal(choose(offerChild(esp(gcm(128), x25519)), [esp(gcm(128))]), undefined);
    assert.equal(choose(offerChild(esp(gcm(128), x25519)), [esp(gcm(128), x25519)])?.suite.ke, Ke.CURVE25519);
  });

  it('does without where both sides allow NONE', () => {
    const chosen = choose(offerChild(esp(gcm(128), x25519, noKe)), [esp(gcm(128))]);
    assert.equal(chosen?.suite.ke, undefined);
    assert.ok(chosen?.reply.transforms.some(({ type, id }) => type === KE && id === Ke.NONE));
    assert.ok(choose(offerChild(esp(gcm(128))), [esp(gcm(128), x25519, noKe)]));
  });

  it('negotiates extended sequence numbers', () => {
    const both = esp(gcm(128), esn, noEsn);
    assert.equal(choose(offerChild(both), [both])?.suite.esn, true);
    assert.equal(choose(offerChild(both), [esp(gcm(128))])?.suite.esn, false);
    assert.equal(choose(offerChild(esp(gcm(128), esn)), [esp(gcm(128))]), undefined);
  });

  it('never encrypts without integrity (RFC 8221 4)', () => {
    const naked = esp(aes(128));
    assert.equal(choose(offerChild(naked), [naked]), undefined);
    const nothing = esp({ type: ENCR, id: Encr.NULL });
    assert.equal(choose(offerChild(nothing), [nothing]), undefined);
    const authenticatedOnly = esp({ type: ENCR, id: Encr.NULL }, sha256);
    assert.equal(choose(offerChild(authenticatedOnly), [authenticatedOnly])?.suite.integ, sha256.id);
  });

  it('knows AH, and keeps it apart from ESP', () => {
    const chosen = choose(offerChild(ah(sha256)), [esp(aes(128), sha256), ah(sha256)]);
    assert.deepEqual(chosen?.suite, { protocol: 'ah', integ: sha256.id, esn: false });
    assert.equal(choose(offerChild(ah(sha256)), [esp(aes(128), sha256)]), undefined);
  });

  it('refuses SPIs that can name no SA', () => {
    const own = [esp(gcm(128))];
    for (const bad of [Uint8Array.of(0, 0, 0, 255), new Uint8Array(8), new Uint8Array()]) {
      assert.equal(choose(proposalsToWire(own, bad, 'CREATE_CHILD_SA'), own), undefined);
    }
  });
});

describe('the initiator judges the answer', () => {
  const offered = offerIke(ike(gcm(256), gcm(128), prf256, x25519), ike(aes(128), sha256, prf256, x25519));
  const [answer] = offerIke(ike(gcm(128), prf256, x25519)) as [WireProposal];

  // RFC 7296 3.3.2, 3.3.5
  it('accepts one of each offered type', () => {
    assert.equal(ikeSuiteFromReply([answer], offered)?.suite.encr.keyLengthBits, 128);
  });

  const [twice] = offerIke(ike(gcm(128), gcm(256), prf256, x25519)) as [WireProposal];
  const [otherGroup] = offerIke(ike(gcm(128), prf256, modp2048)) as [WireProposal];
  const [otherLength] = offerIke(ike(gcm(192), prf256, x25519)) as [WireProposal];
  const [mixed] = offerIke(ike(aes(128), sha256, prf256, x25519)) as [WireProposal];
  const unknown = { type: 9, id: 1, attributes: [] };
  const refused: [string, WireProposal[]][] = [
    ['no proposal', []],
    ['two proposals', [answer, answer]],
    ['two transforms of one type', [twice]],
    ['a group that was not offered', [otherGroup]],
    ['a key length that was not offered', [otherLength]],
    ['a proposal number that was not offered', [{ ...answer, number: 3 }]],
    ['transforms of another proposal', [{ ...mixed, number: 1 }]],
    ['another protocol', [{ ...answer, protocolId: 3 }]],
    ['an SPI where none belongs', [{ ...answer, spi: new Uint8Array(8) }]],
    ['a type left out', [{ ...answer, transforms: answer.transforms.slice(0, -1) }]],
    ['a type never offered', [{ ...answer, transforms: [...answer.transforms, unknown] }]],
  ];
  for (const [name, reply] of refused) {
    it(`refuses ${name}`, () => assert.equal(ikeSuiteFromReply(reply, offered), undefined));
  }
});

const encryptions = fc.constantFrom(aes(128), aes(256), gcm(128), gcm(256), {
  type: ENCR,
  id: Encr.CHACHA20_POLY1305,
});
const integrities = fc.constantFrom(sha256, sha512, { type: INTEG, id: Integ.NONE });
const groups = fc.constantFrom(x25519, modp2048, noKe, { type: KE, id: Ke.ECP_256 });
const some = (values: fc.Arbitrary<Transform>, minLength: number): fc.Arbitrary<Transform[]> =>
  fc.array(values, { minLength, maxLength: 3 });

const ikeProposals = fc.array(
  fc
    .tuple(some(encryptions, 1), some(integrities, 0), some(groups, 1))
    .map(([encr, integ, ke]) => ike(...encr, ...integ, prf256, ...ke)),
  { minLength: 1, maxLength: 3 },
);
const espProposals = fc.array(
  fc
    .tuple(some(encryptions, 1), some(integrities, 0), some(groups, 0), some(fc.constantFrom(esn, noEsn), 0))
    .map(([encr, integ, ke, numbers]) => esp(...encr, ...integ, ...ke, ...numbers)),
  { minLength: 1, maxLength: 3 },
);
const preferences = fc.record({
  order: fc.constantFrom('configured' as const, 'offered' as const),
  keyExchangeGroup: fc.option(fc.constantFrom(Ke.CURVE25519, Ke.MODP_2048), { nil: undefined }),
});

function allows(proposals: Proposal[], transform: Transform): boolean {
  return proposals.some(({ transforms }) => transforms.some((other) => equalTransforms(other, transform)));
}

describe('for any proposals of both sides', () => {
  it('a chosen IKE suite was offered and configured, is whole, and the initiator reads the same', () => {
    fc.assert(
      fc.property(ikeProposals, ikeProposals, preferences, (theirs, ours, preferred) => {
        const offered = offerIke(...theirs);
        const chosen = selectIkeSuite(offered, ours, preferred);
        if (chosen === undefined) return;
        const { suite } = chosen;
        const encr = { type: ENCR, id: suite.encr.id, keyLengthBits: suite.encr.keyLengthBits };
        for (const transform of [encr, { type: KE, id: suite.ke }]) {
          assert.ok(allows(theirs, transform) && allows(ours, transform));
        }
        assert.equal(suite.integ === undefined, isCombinedMode(suite.encr.id));
        assert.deepEqual(ikeSuiteFromReply([chosen.reply], offered)?.suite, suite);
      }),
    );
  });

  it('a chosen ESP suite was offered and configured, and the initiator reads the same', () => {
    fc.assert(
      fc.property(espProposals, espProposals, preferences, (theirs, ours, preferred) => {
        const offered = offerChild(...theirs);
        const chosen = selectChildSuite(offered, ours, preferred, 'CREATE_CHILD_SA', spi);
        if (chosen === undefined) return;
        const { suite } = chosen;
        assert.equal(suite.integ === undefined, isCombinedMode(suite.encr!.id));
        if (suite.ke !== undefined) {
          const transform = { type: KE, id: suite.ke };
          assert.ok(allows(theirs, transform) && allows(ours, transform));
        }
        if (suite.esn) assert.ok(allows(theirs, esn) && allows(ours, esn));
        const read = childSuiteFromReply([chosen.reply], offered);
        assert.deepEqual(read, { suite, peerSpi: spi });
      }),
    );
  });

  it('two sides with the same configuration agree', () => {
    fc.assert(
      fc.property(espProposals, preferences, (both, preferred) => {
        const [sent] = both;
        const safe = sent?.transforms.some(({ type, id }) => type === ENCR && isCombinedMode(id));
        fc.pre(safe === true);
        const chosen = selectChildSuite(offerChild(...both), both, preferred, 'CREATE_CHILD_SA', spi);
        assert.ok(chosen);
      }),
    );
  });
});
