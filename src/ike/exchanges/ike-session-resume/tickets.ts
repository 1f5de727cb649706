// Asking for a ticket and giving one, in whatever exchange that happens (RFC 5723 4.1, 4.2).
import {
  decodeTicketWithLifetime,
  ExchangeType,
  encodeTicketWithLifetime,
  NotifyType,
  type Payload,
  WireError,
} from '#wire';
import type { IkeSaState } from '../../ike-sa-state.ts';
import { sendRequest } from '../../messages/transmission.ts';
import { findNotify, notify } from '../../payloads/notify.ts';
import { type TicketContent, ticketLifetimeMsMax } from '../../resumption/ticket-content.ts';

/** How long to wait after a TICKET_ACK; after the last one we do without. */
const postponementsMs: readonly number[] = [5_000, 30_000, 300_000];

/** A ticket is replaced when this part of its life is over, but not more often than every minute. */
const refreshPart = 0.8;
const refreshDelayMsMin = 60_000;

/** A gateway may think what it likes of a ticket's life; a client does not believe in more than a week. */
const lifetimeMsMax = 7 * 24 * 3_600_000;

function wantsTickets(state: IkeSaState): boolean {
  return state.client && state.connection.resumption !== undefined;
}

/** Client: the notify for an exchange that goes on anyway. */
export function ticketRequest(state: IkeSaState): Payload[] {
  return wantsTickets(state) ? [notify(NotifyType.TICKET_REQUEST)] : [];
}

/** Client: in a rekeying of our own. A peer that passed over the request in IKE_AUTH knows none of this. */
export function ticketRequestInRekey(state: IkeSaState): Payload[] {
  return state.peer.tickets ? ticketRequest(state) : [];
}

/** Client, RFC 5723 4.1: a rekeying by the gateway left us without a ticket. */
export function requestTicketAfterRekey(successor: IkeSaState): void {
  if (successor.role === 'initiator' || !successor.peer.tickets || !wantsTickets(successor)) return;
  successor.tasks.add({ kind: 'request-ticket', postponements: 0 });
}

/** Client: an INFORMATIONAL exchange of its own. */
export function beginTicketRequest(state: IkeSaState, postponements: number): void {
  if (!wantsTickets(state)) return;
  sendRequest(
    state,
    ExchangeType.INFORMATIONAL,
    { kind: 'request-ticket', postponements },
    ticketRequest(state),
  );
}

/** Client: what the answer to a request says about its ticket. @param postponements how often we were put off before */
export function takeTicket(state: IkeSaState, payloads: readonly Payload[], postponements = 0): void {
  // The tickets of an IKE SA that was replaced are void (RFC 5723 6.2): its successor has asked for its own.
  if (!wantsTickets(state) || state.successor !== undefined) return;
  const given = findNotify(payloads, NotifyType.TICKET_LT_OPAQUE);
  const refused = findNotify(payloads, NotifyType.TICKET_NACK);
  const postponed = findNotify(payloads, NotifyType.TICKET_ACK);
  state.peer.tickets ||= (given ?? refused ?? postponed) !== undefined;
  if (given !== undefined) {
    keepTicket(state, given.data);
    return;
  }
  if (refused !== undefined) {
    state.emit({ kind: 'ticket-request', outcome: 'refused' });
    return;
  }
  if (postponed === undefined) return;
  state.emit({ kind: 'ticket-request', outcome: 'postponed' });
  const delay = postponementsMs[postponements];
  if (delay === undefined) return;
  askAgain(state, delay, postponements + 1);
}

function askAgain(state: IkeSaState, delayMs: number, postponements: number): void {
  state.tasks.removeWhere(({ kind }) => kind === 'request-ticket');
  state.tasks.add({ kind: 'request-ticket', postponements }, { notBefore: state.at + delayMs });
}

