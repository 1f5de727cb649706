// A ticket in its client's hands: what the gateway gave, and the state that RFC 5723 4.2 has the client keep beside it.
import { wipe } from '#crypto';
import type { Endpoint, IkeSuite, IpAddress } from '#sa';
import { Reader, WireError, Writer } from '#wire';
import type { Identity } from '../configuration.ts';
import type { IkeFailure } from '../interface.ts';
import type { IkeSpis } from '../phase.ts';
import {
  readAddress,
  readEndpoint,
  readIdentity,
  readMs,
  readOctets8,
  readSpi,
  readSuite,
  readText,
  writeAddress,
  writeEndpoint,
  writeIdentity,
  writeMs,
  writeOctets8,
  writeSpi,
  writeSuite,
  writeText,
} from '../stored-fields.ts';

/**
 * Enough to resume an IKE SA after everything else about it is lost. Times are wall-clock milliseconds. It holds a
 * secret: whoever stores it must encrypt it, and wipe it (`wipeClientTicket`) once it is of no use.
 */
export interface ClientTicket {
  /** Sent to the gateway as it is. */
  readonly ticket: Uint8Array;
  readonly expiresAtMs: number;
  readonly connection: string;
  /** Where the gateway was. */
  readonly remote: Endpoint;
  readonly suite: IkeSuite;
  /** Secret: SK_d of the IKE SA that the ticket is for. */
  readonly skD: Uint8Array;
  readonly localIdentity: Identity;
  readonly remoteIdentity: Identity;
  readonly spis: IkeSpis;
  /** When a fresh authentication is due, ticket or not. */
  readonly reauthAtMs?: number;
  /** Asked for again (RFC 5723 5, note 5). */
  readonly virtualAddresses: readonly IpAddress[];
}

export function wipeClientTicket(ticket: ClientTicket): void {
  wipe(ticket.skD);
}

/**
 * Whether a client may keep its ticket after its IKE SA ended this way (RFC 5723 6.2): only if the IKE SA was lost, not
 * if either end closed it. `abandoned` is a loss too: it is how the host drops an IKE SA that the peer lost (RFC 6290 7).
 */
export function ticketOutlives(failure: IkeFailure): boolean {
  return failure.code === 'no-answer' || failure.code === 'abandoned';
}

const formatVersion = 1;

/** Octets to be kept, encrypted, until `decodeClientTicket`. */
export function encodeClientTicket(ticket: ClientTicket): Uint8Array {
  const writer = new Writer().u8(formatVersion, 'ticket.version');
  writer.u16(ticket.ticket.length, 'ticket.opaque.length').bytes(ticket.ticket);
  writeMs(writer, ticket.expiresAtMs);
  writeText(writer, ticket.connection);
  writeEndpoint(writer, ticket.remote);
  writeSuite(writer, ticket.suite);
  writeOctets8(writer, ticket.skD, 'ticket.SK_d');
  writeIdentity(writer, ticket.localIdentity);
  writeIdentity(writer, ticket.remoteIdentity);
  writeSpi(writer, ticket.spis.initiator);
  writeSpi(writer, ticket.spis.responder);
  writeMs(writer, ticket.reauthAtMs ?? 0);
  writer.u8(ticket.virtualAddresses.length, 'ticket.addresses');
  for (const address of ticket.virtualAddresses) writeAddress(writer, address);
  return writer.finish();
}

/** @throws WireError whatever the octets are */
export function decodeClientTicket(octets: Uint8Array): ClientTicket {
  const reader = new Reader(octets);
  if (reader.u8('ticket.version') !== formatVersion) throw new WireError('version', 0, 'ticket.version');
  const ticket = reader.bytes(reader.u16('ticket.opaque.length'), 'ticket.opaque').slice();
  const expiresAtMs = readMs(reader);
  const connection = readText(reader);
  const remote = readEndpoint(reader);
  const suite = readSuite(reader);
  const skD = readOctets8(reader, 'ticket.SK_d');
  const localIdentity = readIdentity(reader);
  const remoteIdentity = readIdentity(reader);
  const spis = { initiator: readSpi(reader), responder: readSpi(reader) };
  const reauthAtMs = readMs(reader);
  const count = reader.u8('ticket.addresses');
  const virtualAddresses = Array.from({ length: count }, () => readAddress(reader));
  reader.end('ticket');
  return {
    ticket,
    expiresAtMs,
    connection,
    remote,
    suite,
    skD,
    localIdentity,
    remoteIdentity,
    spis,
    ...(reauthAtMs > 0 && { reauthAtMs }),
    virtualAddresses,
  };
}
