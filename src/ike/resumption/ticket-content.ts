// What a ticket stands for: the items "from the ticket" of RFC 5723 5, and their octets (after its appendix A.1).
import type { IkeSuite } from '#sa';
import { Reader, WireError, Writer } from '#wire';
import type { Identity } from '../configuration.ts';
import type { IkeSpis } from '../phase.ts';
import {
  readIdentity,
  readMs,
  readOctets8,
  readSpi,
  readSuite,
  readText,
  writeIdentity,
  writeMs,
  writeOctets8,
  writeSpi,
  writeSuite,
  writeText,
} from '../stored-fields.ts';

/** The state of an IKE SA that its gateway needs to resume it. Times are wall-clock milliseconds. */
export interface TicketContent {
  readonly suite: IkeSuite;
  /** Secret: from it the keys of the resumed IKE SA are derived. */
  readonly skD: Uint8Array;
  /** The client's: who made the first IKE SA. */
  readonly clientIdentity: Identity;
  /** The user that EAP has authenticated: who the client is, whatever it calls itself. */
  readonly clientEapIdentity?: Identity;
  readonly gatewayIdentity: Identity;
  /** How the client proved its identity (the method of its AUTH payload), however often it was resumed since. */
  readonly clientMethod: number;
  /** A mark of what the client was authenticated by (`TicketPort.mark`), so that a ticket ends once that is changed. */
  readonly credential: Uint8Array;
  /** Name of the connection that authorised the client. */
  readonly connection: string;
  /** Which IKE SA this is: never used for the resumed one (RFC 5723 5, note 4). */
  readonly spis: IkeSpis;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  /** Resuming is no fresh authentication: the client must authenticate itself anew by then. */
  readonly reauthAtMs?: number;
}

/** No ticket is given for longer, whatever is configured: keys and lists of used tickets are kept as long. */
export const ticketLifetimeMsMax: number = 24 * 3_600_000;

/** Tickets of former versions do not tell what their clients were authenticated by, and are not read. */
const formatVersion = 3;

/** @throws WireError `value` if a field does not fit, which no state of an IKE SA does */
export function encodeTicketContent(content: TicketContent): Uint8Array {
  const writer = new Writer().u8(formatVersion, 'ticket.version');
  writeSuite(writer, content.suite);
  writeOctets8(writer, content.skD, 'ticket.SK_d');
  writeIdentity(writer, content.clientIdentity);
  writeIdentity(writer, content.gatewayIdentity);
  writer.u8(content.clientMethod, 'ticket.method');
  writeOctets8(writer, content.credential, 'ticket.credential');
  writeText(writer, content.connection);
  writeSpi(writer, content.spis.initiator);
  writeSpi(writer, content.spis.responder);
  writeMs(writer, content.issuedAtMs);
  writeMs(writer, content.expiresAtMs);
  // No authentication ends at the beginning of 1970.
  writeMs(writer, content.reauthAtMs ?? 0);
  const { clientEapIdentity } = content;
  writer.u8(clientEapIdentity === undefined ? 0 : 1, 'ticket.EAP');
  if (clientEapIdentity !== undefined) writeIdentity(writer, clientEapIdentity);
  return writer.finish();
}

/** @throws WireError whatever the octets are */
export function decodeTicketContent(octets: Uint8Array): TicketContent {
  const reader = new Reader(octets);
  if (reader.u8('ticket.version') !== formatVersion) throw new WireError('version', 0, 'ticket.version');
  const suite = readSuite(reader);
  const skD = readOctets8(reader, 'ticket.SK_d');
  const clientIdentity = readIdentity(reader);
  const gatewayIdentity = readIdentity(reader);
  const clientMethod = reader.u8('ticket.method');
  const credential = readOctets8(reader, 'ticket.credential');
  const connection = readText(reader);
  const spis = { initiator: readSpi(reader), responder: readSpi(reader) };
  const issuedAtMs = readMs(reader);
  const expiresAtMs = readMs(reader);
  const reauthAtMs = readMs(reader);
  const clientEapIdentity = readUser(reader);
  reader.end('ticket');
  return {
    suite,
    skD,
    clientIdentity,
    ...(clientEapIdentity !== undefined && { clientEapIdentity }),
    gatewayIdentity,
    clientMethod,
    credential,
    connection,
    spis,
    issuedAtMs,
    expiresAtMs,
    ...(reauthAtMs > 0 && { reauthAtMs }),
  };
}

function readUser(reader: Reader): Identity | undefined {
  const { offset } = reader;
  const present = reader.u8('ticket.EAP');
  if (present > 1) throw reader.failAt(offset, 'value', 'ticket.EAP');
  return present === 1 ? readIdentity(reader) : undefined;
}
