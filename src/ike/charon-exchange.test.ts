// A real peer's exchange, read by the modules of this room: what charon offered, chose, sealed and signed.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { packetCipher, pseudorandomFunction } from '#crypto';
import { address, Encr, type Endpoint, formatSelector, Ke, Prf, type Proposal } from '#sa';
import {
  AuthMethod,
  decodeIkeMessage,
  type IkeMessage,
  NotifyType,
  type Payload,
  TransformType,
} from '#wire';
import { checkAuth } from './authentication/auth-payload.ts';
import { formatIdentity } from './authentication/identity-text.ts';
import { decodeSignatureHashes } from './authentication/signature-hashes.ts';
import { signedOctets } from './authentication/signed-octets.ts';
import { checkPayloads, type MessageKind } from './messages/exchange-rules.ts';
import {
  childSuiteFromReply,
  ikeSuiteFromReply,
  proposalsToWire,
  selectIkeSuite,
} from './negotiation/proposals.ts';
import { answerIsWithin, selectorsFromWire } from './negotiation/traffic-selectors.ts';
import { judgeNat } from './payloads/nat-detection.ts';
import { findNotify } from './payloads/notify.ts';
import { openMessage } from './protection/sealed-message.ts';
import {
  authRequest,
  authResponse,
  initRequest,
  initResponse,
  skEi,
  skEr,
  skPi,
  skPr,
} from './testing/charon-exchange.ts';

function find<Type extends Payload['type']>(
  payloads: readonly Payload[],
  type: Type,
): Payload & { readonly type: Type } {
  const found = payloads.find(
    (payload): payload is Payload & { readonly type: Type } => payload.type === type,
  );
  assert.ok(found, `${type} payload`);
  return found;
}

function accepted(
  kind: MessageKind,
  unprotected: readonly Payload[],
  inside?: readonly Payload[],
): readonly Payload[] {
  const verdict = checkPayloads(kind, unprotected, inside);
  assert.ok(verdict.ok);
  return verdict.payloads;
}

function opened(message: IkeMessage, key: Uint8Array): readonly Payload[] {
  const cipher = packetCipher({ encryption: { id: Encr.AES_GCM_16, keyLengthBits: 128, key } });
  const opening = openMessage(message, cipher);
  assert.ok(opening.kind === 'opened');
  return opening.payloads;
}

const left: Endpoint = { address: address('10.99.0.1'), port: 500 };
const right: Endpoint = { address: address('10.99.0.2'), port: 500 };
const init = decodeIkeMessage(initRequest);
const answer = decodeIkeMessage(initResponse);
const request = accepted('IKE_SA_INIT request', init.payloads);
const response = accepted('IKE_SA_INIT response', answer.payloads);
const offered = find(request, 'SA').proposals;
const nonces = { left: find(request, 'Nonce').data, right: find(response, 'Nonce').data };

describe('IKE_SA_INIT of charon', () => {
  const configured: Proposal = {
    protocol: 'ike',
    transforms: [
      { type: TransformType.ENCR, id: Encr.AES_GCM_16, keyLengthBits: 128 },
      { type: TransformType.PRF, id: Prf.HMAC_SHA2_256 },
      { type: TransformType.KE, id: Ke.CURVE25519 },
    ],
  };

  it('offers what it was configured with, and its responder chooses as we do', () => {
    assert.deepEqual(proposalsToWire([configured], new Uint8Array(), 'IKE_SA_INIT'), offered);
    const ours = selectIkeSuite(offered, [configured], { order: 'configured' });
    assert.deepEqual([ours?.reply], find(response, 'SA').proposals);
    assert.deepEqual(ikeSuiteFromReply(find(response, 'SA').proposals, offered)?.suite, ours?.suite);
  });

  it('makes believe in a NAT before both ends, as `encap = yes` wants', () => {
    assert.deepEqual(judgeNat(init.payloads, init.header, right, left), {
      supported: true,
      local: false,
      remote: true,
    });
    assert.deepEqual(judgeNat(answer.payloads, answer.header, left, right), {
      supported: true,
      local: false,
      remote: true,
    });
  });

  // RFC 7427 4
  it('announces the hashes of RFC 7427', () => {
    const hashes = findNotify(request, NotifyType.SIGNATURE_HASH_ALGORITHMS);
    assert.deepEqual(hashes && decodeSignatureHashes(hashes.data), [2, 3, 4, 5]);
  });
});

describe('IKE_AUTH of charon', () => {
  const inside = {
    left: accepted('IKE_AUTH request', [], opened(decodeIkeMessage(authRequest), skEi)),
    right: accepted('IKE_AUTH response', [], opened(decodeIkeMessage(authResponse), skEr)),
  };
  const prf = pseudorandomFunction(Prf.HMAC_SHA2_256);
  const secret = new TextEncoder().encode('interop-psk');

  const sides = [
    ['left', 'IDi', { message: initRequest, nonce: nonces.right, skP: skPi }],
    ['right', 'IDr', { message: initResponse, nonce: nonces.left, skP: skPr }],
  ] as const;
  for (const [side, idType, signed] of sides) {
    // RFC 7296 2.15
    it(`proves that ${side}.example holds the shared key`, () => {
      const identity = find(inside[side], idType);
      assert.equal(formatIdentity(identity), `${side}.example`);
      const octets = signedOctets({ ...signed, prf, identity });
      const auth = find(inside[side], 'AUTH');
      assert.equal(auth.method, AuthMethod.SHARED_KEY);
      assert.deepEqual(checkAuth(auth, { octets, sharedKey: { prf, secret }, announcedHashes: [] }), {
        ok: true,
        method: 'psk',
      });
    });
  }

  it('agrees on a suite and selectors within those proposed', () => {
    const chosen = childSuiteFromReply(find(inside.right, 'SA').proposals, find(inside.left, 'SA').proposals);
    assert.deepEqual(chosen?.suite, {
      protocol: 'esp',
      encr: { id: Encr.AES_GCM_16, keyLengthBits: 128 },
      esn: false,
    });
    const pairOf = (payloads: readonly Payload[]): Parameters<typeof answerIsWithin>[0] => ({
      initiator: selectorsFromWire(find(payloads, 'TSi').selectors),
      responder: selectorsFromWire(find(payloads, 'TSr').selectors),
    });
    const narrowed = pairOf(inside.right);
    assert.ok(answerIsWithin(narrowed, pairOf(inside.left)));
    assert.deepEqual(narrowed.initiator.map(formatSelector), ['10.1.0.0/24']);
    assert.deepEqual(narrowed.responder.map(formatSelector), ['10.2.0.0/24']);
  });
});
