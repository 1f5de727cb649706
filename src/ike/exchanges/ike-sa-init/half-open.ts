// How a first request becomes a half-open IKE SA and its answer, in IKE_SA_INIT and IKE_SESSION_RESUME alike, or a reply without state.
import type { Endpoint } from '#sa';
import {
  encodeIkeMessage,
  type IkeMessage,
  type NotifyPayload,
  NotifyType,
  type Payload,
  zeroIkeSpi,
} from '#wire';
import type { ConnectionConfiguration } from '../../configuration.ts';
import { IkeSaState, type NatTraversalPorts } from '../../ike-sa-state.ts';
import type { IkeSaPorts } from '../../interface.ts';
import { headerOf, transmit } from '../../messages/transmission.ts';
import { notify } from '../../payloads/notify.ts';
import { mandatoryPayload } from '../../payloads/payload-lookup.ts';
import type { HalfOpen } from '../../phase.ts';
import { nonceBytes } from '../nonces.ts';
import { announcements, noteAnnouncements } from './announcements.ts';
import { natNotifies, noteNatOfRequest } from './nat.ts';

export interface InitRequest {
  readonly message: IkeMessage;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly ports: IkeSaPorts;
  readonly natTraversal: NatTraversalPorts;
  readonly at: number;
  readonly keyLog: boolean;
  readonly halfOpenTimeoutMs: number;
}

export type InitOutcome =
  /** Send it back to where the request came from; there is no state. */
  | { readonly kind: 'reply'; readonly octets: Uint8Array; readonly reason: string }
  | { readonly kind: 'drop'; readonly reason: string }
  | { readonly kind: 'state'; readonly state: IkeSaState };

export function beginsIkeSa({ header }: IkeMessage): boolean {
  return !header.response && header.initiator && header.messageId === 0 && header.responderSpi === zeroIkeSpi;
}

/** Nothing of it is protected yet: the caller derives its keys next. */
export function openHalfOpen(
  request: InitRequest,
  connection: ConnectionConfiguration,
  payloads: readonly Payload[],
): { readonly state: IkeSaState; readonly halfOpen: HalfOpen } {
  const { message, ports, local, remote, natTraversal, keyLog, at } = request;
  const halfOpen: HalfOpen = {
    name: 'half-open',
    initRequest: message.octets.slice(),
    nonceInitiator: mandatoryPayload(payloads, 'Nonce').data.slice(),
    nonceResponder: ports.randomness.bytes(nonceBytes),
    initResponse: new Uint8Array(0),
    expiresAt: at + request.halfOpenTimeoutMs,
  };
  const state = new IkeSaState({
    ports,
    role: 'responder',
    connection,
    spis: { initiator: message.header.initiatorSpi, responder: ports.allocateIkeSpi() },
    local,
    remote,
    natTraversal,
    keyLog,
    at,
    phase: halfOpen,
    firstRequestId: 0,
    firstExpectedId: 1,
  });
  return { state, halfOpen };
}

/** `chosen` is what only this exchange answers; the nonce and what both sides can do go along. */
export function answerHalfOpen(
  { state, halfOpen }: { readonly state: IkeSaState; readonly halfOpen: HalfOpen },
  exchangeType: number,
  request: readonly Payload[],
  chosen: readonly Payload[],
  certificateRequest: readonly Payload[],
): InitOutcome {
  noteAnnouncements(state, request);
  noteNatOfRequest(state, request);
  const initResponse = encodeIkeMessage({
    header: headerOf(state, exchangeType, 0, true),
    payloads: [
      ...chosen,
      { type: 'Nonce', data: halfOpen.nonceResponder },
      ...(state.nat.supported ? natNotifies(state) : []),
      ...announcements(state),
      notify(NotifyType.CHILDLESS_IKEV2_SUPPORTED),
      ...certificateRequest,
    ],
  });
  state.phase = { ...halfOpen, initResponse };
  transmit(state, [initResponse]);
  return { kind: 'state', state };
}

/** Unprotected, since there are no keys. */
export function replyWithoutState(message: IkeMessage, payload: NotifyPayload, reason: string): InitOutcome {
  const header = {
    ...message.header,
    majorVersion: 2,
    minorVersion: 0,
    initiator: false,
    response: true,
    higherVersion: false,
  };
  return { kind: 'reply', octets: encodeIkeMessage({ header, payloads: [payload] }), reason };
}
