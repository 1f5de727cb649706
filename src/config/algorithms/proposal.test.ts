import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  algorithmKeywords,
  Encr,
  Esn,
  formatProposal,
  formatTransform,
  Integ,
  Ke,
  Prf,
  type Proposal,
} from '#sa';
import { TransformType } from '#wire';
import { BadValue, UnsupportedValue } from '../values/bad-value.ts';
import { defaultProposals, type ProposalProtocol, parseProposals } from './proposal.ts';

function one(protocol: ProposalProtocol, text: string): Proposal {
  const proposals = parseProposals(protocol, text);
  assert.equal(proposals.length, 1);
  return proposals[0]!;
}

test('a combined-mode IKE proposal', () => {
  assert.deepEqual(one('ike', 'aes128gcm16-prfsha256-x25519'), {
    protocol: 'ike',
    transforms: [
      { type: TransformType.ENCR, id: Encr.AES_GCM_16, keyLengthBits: 128 },
      { type: TransformType.PRF, id: Prf.HMAC_SHA2_256 },
      { type: TransformType.KE, id: Ke.CURVE25519 },
    ],
  });
});

test('without a PRF the integrity algorithm says which', () => {
  assert.deepEqual(one('ike', 'aes128-sha256-modp2048'), {
    protocol: 'ike',
    transforms: [
      { type: TransformType.ENCR, id: Encr.AES_CBC, keyLengthBits: 128 },
      { type: TransformType.PRF, id: Prf.HMAC_SHA2_256 },
      { type: TransformType.INTEG, id: Integ.HMAC_SHA2_256_128 },
      { type: TransformType.KE, id: Ke.MODP_2048 },
    ],
  });
});

test('beside a combined-mode cipher an integrity algorithm only names the PRF', () => {
  assert.equal(formatProposal(one('ike', 'aes256gcm16-sha384-ecp384')), 'aes256gcm16-prfsha384-ecp384');
  assert.equal(formatProposal(one('esp', 'aes256gcm16-sha384-ecp384')), 'aes256gcm16-ecp384');
});

test('alternatives are grouped by type, in the order written, each once', () => {
  assert.equal(
    formatProposal(one('ike', 'ecp256-aes256-sha256-aes128-sha1-x25519-aes256')),
    'aes256-aes128-prfsha256-prfsha1-sha256-sha1-ecp256-x25519',
  );
});

test('ESP and AH proposals always say whether sequence numbers are extended', () => {
  const esn = (text: string): number[] =>
    one('esp', text)
      .transforms.filter(({ type }) => type === TransformType.ESN)
      .map(({ id }) => id);
  assert.deepEqual(esn('aes128gcm16'), [Esn.NO]);
  assert.deepEqual(esn('aes128gcm16-esn'), [Esn.YES]);
  assert.deepEqual(esn('aes128gcm16-esn-noesn'), [Esn.YES, Esn.NO]);
  assert.deepEqual(one('ah', 'sha256-modp3072').transforms, [
    { type: TransformType.INTEG, id: Integ.HMAC_SHA2_256_128 },
    { type: TransformType.KE, id: Ke.MODP_3072 },
    { type: TransformType.ESN, id: Esn.NO },
  ]);
});

const refused: readonly (readonly [ProposalProtocol, string, RegExp])[] = [
  ['ike', '', /"" is none/],
  ['ike', 'aes128-sha265-x25519', /"sha265" is none \(did you mean "sha256"\?\)/],
  ['ike', 'AES128-sha256-x25519', /did you mean "aes128"/],
  ['ike', 'sha256-x25519', /a cipher, for example/],
  ['ike', 'aes128-x25519', /an integrity algorithm/],
  ['ike', 'aes128gcm16-x25519', /a pseudorandom function/],
  ['ike', 'aes128gcm16-prfsha256', /a key exchange method/],
  ['ike', 'aes128gcm16-prfsha256-none', /a key exchange method/],
  ['ike', 'aes128gcm16-aes128-sha256-x25519', /in a proposal of their own/],
  ['ike', 'null-sha256-x25519', /a cipher that encrypts/],
  ['ike', 'aes128gmac-prfsha256-x25519', /a cipher that encrypts/],
  ['ike', 'aes128gcm16-prfsha256-x25519-esn', /"esn" and "noesn" have no meaning/],
  ['esp', 'aes128', /an integrity algorithm/],
  ['esp', 'sha256', /a cipher, for example/],
  ['esp', 'aes128gcm16-prfsha256', /an ESP proposal, in which a pseudorandom function has no meaning/],
  ['ah', 'aes128-sha256', /an AH proposal, in which a cipher has no meaning/],
  ['ah', 'modp2048', /an integrity algorithm/],
];

