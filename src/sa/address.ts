// IP addresses and endpoints as canonical text: comparable with ===, usable as map keys, readable in logs.

/** An IPv4 dotted quad, or an IPv6 address in the canonical text of RFC 5952, without a zone. */
export type IpAddress = string & { readonly ipAddress: unique symbol };

/** An address and a UDP port. */
export interface Endpoint {
  readonly address: IpAddress;
  readonly port: number;
}

/** An address block, for example `192.0.2.0/24`. */
export interface Prefix {
  readonly address: IpAddress;
  readonly length: number;
}

/** Thrown for text or octets that are no address. */
export class AddressError extends Error {
  override readonly name = 'AddressError';
  readonly code = 'bad-address' as const;
}

/** Whether it is an IPv6 address; otherwise it is an IPv4 one. */
export function isIpv6(address: IpAddress): boolean {
  return address.includes(':');
}

/** 4 or 16 octets -> canonical text. */
export function addressFromBytes(bytes: Uint8Array): IpAddress {
  if (bytes.length === 4) return bytes.join('.') as IpAddress;
  if (bytes.length !== 16) throw new AddressError(`an address has 4 or 16 octets, not ${bytes.length}`);
  const groups = Array.from({ length: 8 }, (_, i) => (bytes[2 * i]! << 8) | bytes[2 * i + 1]!);
  // RFC 5952 4.2: the longest run of two or more zero groups is shortened, the first one on a tie.
  let start = -1;
  let length = 1;
  for (let i = 0; i < 8; i++) {
    let run = 0;
    while (i + run < 8 && groups[i + run] === 0) run++;
    if (run > length) {
      start = i;
      length = run;
    }
    i += run;
  }
  const hex = (part: number[]): string => part.map((group) => group.toString(16)).join(':');
  if (start < 0) return hex(groups) as IpAddress;
  return `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}` as IpAddress;
}

/** Canonical text -> 4 or 16 octets. */
export function addressBytes(address: IpAddress): Uint8Array {
  const bytes = parseBytes(address);
  if (bytes === undefined) throw new AddressError(`${address} is not an IP address`);
  return bytes;
}

/** Any accepted spelling -> canonical text; `undefined` if it is no address. */
export function parseAddress(text: string): IpAddress | undefined {
  const bytes = parseBytes(text);
  return bytes === undefined ? undefined : addressFromBytes(bytes);
}

/** Like `parseAddress`, for literals that must be right: throws `AddressError`. */
export function address(text: string): IpAddress {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new AddressError(`${text} is not an IP address`);
  return parsed;
}

/** Whether an address can be that of exactly one other host. */
export function isUnicast(address: IpAddress): boolean {
  const octets = addressBytes(address);
  const [first] = octets;
  if (octets.length === 4) return first !== 0 && first! < 224;
  return first !== 0xff && octets.some((octet) => octet !== 0);
}

/** RFC 1122 3.2.1.3, RFC 4291 2.5.3: it leads to nobody but ourselves. */
export function isLoopback(address: IpAddress): boolean {
  return address === '::1' || (!isIpv6(address) && address.startsWith('127.'));
}

const zero = 0x30;
const dot = 0x2e;

/** Digit by digit, because addresses are read for every message. */
function parseIpv4(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(4);
  let index = 0;
  let digits = 0;
  let value = 0;
  for (let i = 0; i <= text.length; i++) {
    const code = i === text.length ? dot : text.charCodeAt(i);
    if (code === dot) {
      if (digits === 0 || index === 4) return undefined;
      bytes[index++] = value;
      digits = 0;
      value = 0;
      continue;
    }
    const digit = code - zero;
    // A leading zero would be octal to some readers: refused, as inet_pton does.
    if (digit < 0 || digit > 9 || (digits > 0 && value === 0)) return undefined;
    value = value * 10 + digit;
    digits++;
    if (value > 255) return undefined;
  }
  return index === 4 ? bytes : undefined;
}

function parseBytes(text: string): Uint8Array | undefined {
  if (!text.includes(':')) return parseIpv4(text);
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const groups = halves.map((half, i) => parseGroups(half, i === halves.length - 1));
  const [head, tail] = groups;
  if (head === undefined) return undefined;
  const bytes = new Uint8Array(16);
  if (halves.length === 1) {
    if (head.length !== 16) return undefined;
    bytes.set(head);
    return bytes;
  }
  if (tail === undefined || head.length + tail.length > 14) return undefined;
  bytes.set(head);
  bytes.set(tail, 16 - tail.length);
  return bytes;
}

