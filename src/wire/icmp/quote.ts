// What ICMP errors quote of the packet they are about, with the extensions of RFC 4884.
import { WireError } from '../error.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';

/** The offending packet, as far as it is quoted, from its IP header on. `decodeIp` with `partial` reads it. */
export interface IcmpQuote {
  readonly quoted: Uint8Array;
  /** The extension structure behind the quote (RFC 4884 7), unread; absent if the message has no length field set. */
  readonly extension?: Uint8Array;
}

/** RFC 1812 4.3.2.3: the whole error packet should not exceed 576 octets. */
export const icmpv4QuoteLengthMax: number = 576 - 20 - 8;

/** RFC 4443 2.4 (c): the whole error packet does not exceed the IPv6 minimum MTU, 1280 octets. */
export const icmpv6QuoteLengthMax: number = 1280 - 40 - 8;

/** Splits what follows the ICMP header; `length` counts `unit` octets, and 0 means no extension (RFC 4884 5.4). */
export function readQuote(reader: Reader, length: number, unit: 4 | 8): IcmpQuote {
  if (length === 0) return { quoted: reader.rest() };
  return { quoted: reader.bytes(length * unit, 'ICMP.quote'), extension: reader.rest() };
}

/** The value of the length field for `readQuote`. */
export function quoteLengthField(quote: IcmpQuote, unit: 4 | 8): number {
  if (quote.extension === undefined) return 0;
  const { length } = quote.quoted;
  if (length === 0 || length % unit !== 0 || length / unit > 0xff)
    throw new WireError('length', 8, 'ICMP.quote');
  return length / unit;
}

export function writeQuote(writer: Writer, quote: IcmpQuote): Writer {
  writer.bytes(quote.quoted);
  return quote.extension === undefined ? writer : writer.bytes(quote.extension);
}
