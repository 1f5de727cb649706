// Two gateways of which sun gives tickets and moon takes them, and what tests do with the messages of a resumption.
import { decodeIkeMessage, encodeIkeMessage, type NotifyPayload, NotifyType, type Payload } from '#wire';
import type { ResumptionConfiguration } from '../configuration.ts';
import { TicketIssuer, type TicketIssuerOptions } from '../index.ts';
import { payloadOf } from '../payloads/payload-lookup.ts';
import { connection } from './connections.ts';
import { type Datagram, Pair } from './pair.ts';

export const hourMs = 3_600_000;

export const resumption: ResumptionConfiguration = { ticketLifetimeMs: hourMs, freshKeyExchange: false };

/** A ticket maker of sun's. */
export function issuer(pair: Pair, change: Partial<TicketIssuerOptions> = {}): TicketIssuer {
  return new TicketIssuer({
    randomness: pair.sun.randomness,
    form: 'value',
    durable: false,
    keyLifetimeMs: 24 * hourMs,
    ticketLifetimeMsMax: hourMs,
    ...change,
  });
}

export function resumingPair(
  change: {
    readonly moon?: Parameters<typeof connection>[1];
    readonly sun?: Parameters<typeof connection>[1];
    readonly issuer?: Partial<TicketIssuerOptions>;
  } = {},
): Pair {
  const pair = new Pair({
    moon: { connections: [connection('moon', { resumption, ...change.moon })] },
    sun: { connections: [connection('sun', { resumption, ...change.sun })] },
  });
  pair.sun.tickets = issuer(pair, change.issuer);
  return pair;
}

/** Sun's process dies: what it had in memory is gone, and moon's IKE SA is dropped as a QCD token or silence would do. */
export function loseSun(pair: Pair): void {
  pair.sun.sas.length = 0;
  pair.sun.installed.clear();
  pair.moon.command({ kind: 'abandon', reason: 'the peer lost its state' });
  pair.settle();
}

export function payloadsOf(datagram: Datagram): readonly Payload[] {
  return decodeIkeMessage(datagram.octets).payloads;
}

/** The same message with its payloads changed. */
export function changed(
  datagram: Datagram,
  change: (payloads: readonly Payload[]) => readonly Payload[],
): Datagram {
  const { header, payloads } = decodeIkeMessage(datagram.octets);
  return { ...datagram, octets: encodeIkeMessage({ header, payloads: change(payloads) }) };
}

/** An answer to an unprotected request that anybody may make up. */
export function unprotectedAnswer(
  pair: Pair,
  request: Datagram,
  ...payloads: readonly NotifyPayload[]
): Datagram {
  const { header } = decodeIkeMessage(request.octets);
  const octets = encodeIkeMessage({ header: { ...header, initiator: false, response: true }, payloads });
  return { to: pair.moon, source: request.destination, destination: request.source, octets };
}

export function presentedTicket(datagram: Datagram): Uint8Array | undefined {
  return payloadsOf(datagram).find(
    (payload): payload is NotifyPayload =>
      payload.type === 'N' && payload.notifyType === NotifyType.TICKET_OPAQUE,
  )?.data;
}

export function nonceOf(datagram: Datagram): Uint8Array {
  return payloadOf(payloadsOf(datagram), 'Nonce')?.data ?? new Uint8Array(0);
}
