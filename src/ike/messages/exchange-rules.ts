// Which payloads each message must and may carry, and that they are protected (RFC 7296 1.2 to 1.4, Appendix C).
import { firstStatusNotify, NotifyType, type Payload, ProtocolId, unknownCriticalPayload } from '#wire';
import { findNotify } from '../payloads/notify.ts';

/** A message by its exchange, purpose and direction. */
export type MessageKind =
  | 'IKE_SA_INIT request'
  | 'IKE_SA_INIT response'
  | 'IKE_SESSION_RESUME request'
  | 'IKE_SESSION_RESUME response'
  | 'IKE_AUTH request'
  | 'IKE_AUTH response'
  /** The answer to a request without AUTH. */
  | 'IKE_AUTH EAP-first response'
  | 'IKE_AUTH EAP-method request'
  | 'IKE_AUTH EAP-method response'
  | 'IKE_AUTH EAP-last request'
  | 'IKE_AUTH EAP-last response'
  /** Before its purpose is known: see `createChildSaPurpose`. */
  | 'CREATE_CHILD_SA request'
  | 'CREATE_CHILD_SA child request'
  | 'CREATE_CHILD_SA child response'
  | 'CREATE_CHILD_SA rekey-child request'
  | 'CREATE_CHILD_SA rekey-child response'
  | 'CREATE_CHILD_SA rekey-ike request'
  | 'CREATE_CHILD_SA rekey-ike response'
  | 'INFORMATIONAL request'
  | 'INFORMATIONAL response';

type PayloadName = Exclude<Payload['type'], 'unknown'>;

interface MessageRule {
  readonly protected: boolean;
  /** Exactly once each. */
  readonly must: readonly PayloadName[];
  /** Once or not at all. */
  readonly may: readonly PayloadName[];
  /** As often as the sender likes. */
  readonly any: readonly PayloadName[];
  /** All of them or none (RFC 6023: an IKE SA without Child SA). */
  readonly together?: readonly PayloadName[];
}

/** RFC 7296 C.1 */
const initialExchange: MessageRule = {
  protected: false,
  must: ['SA', 'KE', 'Nonce'],
  may: [],
  any: ['N', 'V', 'CERTREQ'],
};

/** RFC 5723 4.3.2: a ticket instead of proposals and a key exchange; that it is there is looked at with the ticket. */
const resumption: MessageRule = { protected: false, must: ['Nonce'], may: [], any: ['N', 'V'] };

/** RFC 7296 C.2 */
const authentication = {
  protected: true,
  any: ['N', 'V', 'CERT', 'CERTREQ'],
  together: ['SA', 'TSi', 'TSr'],
} as const;

/** RFC 7296 C.3 */
const eapMethod: MessageRule = { protected: true, must: ['EAP'], may: [], any: ['N', 'V'] };

/** RFC 7296 C.4 */
const newChild: MessageRule = {
  protected: true,
  must: ['SA', 'Nonce', 'TSi', 'TSr'],
  may: ['KE', 'CP'],
  any: ['N', 'V'],
};

/** RFC 7296 C.5 */
const newIke: MessageRule = { protected: true, must: ['SA', 'Nonce', 'KE'], may: [], any: ['N', 'V'] };

/** RFC 7296 C.6 */
const informational: MessageRule = { protected: true, must: [], may: ['CP'], any: ['N', 'V', 'D'] };

const rules: Readonly<Record<MessageKind, MessageRule>> = {
  'IKE_SA_INIT request': initialExchange,
  'IKE_SA_INIT response': initialExchange,
  'IKE_SESSION_RESUME request': resumption,
  'IKE_SESSION_RESUME response': resumption,
  // AUTH is missing where the initiator wants EAP (RFC 7296 2.16), which is no fault of syntax.
  'IKE_AUTH request': {
    ...authentication,
    must: ['IDi'],
    may: ['IDr', 'AUTH', 'CP', 'SA', 'TSi', 'TSr'],
  },
  'IKE_AUTH response': {
    ...authentication,
    must: ['IDr', 'AUTH'],
    may: ['CP', 'SA', 'TSi', 'TSr'],
  },
  // RFC 7296 C.3. The gateway proves itself before it asks anything.
  'IKE_AUTH EAP-first response': {
    protected: true,
    must: ['IDr', 'AUTH', 'EAP'],
    may: [],
    any: ['N', 'V', 'CERT'],
  },
  'IKE_AUTH EAP-method request': eapMethod,
  'IKE_AUTH EAP-method response': eapMethod,
  'IKE_AUTH EAP-last request': { protected: true, must: ['AUTH'], may: [], any: ['N', 'V'] },
  'IKE_AUTH EAP-last response': {
    ...authentication,
    any: ['N', 'V'],
    must: ['AUTH'],
    may: ['CP', 'SA', 'TSi', 'TSr'],
  },
  'CREATE_CHILD_SA request': {
    protected: true,
    must: ['SA', 'Nonce'],
    may: ['KE', 'CP', 'TSi', 'TSr'],
    any: ['N', 'V'],
  },
  'CREATE_CHILD_SA child request': newChild,
  'CREATE_CHILD_SA child response': newChild,
  'CREATE_CHILD_SA rekey-child request': newChild,
  'CREATE_CHILD_SA rekey-child response': newChild,
  'CREATE_CHILD_SA rekey-ike request': newIke,
  'CREATE_CHILD_SA rekey-ike response': newIke,
  'INFORMATIONAL request': informational,
  'INFORMATIONAL response': informational,
};

