// The data of TICKET_LT_OPAQUE: a ticket and how long it is good for (RFC 5723 7.1).
import { Reader } from '../reader.ts';
import { Writer } from '../writer.ts';

export interface TicketWithLifetime {
  /** Seconds from now until the ticket expires. */
  readonly lifetimeSeconds: number;
  /** Opaque to everybody but its maker. */
  readonly ticket: Uint8Array;
}

/** @throws WireError `value` if the lifetime does not fit 32 bits */
export function encodeTicketWithLifetime({ lifetimeSeconds, ticket }: TicketWithLifetime): Uint8Array {
  return new Writer(4 + ticket.length)
    .u32(lifetimeSeconds, 'TICKET_LT_OPAQUE.lifetime')
    .bytes(ticket)
    .finish();
}

/** @throws WireError `truncated`; a ticket of no octets is none */
export function decodeTicketWithLifetime(data: Uint8Array): TicketWithLifetime {
  const reader = new Reader(data);
  const lifetimeSeconds = reader.u32('TICKET_LT_OPAQUE.lifetime');
  if (reader.remaining === 0) throw reader.fail('truncated', 'TICKET_LT_OPAQUE.ticket');
  return { lifetimeSeconds, ticket: reader.rest() };
}