function keepTicket(state: IkeSaState, data: Uint8Array): void {
  let given: ReturnType<typeof decodeTicketWithLifetime>;
  try {
    given = decodeTicketWithLifetime(data);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    state.emit({ kind: 'ticket-request', outcome: 'refused' });
    return;
  }
  const { localIdentity, remoteIdentity, reauthAt } = state;
  if (localIdentity === undefined || remoteIdentity === undefined) {
    throw new Error('a ticket was taken before the peer was authenticated');
  }
  const lifetimeMs = Math.min(given.lifetimeSeconds * 1000, lifetimeMsMax);
  const nowMs = state.ports.wallClockMs();
  const { suite, skD } = state.secure();
  state.outputs.push({
    kind: 'ticket',
    ticket: {
      ticket: given.ticket.slice(),
      expiresAtMs: nowMs + lifetimeMs,
      connection: state.connection.name,
      remote: state.remote,
      suite,
      skD: skD.slice(),
      localIdentity,
      remoteIdentity,
      spis: state.spis,
      ...(reauthAt !== undefined && { reauthAtMs: nowMs + (reauthAt - state.at) }),
      virtualAddresses: state.virtualAddresses,
    },
  });
  state.emit({ kind: 'ticket-request', outcome: 'received', lifetimeMs });
  askAgain(state, Math.max(refreshDelayMsMin, Math.floor(lifetimeMs * refreshPart)), 0);
}

/** Gateway: the notify that answers TICKET_REQUEST, if the request has one (RFC 5723 4.1). */
export function answerTicketRequest(state: IkeSaState, payloads: readonly Payload[]): Payload[] {
  if (findNotify(payloads, NotifyType.TICKET_REQUEST) === undefined) return [];
  const { clientCredential, ports } = state;
  const { tickets } = ports;
  const lifetimeSeconds = Math.floor(ticketLifetimeMs(state) / 1000);
  // RFC 5723 4.1: all requests for tickets come from the client.
  if (tickets === undefined || state.client || clientCredential === undefined || lifetimeSeconds < 1) {
    state.emit({ kind: 'ticket-request', outcome: 'refused' });
    return [notify(NotifyType.TICKET_NACK)];
  }
  const nowMs = state.ports.wallClockMs();
  const ticket = tickets.issue(nowMs, contentOf(state, clientCredential, nowMs, lifetimeSeconds * 1000));
  if (ticket === undefined) {
    state.emit({ kind: 'ticket-request', outcome: 'postponed' });
    return [notify(NotifyType.TICKET_ACK)];
  }
  state.ticketGiven = true;
  state.emit({ kind: 'ticket-request', outcome: 'given', lifetimeMs: lifetimeSeconds * 1000 });
  return [notify(NotifyType.TICKET_LT_OPAQUE, encodeTicketWithLifetime({ lifetimeSeconds, ticket }))];
}

/** RFC 5723 6.2: no longer than the IKE SA may live, nor than its client is authenticated; and always finite. */
function ticketLifetimeMs(state: IkeSaState): number {
  const { resumption } = state.connection;
  if (resumption === undefined) return 0;
  const left = (time: number | undefined): number =>
    time === undefined ? Number.POSITIVE_INFINITY : time - state.at;
  return Math.min(
    resumption.ticketLifetimeMs,
    ticketLifetimeMsMax,
    left(state.expiresAt ?? state.rekeyAt),
    left(state.reauthAt),
  );
}

function contentOf(
  state: IkeSaState,
  credential: Uint8Array,
  nowMs: number,
  lifetimeMs: number,
): TicketContent {
  const { localIdentity, remoteIdentity, remoteEapIdentity, clientMethod, reauthAt } = state;
  if (localIdentity === undefined || remoteIdentity === undefined || clientMethod === undefined) {
    throw new Error('a ticket was given before the client was authenticated');
  }
  const { suite, skD } = state.secure();
  return {
    suite,
    skD,
    clientIdentity: remoteIdentity,
    ...(remoteEapIdentity !== undefined && { clientEapIdentity: remoteEapIdentity }),
    gatewayIdentity: localIdentity,
    clientMethod,
    credential,
    connection: state.connection.name,
    spis: state.spis,
    issuedAtMs: nowMs,
    expiresAtMs: nowMs + lifetimeMs,
    ...(reauthAt !== undefined && { reauthAtMs: nowMs + (reauthAt - state.at) }),
  };
}

/** Gateway: the client proved that it holds the ticket's secret. False: somebody used the ticket before. */
export function spendTicket(state: IkeSaState, content: TicketContent): boolean {
  return state.ports.tickets?.spend(state.ports.wallClockMs(), content) ?? false;
}
