import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProtocolId, TransformType, type WireProposal, type WireTransform } from '#wire';
import { offeredText } from './refusal-text.ts';

const transforms: readonly WireTransform[] = [
  { type: TransformType.ENCR, id: 20, attributes: [{ type: 14, value: 128 }] },
  { type: TransformType.PRF, id: 5, attributes: [] },
  { type: TransformType.KE, id: 31, attributes: [] },
];

function proposal(number: number, fields: Partial<WireProposal> = {}): WireProposal {
  return { number, protocolId: ProtocolId.IKE, spi: new Uint8Array(), transforms, ...fields };
}

test('an offer is told as swanctl.conf would write it', () => {
  assert.equal(offeredText([proposal(1)]), 'aes128gcm16-prfsha256-x25519');
});

test('an offer is told up to a length, whatever a stranger sends', () => {
  const many = Array.from({ length: 255 }, (_, i) => proposal(i + 1));
  assert.match(offeredText(many), /^(aes128gcm16-prfsha256-x25519, ){4}more$/);
  const long = proposal(1, { transforms: Array.from({ length: 255 }, () => transforms).flat() });
  assert.equal(offeredText([long]), 'proposal 1 is not understood');
  assert.equal(offeredText([proposal(7, { protocolId: 99 })]), 'proposal 7 is not understood');
});
