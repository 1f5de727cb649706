// EAP within IKE_AUTH (RFC 7296 2.16): who the user is, by which method, and how it ended.
import {
  decodeEapPacket,
  decodeMsChapRequest,
  decodeMsChapResponse,
  decodeUtf8,
  EapCode,
  type EapPacket,
  EapType,
  eapTypeName,
  type Payload,
  unlessMalformed,
} from '#wire';
import type { Opened } from './opened.ts';
import { printable } from './payload-text.ts';
import type { TrackedIkeSa } from './tracked-ike-sa.ts';

/** What was heard of EAP on one IKE SA. */
export interface TrackedEap {
  /** The first request of IKE_AUTH: what the last answer is about. */
  readonly offer: readonly Payload[];
  user?: string;
  method?: string;
  /** The gateway has said that name or password are wrong. */
  refused: boolean;
}

/** Names are what somebody typed: so much of them is told. */
const nameMax = 64;

/** Takes in what an exchange of IKE_AUTH says of EAP. */
export function followEap(eap: TrackedEap, { request, response }: Opened): void {
  const asked = eapOf(response);
  const answered = eapOf(request);
  if (answered !== undefined && 'type' in answered) {
    if (answered.type === EapType.IDENTITY) eap.user ??= nameText(answered.data);
    if (answered.type === EapType.MSCHAPV2) {
      const packet = unlessMalformed(() => decodeMsChapResponse(answered.data));
      if (packet?.kind === 'response') eap.user = nameText(packet.name);
    }
  }
  if (asked === undefined || !('type' in asked) || asked.type < EapType.MD5_CHALLENGE) return;
  eap.method = eapTypeName(asked.type);
  if (asked.type !== EapType.MSCHAPV2) return;
  if (unlessMalformed(() => decodeMsChapRequest(asked.data))?.kind === 'failure') eap.refused = true;
}

export function endsInFailure({ response }: Opened): boolean {
  return eapOf(response)?.code === EapCode.FAILURE;
}

/** `EAP-MSCHAPv2 as carol` */
export function eapText({ method, user }: TrackedEap): string {
  return `${method ?? 'EAP'}${user === undefined ? '' : ` as ${user}`}`;
}

/** The gateway does not let the user in. */
export function eapRefused(sa: TrackedIkeSa, eap: TrackedEap, { exchange, at }: Opened): void {
  const { events, findings } = sa.conversation;
  const [initiator, responder] = [sa.address('initiator'), sa.address('responder')];
  sa.state = 'refused';
  events.tell(at, 'auth-refused', `${responder} refuses ${initiator}, which came by ${eapText(eap)}`);
  findings.find(exchange.response?.first ?? at, {
    code: 'auth-refused',
    severity: 'problem',
    about: sa.name,
    what: `${responder} refuses ${initiator}, which came by ${eapText(eap)}`,
    why: `EAP ended in frame ${(exchange.response?.first ?? at).frame}${eap.refused ? ' after the gateway had called name or password wrong' : ''}`,
    advice: eap.refused
      ? `The user is unknown to ${responder}, or has another password there: its log knows which.`
      : `The two sides may not have a method of EAP in common, or the user may not come in: the log of ${responder} knows.`,
  });
}

function eapOf(payloads: readonly Payload[]): EapPacket | undefined {
  const payload = payloads.find(({ type }) => type === 'EAP');
  return payload?.type === 'EAP' ? unlessMalformed(() => decodeEapPacket(payload.message)) : undefined;
}

function nameText(octets: Uint8Array): string {
  return printable(decodeUtf8(octets.subarray(0, nameMax)));
}
