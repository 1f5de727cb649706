// What a HIP packet says in the clear, as far as it was captured (RFC 7401 5.1, 5.2.1, RFC 7402 5.1.1, RFC 8004 4.2, RFC 8046 4).
import { addressFromBytes, type IpAddress } from '#sa';
import { HipParameterType, LocatorType, Reader, readU16, readU32 } from '#wire';

const parametersMax = 64;
/** Of one parameter: a story has no room for more. */
const addressesMax = 8;
const addressBytes = 16;

export interface HipHeader {
  readonly type: number;
  readonly senderHit: string;
  readonly receiverHit: string;
  /** Of ESP_INFO: 0 for none. */
  oldSpi?: number;
  newSpi?: number;
  /** FROM: where the packet came from before a rendezvous server passed it on. */
  from?: IpAddress;
  /** VIA_RVS: the servers that it went through. */
  via?: readonly IpAddress[];
  /** NOTIFICATION: of what kind. */
  notifyType?: number;
  /** LOCATOR_SET: where the sender can be reached, with an asterisk at what it prefers. */
  locators?: readonly string[];
}

/** @throws WireError if there is no header */
export function readHip(octets: Uint8Array): HipHeader {
  const reader = new Reader(octets);
  reader.skip(1, 'HIP.nextHeader');
  const length = 8 * (reader.u8('HIP.length') + 1);
  const type = reader.u8('HIP.packetType') & 0x7f;
  reader.skip(5, 'HIP.version');
  const senderHit = hit(reader.bytes(16, 'HIP.sender'));
  const receiverHit = hit(reader.bytes(16, 'HIP.receiver'));
  const header: HipHeader = { type, senderHit, receiverHit };
  const end = Math.min(length, octets.length);
  // RFC 7401 5.2.1: type, length without padding, contents, all in units of 8 octets.
  for (let at = 40, seen = 0; at + 4 <= end && seen < parametersMax; seen++) {
    const contentsEnd = at + 4 + readU16(octets, at + 2);
    if (contentsEnd <= end) readParameter(header, readU16(octets, at), octets.subarray(at + 4, contentsEnd));
    at = at + ((contentsEnd - at + 7) & ~7);
  }
  return header;
}

function readParameter(header: HipHeader, type: number, contents: Uint8Array): void {
  switch (type) {
    case HipParameterType.ESP_INFO:
      if (header.newSpi !== undefined || contents.length < 12) return;
      header.oldSpi = readU32(contents, 4);
      header.newSpi = readU32(contents, 8);
      return;
    case HipParameterType.FROM:
      header.from ??= addressesOf(contents)[0]!;
      return;
    case HipParameterType.VIA_RVS:
      header.via ??= addressesOf(contents);
      return;
    case HipParameterType.NOTIFICATION:
      if (contents.length >= 4) header.notifyType ??= readU16(contents, 2);
      return;
    case HipParameterType.LOCATOR_SET:
      header.locators ??= locatorsOf(contents);
  }
}

function addressesOf(contents: Uint8Array): IpAddress[] {
  const addresses: IpAddress[] = [];
  for (
    let at = 0;
    at + addressBytes <= contents.length && addresses.length < addressesMax;
    at += addressBytes
  )
    addresses.push(addressAt(contents, at));
  return addresses;
}

/** RFC 8046 4: traffic type, locator type, length in words, the preferred bit, a lifetime; perhaps an SPI; the address. */
function locatorsOf(contents: Uint8Array): string[] {
  const locators: string[] = [];
  for (let at = 0; at + 8 <= contents.length && locators.length < addressesMax; ) {
    const locatorType = contents[at + 1];
    const bytes = 4 * contents[at + 2]!;
    const addressAtEnd = at + 8 + bytes - addressBytes;
    const known = locatorType === LocatorType.ADDRESS || locatorType === LocatorType.ESP_SPI_ADDRESS;
    if (known && bytes >= addressBytes && addressAtEnd + addressBytes <= contents.length) {
      const preferred = (contents[at + 3]! & 1) !== 0;
      locators.push(`${addressAt(contents, addressAtEnd)}${preferred ? '*' : ''}`);
    }
    at += 8 + bytes;
  }
  return locators;
}

/** IPv4 stands in IPv6 (RFC 4291 2.5.5.2). */
function addressAt(octets: Uint8Array, at: number): IpAddress {
  const address = octets.subarray(at, at + addressBytes);
  const mapped = address.subarray(0, 10).every((octet) => octet === 0) && readU16(address, 10) === 0xffff;
  return addressFromBytes(mapped ? address.subarray(12) : address);
}

function hit(octets: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, i) => readU16(octets, 2 * i).toString(16));
  return groups.join(':');
}