for (const [protocol, text, message] of refused) {
  test(`${protocol} "${text}" is refused`, () => {
    assert.throws(
      () => parseProposals(protocol, text),
      (error) => error instanceof BadValue && message.test(error.message),
    );
  });
}

test('every keyword that wayward does not do is refused by its name', () => {
  const unsupported = algorithmKeywords.filter((one) => !one.supported);
  assert.ok(unsupported.length > 60);
  for (const { keyword } of unsupported) {
    assert.throws(
      () => parseProposals('ike', `aes128-sha256-x25519-${keyword}`),
      (error) => error instanceof UnsupportedValue && error.message.startsWith(`"${keyword}" (`),
    );
  }
});

test('every keyword that works has a transform whose first keyword prints it', () => {
  for (const algorithm of algorithmKeywords) {
    if (!algorithm.supported) continue;
    const printed = formatTransform(algorithm.transform);
    const again = algorithmKeywords.find(({ keyword }) => keyword === printed);
    assert.ok(again?.supported);
    assert.deepEqual(again.transform, algorithm.transform);
  }
});

test('keywords are unique, and every identifier of the algorithm tables has one', () => {
  const keywords = algorithmKeywords.map(({ keyword }) => keyword);
  assert.equal(new Set(keywords).size, keywords.length);
  const named = new Set(
    algorithmKeywords.flatMap((one) => (one.supported ? [`${one.transform.type}/${one.transform.id}`] : [])),
  );
  const types = [
    [TransformType.ENCR, Encr],
    [TransformType.PRF, Prf],
    [TransformType.KE, Ke],
    [TransformType.ESN, Esn],
  ] as const;
  for (const [type, table] of types) {
    for (const id of Object.values(table)) assert.ok(named.has(`${type}/${id}`), `${type}/${id}`);
  }
  // What a peer of HIP may need and nobody is to propose to one of IKE.
  const unasked: readonly number[] = [Integ.NONE, Integ.HMAC_SHA2_256_96];
  for (const id of Object.values(Integ)) {
    assert.equal(named.has(`${TransformType.INTEG}/${id}`), !unasked.includes(id), `INTEG ${id}`);
  }
  assert.throws(() => parseProposals('esp', 'aes128-sha256_96'));
});

test('default is what is documented, and what is printed reads back as the same', () => {
  for (const protocol of ['ike', 'esp', 'ah'] as const) {
    const proposals = parseProposals(protocol, 'default');
    assert.deepEqual(proposals.map(formatProposal), defaultProposals[protocol]);
    for (const proposal of proposals) assert.deepEqual(one(protocol, formatProposal(proposal)), proposal);
  }
});

test('whatever is accepted reads back from its printed form', () => {
  const keywords = fc.constantFrom(
    ...algorithmKeywords.filter((one) => one.supported).map((one) => one.keyword),
  );
  let accepted = 0;
  fc.assert(
    fc.property(
      fc.constantFrom('ike', 'esp', 'ah'),
      fc.array(keywords, { minLength: 1, maxLength: 5 }),
      (protocol, words) => {
        let proposal: Proposal;
        try {
          proposal = one(protocol, words.join('-'));
        } catch (error) {
          assert.ok(error instanceof BadValue);
          return;
        }
        accepted++;
        assert.deepEqual(one(protocol, formatProposal(proposal)), proposal);
      },
    ),
    { numRuns: 2000 },
  );
  assert.ok(accepted > 50, `${accepted} of 2000 accepted`);
});
