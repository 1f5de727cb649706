// The chain of IPv6 extension headers (RFC 8200 4), Authentication Headers included.
import {
  type AuthenticationHeader,
  readAuthenticationHeader,
  writeAuthenticationHeader,
} from '../ah/header.ts';
import { WireError } from '../error.ts';
import { requireRange } from '../field.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import { IpProtocol } from './protocol.ts';

/** RFC 8200 4.2. Pad1 (type 0, no data) and PadN (type 1) are listed like any other option. */
export interface Ipv6Option {
  readonly type: number;
  readonly data: Uint8Array;
}

export type ExtensionHeader =
  | { readonly kind: 'hop-by-hop' | 'destination-options'; readonly options: readonly Ipv6Option[] }
  | {
      readonly kind: 'routing';
      readonly routingType: number;
      readonly segmentsLeft: number;
      /** What follows Segments Left: 4 octets and a multiple of 8 more. */
      readonly data: Uint8Array;
    }
  | {
      readonly kind: 'fragment';
      /** In octets, a multiple of 8. */
      readonly offset: number;
      readonly moreFragments: boolean;
      readonly identification: number;
    }
  | ({ readonly kind: 'authentication' } & AuthenticationHeader);

/** More extension headers than this in one packet are refused. */
export const extensionHeaderLimit = 16;

const numbers: Record<ExtensionHeader['kind'], number> = {
  'hop-by-hop': IpProtocol.HOP_BY_HOP,
  'destination-options': IpProtocol.DESTINATION_OPTIONS,
  routing: IpProtocol.ROUTING,
  fragment: IpProtocol.FRAGMENT,
  authentication: IpProtocol.AH,
};

/** Whether this Next Header value continues the chain. */
export function isExtensionHeader(protocol: number): boolean {
  switch (protocol) {
    case IpProtocol.HOP_BY_HOP:
    case IpProtocol.ROUTING:
    case IpProtocol.FRAGMENT:
    case IpProtocol.AH:
    case IpProtocol.DESTINATION_OPTIONS:
      return true;
    default:
      return false;
  }
}

/** The Next Header value that announces the header. */
export function extensionHeaderNumber(header: ExtensionHeader): number {
  return numbers[header.kind];
}

/** Whether what follows the header is a later piece of a fragmented packet, in which no header can be found. */
export function endsChain(header: ExtensionHeader): boolean {
  return header.kind === 'fragment' && header.offset !== 0;
}

/** Reads the chain that `nextHeader` announces and says what follows it. Throws `WireError`. */
export function readExtensionHeaders(
  reader: Reader,
  nextHeader: number,
): { readonly extensions: ExtensionHeader[]; readonly protocol: number } {
  const extensions: ExtensionHeader[] = [];
  let protocol = nextHeader;
  while (isExtensionHeader(protocol)) {
    if (extensions.length === extensionHeaderLimit) throw reader.fail('limit', 'IPv6.extensionHeaders');
    // RFC 8200 4.1: the hop-by-hop options come first or not at all.
    if (protocol === IpProtocol.HOP_BY_HOP && extensions.length > 0) {
      throw reader.fail('value', 'IPv6.nextHeader', 'hop-by-hop options after another extension header');
    }
    const read = readExtensionHeader(reader, protocol);
    extensions.push(read.header);
    protocol = read.nextHeader;
    if (endsChain(read.header)) break;
  }
  return { extensions, protocol };
}

function readExtensionHeader(
  reader: Reader,
  protocol: number,
): { readonly header: ExtensionHeader; readonly nextHeader: number } {
  if (protocol === IpProtocol.AH) {
    const start = reader.offset;
    const { nextHeader, ...header } = readAuthenticationHeader(reader);
    // RFC 4302 2.2: within IPv6 the header fills whole units of 8 octets.
    if ((reader.offset - start) % 8 !== 0) throw new WireError('length', start + 1, 'AH.payloadLength');
    return { header: { kind: 'authentication', ...header }, nextHeader };
  }
  const nextHeader = reader.u8('IPv6.nextHeader');
  if (protocol === IpProtocol.FRAGMENT) {
    reader.skip(1, 'IPv6.fragment.reserved');
    const field = reader.u16('IPv6.fragment.offset');
    const identification = reader.u32('IPv6.fragment.identification');
    const header = {
      kind: 'fragment',
      offset: field & 0xfff8,
      moreFragments: (field & 1) !== 0,
      identification,
    } as const;
    return { header, nextHeader };
  }
  const length = reader.u8('IPv6.extensionHeader.length') * 8 + 6;
  const body = reader.sub(length, 'IPv6.extensionHeader');
  if (protocol === IpProtocol.ROUTING) {
    const routingType = body.u8('IPv6.routing.type');
    const segmentsLeft = body.u8('IPv6.routing.segmentsLeft');
    return { header: { kind: 'routing', routingType, segmentsLeft, data: body.rest() }, nextHeader };
  }
  const kind = protocol === IpProtocol.HOP_BY_HOP ? 'hop-by-hop' : 'destination-options';
  return { header: { kind, options: readIpv6Options(body) }, nextHeader };
}

