// Session resumption of one host (RFC 5723): the tickets that its peers hold, and those that it holds itself.
//
// Nothing here decides that a peer is lost. A ticket is presented when a connection is to be brought up again anyway: on a
// person's or the configuration's word, after retransmissions have ended, or after authenticated proof of a crash. No
// message that anybody could have forged leads here (RFC 5723 9.4).
import {
  type ClientTicket,
  type IkeSpis,
  TicketIssuer,
  type TicketPort,
  ticketLifetimeMsMax,
  wipeClientTicket,
} from '#ike';
import type { TicketConfiguration } from '../configuration.ts';
import type { EngineState } from '../engine-state.ts';
import type { IkeEntry } from '../ike-sas/ike-sa-registry.ts';
import { peerCalledAnew } from '../recovery/course.ts';

const defaults: TicketConfiguration = { form: 'value', keyLifetimeMs: 7 * 24 * 3_600_000 };

/** As gateway. @param restored what former processes stored */
export function newTicketIssuer(
  state: Pick<EngineState, 'randomness' | 'configuration' | 'ticketRecords'>,
  restored: ReadonlyMap<string, Uint8Array>,
): TicketIssuer {
  const { form, keyLifetimeMs } = state.configuration.tickets ?? defaults;
  const { randomness } = state;
  const { durable } = state.ticketRecords;
  const issuer = new TicketIssuer({ randomness, form, keyLifetimeMs, ticketLifetimeMsMax, durable });
  issuer.restore(restored);
  return issuer;
}

/** The time of day is known: a key is made, so that it is stored before the first client asks for a ticket. */
export function prepareTickets(state: EngineState): void {
  const wanted = state.configuration.connections.some(({ resumption }) => resumption !== undefined);
  if (wanted) state.tickets.prepare(state.wallClockMs);
}

/** What an IKE SA sees of the issuer. */
export function ticketPort(state: EngineState, ikeId: number): TicketPort {
  const { tickets: issuer } = state;
  return {
    issue: (nowMs, content) => issuer.issue(nowMs, content),
    inspect: (nowMs, ticket) => issuer.inspect(nowMs, ticket),
    spend: (nowMs, content) => {
      if (!issuer.spend(nowMs, content)) return false;
      // Before the new IKE SA asks for the virtual address that the old one may still hold.
      forgetResumed(state, content.spis, (old) =>
        peerCalledAnew(state, old, 'the peer presented the ticket of an IKE SA that stands here'),
      );
      const entry = state.registry.byId(ikeId);
      if (entry !== undefined) state.ticketRecords.withhold(entry);
      return true;
    },
    mark: (parts) => issuer.mark(parts),
    revoke: (nowMs, spis) => issuer.revoke(nowMs, spis),
  };
}

/** RFC 5723 4.3.4: an IKE SA that was resumed by another one goes without a message, at either end. */
export function forgetResumed(state: EngineState, former: IkeSpis, found?: (entry: IkeEntry) => void): void {
  // One of the two SPIs is ours.
  for (const spi of [former.initiator, former.responder]) {
    const entry = state.registry.bySpi(spi);
    if (entry === undefined) continue;
    const { sa } = entry;
    if (sa.initiatorSpi !== former.initiator || sa.responderSpi !== former.responder) continue;
    if (sa.phase === 'ended') continue;
    found?.(entry);
    const command = { kind: 'abandon', reason: 'it was resumed' } as const;
    sa.handle({ kind: 'command', at: state.at, command });
    state.touch(entry);
  }
}

/** As client: at most one ticket per connection, the newest. */
export class ClientTickets {
  readonly #state: EngineState;
  readonly #byConnection = new Map<string, ClientTicket>();

  constructor(state: EngineState, restored: readonly ClientTicket[]) {
    this.#state = state;
    for (const ticket of restored) this.#byConnection.set(ticket.connection, ticket);
  }

  get size(): number {
    return this.#byConnection.size;
  }

  /** Whether the ticket of this connection is one for this IKE SA. */
  holds(connection: string, { initiator, responder }: IkeSpis): boolean {
    const spis = this.#byConnection.get(connection)?.spis;
    return spis?.initiator === initiator && spis.responder === responder;
  }

  keep(ticket: ClientTicket): void {
    const former = this.#byConnection.get(ticket.connection);
    if (former !== undefined) wipeClientTicket(former);
    this.#byConnection.set(ticket.connection, ticket);
    this.#state.ticketRecords.storeClientTicket(this.#state, ticket);
  }

  /** @param nowMs wall clock: an expired ticket must not be presented (RFC 5723 4.3.1) */
  find(connection: string, nowMs: number): ClientTicket | undefined {
    const ticket = this.#byConnection.get(connection);
    if (ticket === undefined || ticket.expiresAtMs > nowMs) return ticket;
    this.drop(connection);
    return undefined;
  }

  drop(connection: string): void {
    const ticket = this.#byConnection.get(connection);
    if (ticket === undefined) return;
    wipeClientTicket(ticket);
    this.#byConnection.delete(connection);
    this.#state.ticketRecords.removeClientTicket(this.#state, connection);
  }

  /** The IKE SA was closed, rekeyed or resumed (RFC 5723 6.2). A newer one's ticket stays. */
  dropOf(connection: string, spis: IkeSpis): void {
    if (this.holds(connection, spis)) this.drop(connection);
  }

  /** Credentials of connections that are no longer configured are no longer valid. */
  retain(connections: ReadonlySet<string>): void {
    for (const connection of this.#byConnection.keys()) {
      if (!connections.has(connection)) this.drop(connection);
    }
  }
}
