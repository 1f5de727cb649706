// Which group is tried first, and which an INVALID_KE_PAYLOAD can make us try.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Encr, Ke, type Proposal } from '#sa';
import { TransformType } from '#wire';
import { firstKeyExchangeGroup, groupFromInvalidKe, invalidKeData } from './key-exchange-group.ts';

const proposals: Proposal[] = [
  { protocol: 'esp', transforms: [{ type: TransformType.ENCR, id: Encr.AES_GCM_16, keyLengthBits: 128 }] },
  {
    protocol: 'esp',
    transforms: [
      { type: TransformType.KE, id: Ke.NONE },
      { type: TransformType.KE, id: Ke.CURVE25519 },
      { type: TransformType.KE, id: Ke.MODP_2048 },
    ],
  },
];

describe('the key exchange group', () => {
  it('is the first of the first proposal that has one', () => {
    assert.equal(firstKeyExchangeGroup(proposals), Ke.CURVE25519);
    assert.equal(firstKeyExchangeGroup(proposals.slice(0, 1)), undefined);
  });

  // RFC 7296 1.2, 1.3
  it('is what INVALID_KE_PAYLOAD says, if we offered it and have not tried it yet', () => {
    const asked = invalidKeData(Ke.MODP_2048);
    assert.deepEqual(asked, Uint8Array.of(0, 14));
    assert.equal(groupFromInvalidKe(asked, proposals, [Ke.CURVE25519]), Ke.MODP_2048);
    assert.equal(groupFromInvalidKe(asked, proposals, [Ke.CURVE25519, Ke.MODP_2048]), undefined);
  });

  it('is never one that we did not offer, nor NONE, nor malformed data', () => {
    for (const data of [
      invalidKeData(Ke.ECP_256),
      invalidKeData(Ke.NONE),
      Uint8Array.of(14),
      new Uint8Array(4),
    ]) {
      assert.equal(groupFromInvalidKe(data, proposals, []), undefined);
    }
  });
});