function readIpv6Options(reader: Reader): Ipv6Option[] {
  const options: Ipv6Option[] = [];
  while (reader.remaining > 0) {
    const type = reader.u8('IPv6.option.type');
    if (type === 0) {
      options.push({ type, data: new Uint8Array() });
      continue;
    }
    const length = reader.u8('IPv6.option.length');
    options.push({ type, data: reader.bytes(length, 'IPv6.option.data') });
  }
  return options;
}

/** Adds the padding option, if one is needed, with which the options fill their header (RFC 8200 4.2). */
export function padIpv6Options(options: readonly Ipv6Option[]): Ipv6Option[] {
  const length = options.reduce((sum, { type, data }) => sum + (type === 0 ? 1 : 2 + data.length), 2);
  const missing = (8 - (length % 8)) % 8;
  if (missing === 0) return [...options];
  if (missing === 1) return [...options, { type: 0, data: new Uint8Array() }];
  return [...options, { type: 1, data: new Uint8Array(missing - 2) }];
}

/** Writes the chain; `protocol` is what follows it. Throws `WireError`. */
export function writeExtensionHeaders(
  writer: Writer,
  extensions: readonly ExtensionHeader[],
  protocol: number,
): void {
  if (extensions.length > extensionHeaderLimit) {
    throw new WireError('limit', writer.length, 'IPv6.extensionHeaders');
  }
  for (const [i, header] of extensions.entries()) {
    const following = extensions[i + 1];
    if ((header.kind === 'hop-by-hop' && i > 0) || (endsChain(header) && following !== undefined)) {
      throw new WireError('value', writer.length, 'IPv6.extensionHeaders', 'order');
    }
    writeExtensionHeader(
      writer,
      header,
      following === undefined ? protocol : extensionHeaderNumber(following),
    );
  }
  const last = extensions.at(-1);
  if (isExtensionHeader(protocol) && (last === undefined || !endsChain(last))) {
    throw new WireError('value', writer.length, 'IPv6.nextHeader', 'an extension header as payload');
  }
}

function writeExtensionHeader(writer: Writer, header: ExtensionHeader, nextHeader: number): void {
  const start = writer.length;
  switch (header.kind) {
    case 'authentication':
      writeAuthenticationHeader(writer, { ...header, nextHeader });
      if ((writer.length - start) % 8 !== 0) throw new WireError('length', start + 1, 'AH.payloadLength');
      return;
    case 'fragment':
      requireRange(header.offset, 0xfff8, start + 2, 'IPv6.fragment.offset');
      if (header.offset % 8 !== 0) throw new WireError('value', start + 2, 'IPv6.fragment.offset');
      writer
        .u8(nextHeader, 'IPv6.nextHeader')
        .zeros(1)
        .u16(header.offset | (header.moreFragments ? 1 : 0), 'IPv6.fragment.offset')
        .u32(header.identification, 'IPv6.fragment.identification');
      return;
    case 'routing':
      writer
        .u8(nextHeader, 'IPv6.nextHeader')
        .zeros(1)
        .u8(header.routingType, 'IPv6.routing.type')
        .u8(header.segmentsLeft, 'IPv6.routing.segmentsLeft')
        .bytes(header.data);
      break;
    default:
      writer.u8(nextHeader, 'IPv6.nextHeader').zeros(1);
      writeIpv6Options(writer, header.options);
  }
  const length = writer.length - start;
  if (length % 8 !== 0) throw new WireError('length', start + 1, 'IPv6.extensionHeader.length', 'padding');
  writer.patchU8(start + 1, length / 8 - 1, 'IPv6.extensionHeader.length');
}

function writeIpv6Options(writer: Writer, options: readonly Ipv6Option[]): void {
  for (const { type, data } of options) {
    writer.u8(type, 'IPv6.option.type');
    if (type !== 0) writer.u8(data.length, 'IPv6.option.length').bytes(data);
    else if (data.length > 0) throw new WireError('length', writer.length, 'IPv6.option.data', 'Pad1');
  }
}
