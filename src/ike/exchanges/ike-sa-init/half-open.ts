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
import { answeredAnnouncements, noteAnnouncements } from './announcements.ts';
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
  /** Absent: the source is proven, and the answer may be as long as it has to be. */
  readonly answerBytesMax?: number;
}

export type InitOutcome =
  /** Send it back to where the request came from; there is no state. */
  | { readonly kind: 'reply'; readonly octets: Uint8Array; readonly reason: string }
  | { readonly kind: 'drop'; readonly reason: string }
  /** The answer would be longer than allowed. There is no state. */
  | { readonly kind: 'unproven'; readonly reason: string }
  | { readonly kind: 'state'; readonly state: IkeSaState };

export function beginsIkeSa({ header }: IkeMessage): boolean {
  return !header.response && header.initiator && header.messageId === 0 && header.responderSpi === zeroIkeSpi;
}

interface Half {
  readonly state: IkeSaState;
  readonly halfOpen: HalfOpen;
}

/** Nothing of it is protected yet: the caller derives its keys next. */
export function openHalfOpen(
  request: InitRequest,
  connection: ConnectionConfiguration,
  payloads: readonly Payload[],
): Half {
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
  noteAnnouncements(state, payloads);
  noteNatOfRequest(state, payloads);
  return { state, halfOpen };
}

/** What only this exchange answers; the nonce and what both sides can do go along. */
interface Chosen {
  readonly exchangeType: number;
  readonly payloads: readonly Payload[];
  readonly certificateRequest: readonly Payload[];
}

/** `undefined`: it would be too long. That childless IKE SAs may be made goes without saying, if it has to (RFC 6023). */
export function answerOctets(
  { state, halfOpen }: Half,
  { exchangeType, payloads, certificateRequest }: Chosen,
  bytesMax: number = Number.POSITIVE_INFINITY,
): Uint8Array | undefined {
  for (const optional of [[notify(NotifyType.CHILDLESS_IKEV2_SUPPORTED)], []]) {
    const octets = encodeIkeMessage({
      header: headerOf(state, exchangeType, 0, true),
      payloads: [
        ...payloads,
        { type: 'Nonce', data: halfOpen.nonceResponder },
        ...(state.nat.supported ? natNotifies(state) : []),
        ...answeredAnnouncements(state),
        ...optional,
        ...certificateRequest,
      ],
    });
    if (octets.length <= bytesMax) return octets;
  }
  return undefined;
}

export const unproven: InitOutcome = {
  kind: 'unproven',
  reason: 'the answer would be longer than the request',
};

/** @param initResponse what `answerOctets` gave */
export function answerHalfOpen({ state, halfOpen }: Half, initResponse: Uint8Array): InitOutcome {
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