/** @param last only the end of an address may be written like one of IPv4 (RFC 4291 2.2) */
function parseGroups(half: string, last: boolean): number[] | undefined {
  if (half === '') return [];
  const bytes: number[] = [];
  const groups = half.split(':');
  for (const [i, group] of groups.entries()) {
    if (last && i === groups.length - 1 && group.includes('.')) {
      const embedded = parseIpv4(group);
      if (embedded === undefined) return undefined;
      bytes.push(...embedded);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
      const value = Number.parseInt(group, 16);
      bytes.push(value >>> 8, value & 0xff);
    }
  }
  return bytes;
}

/** `192.0.2.0/24`, or an address alone for a block of one. `undefined` if it is neither. */
export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.indexOf('/');
  const parsed = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (parsed === undefined) return undefined;
  const bits = isIpv6(parsed) ? 128 : 32;
  if (slash < 0) return { address: parsed, length: bits };
  const length = text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(length) || Number(length) > bits) return undefined;
  return { address: parsed, length: Number(length) };
}

/** The first and the last address of a block; bits beyond the length in `address` are ignored. */
export function prefixRange(prefix: Prefix): { readonly start: IpAddress; readonly end: IpAddress } {
  const start = addressBytes(prefix.address);
  const end = start.slice();
  for (let i = 0; i < start.length; i++) {
    const bits = Math.min(8, Math.max(0, prefix.length - 8 * i));
    const mask = (0xff00 >>> bits) & 0xff;
    start[i] = start[i]! & mask;
    end[i] = end[i]! | (~mask & 0xff);
  }
  return { start: addressFromBytes(start), end: addressFromBytes(end) };
}

/** The smallest block that holds a whole range. */
export function coveringPrefix(start: IpAddress, end: IpAddress): Prefix {
  const first = addressBytes(start);
  const last = addressBytes(end);
  const different = first.findIndex((octet, i) => octet !== last[i]);
  const length =
    different < 0 ? first.length * 8 : different * 8 + Math.clz32(first[different]! ^ last[different]!) - 24;
  return { address: prefixRange({ address: start, length }).start, length };
}

/** The fewest blocks that make up a range, in order. */
export function prefixesOfRange(start: IpAddress, end: IpAddress): Prefix[] {
  const toNumber = (address: IpAddress): bigint =>
    addressBytes(address).reduce((value, octet) => (value << 8n) | BigInt(octet), 0n);
  const bits = isIpv6(start) ? 128 : 32;
  const fromNumber = (value: bigint): IpAddress => {
    const bytes = new Uint8Array(bits / 8);
    for (let i = bytes.length - 1, rest = value; i >= 0; i--, rest >>= 8n) bytes[i] = Number(rest & 0xffn);
    return addressFromBytes(bytes);
  };
  const prefixes: Prefix[] = [];
  const last = toNumber(end);
  for (let next = toNumber(start); next <= last; ) {
    let hostBits = 0;
    // As large as the alignment of the first address and the end of the range allow.
    while (hostBits < bits) {
      const size = 1n << BigInt(hostBits + 1);
      if (next % size !== 0n || next + size - 1n > last) break;
      hostBits++;
    }
    prefixes.push({ address: fromNumber(next), length: bits - hostBits });
    next += 1n << BigInt(hostBits);
  }
  return prefixes;
}

/** Order of the octets: negative, zero or positive. Addresses of different families must not be compared. */
export function compareAddresses(a: IpAddress, b: IpAddress): number {
  if (a === b) return 0;
  const left = addressBytes(a);
  const right = addressBytes(b);
  for (let i = 0; i < left.length; i++) {
    const difference = left[i]! - right[i]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

/** `192.0.2.1:500`, `[2001:db8::1]:500`. */
export function formatEndpoint(endpoint: Endpoint): string {
  return isIpv6(endpoint.address)
    ? `[${endpoint.address}]:${endpoint.port}`
    : `${endpoint.address}:${endpoint.port}`;
}
