// Given the payloads of a message: those to act on, or the notify that refuses it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Spi } from '#sa';
import { NotifyType, type Payload, ProtocolId } from '#wire';
import { deleteChildSas, deleteIkeSa, requestedDeletes } from '../payloads/delete.ts';
import {
  childOfNotify,
  findErrorNotify,
  findNotify,
  notify,
  notifyAboutChild,
  notifyName,
} from '../payloads/notify.ts';
import { checkPayloads, createChildSaPurpose, type MessageKind } from './exchange-rules.ts';

const data = new Uint8Array(16);
const proposal = (protocolId: number): Payload => ({
  type: 'SA',
  proposals: [{ number: 1, protocolId, spi: new Uint8Array(), transforms: [] }],
});
const sa = proposal(ProtocolId.ESP);
const ke: Payload = { type: 'KE', group: 31, data };
const nonce: Payload = { type: 'Nonce', data };
const idI: Payload = { type: 'IDi', idType: 2, data };
const idR: Payload = { type: 'IDr', idType: 2, data };
const auth: Payload = { type: 'AUTH', method: 2, data };
const tsI: Payload = { type: 'TSi', selectors: [] };
const tsR: Payload = { type: 'TSr', selectors: [] };
const cp: Payload = { type: 'CP', cfgType: 1, attributes: [] };
const cert: Payload = { type: 'CERT', encoding: 4, data };
const vendor: Payload = { type: 'V', data };
const eap: Payload = { type: 'EAP', message: data };
const unknown: Payload = { type: 'unknown', payloadType: 99, body: data };
const critical: Payload = { ...unknown, critical: true };

const complete: [MessageKind, Payload[]][] = [
  ['IKE_SA_INIT request', [sa, ke, nonce]],
  ['IKE_SA_INIT response', [sa, ke, nonce]],
  ['IKE_AUTH request', [idI]],
  ['IKE_AUTH response', [idR, auth]],
  ['IKE_AUTH EAP-first response', [idR, auth, eap]],
  ['IKE_AUTH EAP-method request', [eap]],
  ['IKE_AUTH EAP-method response', [eap]],
  ['IKE_AUTH EAP-last request', [auth]],
  ['IKE_AUTH EAP-last response', [auth]],
  ['CREATE_CHILD_SA request', [sa, nonce]],
  ['CREATE_CHILD_SA child request', [sa, nonce, tsI, tsR]],
  ['CREATE_CHILD_SA child response', [sa, nonce, tsI, tsR]],
  ['CREATE_CHILD_SA rekey-child request', [sa, nonce, tsI, tsR]],
  ['CREATE_CHILD_SA rekey-child response', [sa, nonce, tsI, tsR]],
  ['CREATE_CHILD_SA rekey-ike request', [sa, nonce, ke]],
  ['CREATE_CHILD_SA rekey-ike response', [sa, nonce, ke]],
  ['INFORMATIONAL request', []],
  ['INFORMATIONAL response', []],
];

const isInitial = (kind: MessageKind): boolean => kind.startsWith('IKE_SA_INIT');
/** Puts the payloads where they belong in that message. */
const check = (kind: MessageKind, payloads: Payload[]): ReturnType<typeof checkPayloads> =>
  isInitial(kind) ? checkPayloads(kind, payloads, undefined) : checkPayloads(kind, [], payloads);
const refusal = (kind: MessageKind, payloads: Payload[]): number | undefined => {
  const verdict = check(kind, payloads);
  return verdict.ok ? undefined : verdict.notifyType;
};

for (const [kind, needed] of complete) {
  describe(kind, () => {
    it('needs no more than its mandatory payloads, in any order', () => {
      assert.deepEqual(check(kind, needed), { ok: true, payloads: needed });
      assert.deepEqual(check(kind, [...needed].reverse()), { ok: true, payloads: [...needed].reverse() });
    });

    // RFC 7296 2.5, C.1, C.2, C.4, C.5, C.6
    it('is INVALID_SYNTAX without any one of them, or with one twice', () => {
      for (const one of needed) {
        const without = needed.filter((payload) => payload !== one);
        assert.equal(refusal(kind, without), NotifyType.INVALID_SYNTAX, `without ${one.type}`);
        assert.equal(refusal(kind, [...needed, one]), NotifyType.INVALID_SYNTAX, `${one.type} twice`);
      }
    });

    it('takes notifies and vendor IDs, and skips unknown payloads and those that mean nothing here', () => {
      const foreign = isInitial(kind) ? tsI : ({ type: 'SK', firstPayload: 0, body: data } as const);
      const some = [vendor, notify(NotifyType.MOBIKE_SUPPORTED), vendor];
      assert.deepEqual(check(kind, [unknown, foreign, ...needed, ...some]), {
        ok: true,
        payloads: [...needed, ...some],
      });
    });

    it('is refused with a critical payload of unknown type, which the notify names', () => {
      const verdict = check(kind, [...needed, critical]);
      assert.ok(!verdict.ok);
      assert.equal(verdict.notifyType, NotifyType.UNSUPPORTED_CRITICAL_PAYLOAD);
      assert.deepEqual(verdict.data, Uint8Array.of(99));
    });

    it('with an error notify is complete as a response, not as a request', () => {
      const error = [notify(NotifyType.NO_PROPOSAL_CHOSEN)];
      const excused = kind.endsWith('response') || needed.length === 0;
      assert.equal(refusal(kind, error), excused ? undefined : NotifyType.INVALID_SYNTAX);
    });

    if (isInitial(kind)) return;
    it('is refused unprotected, and what stands beside SK is ignored', () => {
      const bare = checkPayloads(kind, needed, undefined);
      assert.equal(bare.ok, false);
      const beside = [notify(NotifyType.INVALID_SYNTAX), critical, deleteIkeSa()];
      assert.deepEqual(checkPayloads(kind, beside, needed), { ok: true, payloads: needed });
    });
  });
}

