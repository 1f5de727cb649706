// Notifies that are the host's business: sent on its behalf, and reported to it when they come (RFC 6290, RFC 7296 1.5).
import { type NotifyPayload, NotifyType, type Payload } from '#wire';
import type { IkeSaState } from '../../ike-sa-state.ts';
import { payloadsOf } from '../../payloads/payload-lookup.ts';

/** What the exchanges of this room act upon themselves. */
const own: ReadonlySet<number> = new Set([
  NotifyType.INITIAL_CONTACT,
  NotifyType.SET_WINDOW_SIZE,
  NotifyType.ADDITIONAL_TS_POSSIBLE,
  NotifyType.USE_TRANSPORT_MODE,
  NotifyType.REKEY_SA,
  NotifyType.ESP_TFC_PADDING_NOT_SUPPORTED,
  NotifyType.NON_FIRST_FRAGMENTS_ALSO,
  NotifyType.IKEV2_MESSAGE_ID_SYNC_SUPPORTED,
  NotifyType.NAT_DETECTION_SOURCE_IP,
  NotifyType.NAT_DETECTION_DESTINATION_IP,
  NotifyType.MOBIKE_SUPPORTED,
  NotifyType.ADDITIONAL_IP4_ADDRESS,
  NotifyType.ADDITIONAL_IP6_ADDRESS,
  NotifyType.NO_ADDITIONAL_ADDRESSES,
  NotifyType.UPDATE_SA_ADDRESSES,
  NotifyType.COOKIE2,
  NotifyType.NO_NATS_ALLOWED,
  NotifyType.TICKET_LT_OPAQUE,
  NotifyType.TICKET_REQUEST,
  NotifyType.TICKET_ACK,
  NotifyType.TICKET_NACK,
]);

export function foreignNotifies(state: IkeSaState): readonly NotifyPayload[] {
  const { initiator, responder } = state.spis;
  return state.ports.notifiesFor?.({ initiatorSpi: initiator, responderSpi: responder }) ?? [];
}

export function reportNotifies(state: IkeSaState, payloads: readonly Payload[]): void {
  for (const notify of payloadsOf(payloads, 'N')) {
    if (!own.has(notify.notifyType)) state.emit({ kind: 'notify-received', notify });
  }
}