/**
 * `payloads` are those to act on, in order: unknown ones that are not critical, known ones that have no meaning in this
 * message, and unprotected ones of a protected exchange are left out. A response that carries an error notify (or, in a
 * first exchange, COOKIE or TICKET_NACK) needs none of its mandatory payloads. A refused request is answered with the notify, a refused
 * response with nothing.
 */
export type RuleVerdict =
  | { readonly ok: true; readonly payloads: readonly Payload[] }
  | {
      readonly ok: false;
      readonly notifyType: number;
      readonly data: Uint8Array;
      readonly reason: string;
    };

/** @param protectedPayloads `undefined` if the message had no SK payload */
export function checkPayloads(
  kind: MessageKind,
  unprotected: readonly Payload[],
  protectedPayloads: readonly Payload[] | undefined,
): RuleVerdict {
  const rule = rules[kind];
  const given = rule.protected ? protectedPayloads : unprotected;
  if (given === undefined) return syntaxError(`${kind} is not protected`);
  const critical = unknownCriticalPayload(given);
  if (critical !== undefined) {
    // RFC 7296 2.5 and 3.10.1: the notify names the one payload type.
    return {
      ok: false,
      notifyType: NotifyType.UNSUPPORTED_CRITICAL_PAYLOAD,
      data: Uint8Array.of(critical.payloadType),
      reason: `critical payload of unknown type ${critical.payloadType}`,
    };
  }
  const single = [...rule.must, ...rule.may];
  const payloads = given.filter(
    ({ type }) => type !== 'unknown' && (single.includes(type) || rule.any.includes(type)),
  );
  const count = (name: PayloadName): number => payloads.filter(({ type }) => type === name).length;
  const repeated = single.find((name) => count(name) > 1);
  if (repeated !== undefined) return syntaxError(`${kind} with more than one ${repeated} payload`);
  if (!refuses(kind, payloads)) {
    const missing = rule.must.find((name) => count(name) === 0);
    if (missing !== undefined) return syntaxError(`${kind} without ${missing} payload`);
    const together = rule.together ?? [];
    const absent = together.find((name) => count(name) === 0);
    if (absent !== undefined && together.some((name) => count(name) > 0)) {
      return syntaxError(`${kind} without ${absent} payload`);
    }
  }
  return { ok: true, payloads };
}

function syntaxError(reason: string): RuleVerdict {
  return { ok: false, notifyType: NotifyType.INVALID_SYNTAX, data: new Uint8Array(), reason };
}

/** Status notifies that stand for an answer (RFC 7296 2.6, RFC 5723 4.3.2). */
const statusRefusals: Readonly<Partial<Record<MessageKind, readonly number[]>>> = {
  'IKE_SA_INIT response': [NotifyType.COOKIE],
  'IKE_SESSION_RESUME response': [NotifyType.COOKIE, NotifyType.TICKET_NACK],
};

/** Whether this is a response that says no, or not yet, instead of answering. */
function refuses(kind: MessageKind, payloads: readonly Payload[]): boolean {
  if (!kind.endsWith('response')) return false;
  return payloads.some(
    (payload) =>
      payload.type === 'N' &&
      (payload.notifyType < firstStatusNotify ||
        (statusRefusals[kind]?.includes(payload.notifyType) ?? false)),
  );
}

/** What a CREATE_CHILD_SA request is for: REKEY_SA tells a rekeyed Child SA, the protocol IKE a rekeyed IKE SA (1.3). */
export function createChildSaPurpose(payloads: readonly Payload[]): 'child' | 'rekey-child' | 'rekey-ike' {
  if (findNotify(payloads, NotifyType.REKEY_SA) !== undefined) return 'rekey-child';
  const proposals = payloads.flatMap((payload) => (payload.type === 'SA' ? payload.proposals : []));
  return proposals.some(({ protocolId }) => protocolId === ProtocolId.IKE) ? 'rekey-ike' : 'child';
}