describe('the particular rules', () => {
  it('let IKE_AUTH come without Child SA (RFC 6023), but not with half of one', () => {
    assert.equal(refusal('IKE_AUTH request', [idI, idR, auth, cert, cert, cp, sa, tsI, tsR]), undefined);
    assert.equal(refusal('IKE_AUTH request', [idI, auth, sa, tsI]), NotifyType.INVALID_SYNTAX);
    assert.equal(refusal('IKE_AUTH response', [idR, auth, tsI, tsR]), NotifyType.INVALID_SYNTAX);
    assert.equal(refusal('IKE_AUTH response', [idR, auth, notify(NotifyType.TS_UNACCEPTABLE)]), undefined);
    assert.equal(refusal('IKE_AUTH request', [idI, eap]), undefined);
    assert.equal(refusal('IKE_AUTH EAP-last response', [auth, cp, sa, tsI, tsR]), undefined);
    assert.equal(refusal('IKE_AUTH EAP-last response', [auth, sa, tsI]), NotifyType.INVALID_SYNTAX);
  });

  it('let a COOKIE stand alone in the response of IKE_SA_INIT only', () => {
    const cookie = [notify(NotifyType.COOKIE, data)];
    assert.equal(refusal('IKE_SA_INIT response', cookie), undefined);
    assert.equal(refusal('IKE_SA_INIT request', cookie), NotifyType.INVALID_SYNTAX);
    assert.equal(refusal('CREATE_CHILD_SA child response', cookie), NotifyType.INVALID_SYNTAX);
  });

  it('tell the purposes of CREATE_CHILD_SA apart (RFC 7296 1.3)', () => {
    const rekey = notifyAboutChild(NotifyType.REKEY_SA, 'esp', 0x1234 as Spi);
    assert.equal(createChildSaPurpose([sa, nonce, tsI, tsR]), 'child');
    assert.equal(createChildSaPurpose([rekey, sa, nonce, tsI, tsR]), 'rekey-child');
    assert.equal(createChildSaPurpose([proposal(ProtocolId.IKE), nonce, ke]), 'rekey-ike');
  });
});

describe('Delete payloads', () => {
  const spis = [0x100, 0xffff_ffff].map((spi) => spi as Spi);

  // RFC 7296 3.11
  it('come back as the SPIs they name, each once', () => {
    const payloads = [
      deleteChildSas('esp', spis),
      deleteChildSas('esp', spis),
      deleteChildSas('ah', spis.slice(1)),
    ];
    assert.deepEqual(requestedDeletes(payloads), {
      ike: false,
      children: [
        { protocol: 'esp', spi: 0x100 },
        { protocol: 'esp', spi: 0xffff_ffff },
        { protocol: 'ah', spi: 0xffff_ffff },
      ],
    });
    assert.deepEqual(requestedDeletes([deleteIkeSa()]), { ike: true, children: [] });
  });

  it('that make no sense ask for nothing', () => {
    const odd: Payload[] = [
      { type: 'D', protocolId: ProtocolId.IKE, spiSize: 8, spis: [new Uint8Array(8)] },
      { type: 'D', protocolId: ProtocolId.ESP, spiSize: 4, spis: [Uint8Array.of(0, 0, 0, 255)] },
      { type: 'D', protocolId: ProtocolId.ESP, spiSize: 2, spis: [Uint8Array.of(1, 1)] },
      { type: 'D', protocolId: 9, spiSize: 4, spis: [Uint8Array.of(1, 1, 1, 1)] },
    ];
    assert.deepEqual(requestedDeletes(odd), { ike: false, children: [] });
  });
});

describe('notifies', () => {
  const child = notifyAboutChild(NotifyType.CHILD_SA_NOT_FOUND, 'ah', 0x1234 as Spi);
  const payloads = [vendor, notify(NotifyType.INITIAL_CONTACT), child];

  // RFC 7296 3.10, 3.10.1
  it('are found by type, and errors by being errors', () => {
    assert.equal(findNotify(payloads, NotifyType.INITIAL_CONTACT), payloads[1]);
    assert.equal(findNotify(payloads, NotifyType.REKEY_SA), undefined);
    assert.equal(findErrorNotify(payloads), child);
    assert.equal(findErrorNotify(payloads.slice(0, 2)), undefined);
  });

  it('name the Child SA they are about, if any', () => {
    assert.deepEqual(childOfNotify(child), { protocol: 'ah', spi: 0x1234 });
    assert.equal(childOfNotify(notify(NotifyType.REKEY_SA)), undefined);
    assert.equal(childOfNotify({ ...child, protocolId: ProtocolId.IKE }), undefined);
    assert.equal(childOfNotify({ ...child, spi: new Uint8Array(8) }), undefined);
  });

  it('have names for people', () => {
    assert.equal(notifyName(NotifyType.TS_UNACCEPTABLE), 'TS_UNACCEPTABLE');
    assert.match(notifyName(12_345), /12345/);
  });
});
