// What an IKE SA of a gateway asks of whoever makes the host's tickets (RFC 5723 6). `TicketIssuer` is one.
import type { IkeSpis } from '../phase.ts';
import type { TicketContent } from './ticket-content.ts';

/** Synchronous and deterministic. `nowMs` is wall-clock milliseconds. */
export interface TicketPort {
  /** A ticket for an IKE SA, or `undefined` if none can be made yet: the client is told to ask again (TICKET_ACK). */
  issue(nowMs: number, content: TicketContent): Uint8Array | undefined;
  /** What a ticket stands for, if it is one of ours and still good. Looking at a ticket changes nothing. */
  inspect(nowMs: number, ticket: Uint8Array): TicketVerdict;
  /**
   * An IKE SA was established with a ticket, which is used by that (RFC 5723 4.3.1). False: another one of the same
   * IKE SA was faster, and this one must not be accepted.
   */
  spend(nowMs: number, content: TicketContent): boolean;
  /**
   * A mark of what a client is authenticated by: the same for the same octets, also after a restart that keeps tickets good, and
   * nothing that anybody could try secrets on who does not have the host's keys.
   */
  mark(parts: readonly Uint8Array[]): Uint8Array;
  /** The IKE SA was rekeyed or closed: its tickets are void (RFC 5723 6.2). */
  revoke(nowMs: number, spis: IkeSpis): void;
}

export type TicketVerdict =
  /** The caller wipes `content.skD`. */
  | { readonly ok: true; readonly content: TicketContent }
  /** For logs; the client learns no more than TICKET_NACK. */
  | { readonly ok: false; readonly reason: string };
