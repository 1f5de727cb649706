// Which payloads each message must and may carry, and that they are protected (RFC 7296 1.2 to 1.4, Appendix C).
import type { Payload } from '#wire';

const todo = (): never => {
  throw new Error('not written yet');
};

/** A message by its exchange, purpose and direction. */
export type MessageKind =
  | 'IKE_SA_INIT request'
  | 'IKE_SA_INIT response'
  | 'IKE_AUTH request'
  | 'IKE_AUTH response'
  | 'CREATE_CHILD_SA request'
  | 'CREATE_CHILD_SA child request'
  | 'CREATE_CHILD_SA child response'
  | 'CREATE_CHILD_SA rekey-child request'
  | 'CREATE_CHILD_SA rekey-child response'
  | 'CREATE_CHILD_SA rekey-ike request'
  | 'CREATE_CHILD_SA rekey-ike response'
  | 'INFORMATIONAL request'
  | 'INFORMATIONAL response';

/**
 * `payloads` are those to act on, in order: unknown ones that are not critical, and unprotected ones of a protected
 * exchange, are left out. A response that carries an error notify needs none of its mandatory payloads.
 */
export type RuleVerdict =
  | { readonly ok: true; readonly payloads: readonly Payload[] }
  | { readonly ok: false; readonly notifyType: number; readonly data: Uint8Array; readonly reason: string };

/** @param protectedPayloads `undefined` if the message had no SK payload */
export function checkPayloads(
  _kind: MessageKind,
  _unprotected: readonly Payload[],
  _protectedPayloads: readonly Payload[] | undefined,
): RuleVerdict {
  return todo();
}

/** What a CREATE_CHILD_SA request is for: REKEY_SA tells a rekeyed Child SA, the protocol IKE a rekeyed IKE SA (1.3). */
export function createChildSaPurpose(_payloads: readonly Payload[]): 'child' | 'rekey-child' | 'rekey-ike' {
  return todo();
}
