// The Configuration payload: virtual addresses asked for, given and taken (RFC 7296 2.19, 3.15).
import { addressBytes, addressFromBytes, type IpAddress, isIpv6, type Prefix, prefixRange } from '#sa';
import { CfgAttribute, type CfgAttributeValue, CfgType, type CpPayload } from '#wire';
import type { AddressLease } from '../interface.ts';

const empty = new Uint8Array();
const unspecified = { ipv4: '0.0.0.0' as IpAddress, ipv6: '::' as IpAddress };
/** The prefix length beside an IPv6 address: a host, not the link it is on (RFC 7296 3.15.1). */
const hostPrefix = 128;

function attribute(type: number, value: Uint8Array = empty): CfgAttributeValue {
  return { type, value };
}

function addressAttribute(address: IpAddress): CfgAttributeValue {
  const octets = addressBytes(address);
  return isIpv6(address)
    ? attribute(CfgAttribute.INTERNAL_IP6_ADDRESS, Uint8Array.of(...octets, hostPrefix))
    : attribute(CfgAttribute.INTERNAL_IP4_ADDRESS, octets);
}

/** Client: CFG_REQUEST; the unspecified address asks for any of its family. DNS is asked for in each family. */
export function makeConfigurationRequest(virtualAddresses: readonly IpAddress[]): CpPayload {
  const addresses = virtualAddresses.map((address) => {
    if (address === unspecified.ipv4) return attribute(CfgAttribute.INTERNAL_IP4_ADDRESS);
    // RFC 7296 3.15.3
    if (address === unspecified.ipv6) return attribute(CfgAttribute.INTERNAL_IP6_ADDRESS);
    return addressAttribute(address);
  });
  const dns = [];
  if (virtualAddresses.some((address) => !isIpv6(address)))
    dns.push(attribute(CfgAttribute.INTERNAL_IP4_DNS));
  if (virtualAddresses.some(isIpv6)) dns.push(attribute(CfgAttribute.INTERNAL_IP6_DNS));
  return { type: 'CP', cfgType: CfgType.REQUEST, attributes: [...addresses, ...dns] };
}

/** What a client asks for. `requested` holds `0.0.0.0` or `::` where any address will do. */
export interface ConfigurationRequest {
  readonly requested: readonly IpAddress[];
  /** All attribute types of the request, also those we do not know. */
  readonly types: readonly number[];
}

/** Server. `undefined` if the payload is no CFG_REQUEST; attributes of bad length are ignored. */
export function parseConfigurationRequest(payload: CpPayload): ConfigurationRequest | undefined {
  if (payload.cfgType !== CfgType.REQUEST) return undefined;
  const requested = payload.attributes.flatMap(({ type, value }) => {
    if (value.length === 0) {
      if (type === CfgAttribute.INTERNAL_IP4_ADDRESS) return [unspecified.ipv4];
      return type === CfgAttribute.INTERNAL_IP6_ADDRESS ? [unspecified.ipv6] : [];
    }
    return internalAddress(type, value) ?? [];
  });
  return { requested, types: [...new Set(payload.attributes.map(({ type }) => type))] };
}

/** The address of INTERNAL_IP4_ADDRESS and INTERNAL_IP6_ADDRESS; some peers leave the prefix octet out. */
function internalAddress(type: number, value: Uint8Array): IpAddress | undefined {
  if (type === CfgAttribute.INTERNAL_IP4_ADDRESS && value.length === 4) return addressFromBytes(value);
  const known = type === CfgAttribute.INTERNAL_IP6_ADDRESS && (value.length === 17 || value.length === 16);
  return known ? addressFromBytes(value.subarray(0, 16)) : undefined;
}

/** Server: CFG_REPLY with all that the lease holds. */
export function makeConfigurationReply(lease: AddressLease): CpPayload {
  const dns = lease.dns.map((address) =>
    attribute(
      isIpv6(address) ? CfgAttribute.INTERNAL_IP6_DNS : CfgAttribute.INTERNAL_IP4_DNS,
      addressBytes(address),
    ),
  );
  const attributes = [...lease.addresses.map(addressAttribute), ...dns, ...lease.attributes];
  return { type: 'CP', cfgType: CfgType.REPLY, attributes };
}

/** What the server gave us. */
export interface ConfigurationReply {
  readonly addresses: readonly IpAddress[];
  readonly dns: readonly IpAddress[];
  /** Networks behind the server, also the one that an INTERNAL_IP4_NETMASK makes of our address (RFC 7296 3.15.2). */
  readonly subnets: readonly Prefix[];
  /** Attributes not understood above. */
  readonly other: readonly CfgAttributeValue[];
}

/** Client. `undefined` if the payload is no CFG_REPLY. */
export function parseConfigurationReply(payload: CpPayload): ConfigurationReply | undefined {
  if (payload.cfgType !== CfgType.REPLY) return undefined;
  const addresses: IpAddress[] = [];
  const dns: IpAddress[] = [];
  const subnets: Prefix[] = [];
  const other: CfgAttributeValue[] = [];
  let netmask: Uint8Array | undefined;
  for (const one of payload.attributes) {
    const { type, value } = one;
    const internal = internalAddress(type, value);
    const server = dnsServer(type, value);
    const subnet = subnetOf(type, value);
    if (internal !== undefined) addresses.push(internal);
    else if (server !== undefined) dns.push(server);
    else if (subnet !== undefined) subnets.push(subnet);
    else if (type === CfgAttribute.INTERNAL_IP4_NETMASK && value.length === 4) netmask = value;
    else other.push(one);
  }
  const first = addresses.find((address) => !isIpv6(address));
  const link = first && netmask && blockOf(addressBytes(first), netmask);
  return { addresses, dns, subnets: link === undefined ? subnets : [link, ...subnets], other };
}

function dnsServer(type: number, value: Uint8Array): IpAddress | undefined {
  const length = { [CfgAttribute.INTERNAL_IP4_DNS]: 4, [CfgAttribute.INTERNAL_IP6_DNS]: 16 }[type];
  return value.length === length ? addressFromBytes(value) : undefined;
}

function subnetOf(type: number, value: Uint8Array): Prefix | undefined {
  if (type === CfgAttribute.INTERNAL_IP4_SUBNET && value.length === 8) {
    return blockOf(value.subarray(0, 4), value.subarray(4));
  }
  const length = value[16];
  if (type !== CfgAttribute.INTERNAL_IP6_SUBNET || value.length !== 17 || length === undefined)
    return undefined;
  if (length > 128) return undefined;
  return { address: firstOf({ address: addressFromBytes(value.subarray(0, 16)), length }), length };
}

/** `undefined` if the mask has holes. */
function blockOf(octets: Uint8Array, mask: Uint8Array): Prefix | undefined {
  const bits = Array.from(mask, (octet) => octet.toString(2).padStart(8, '0')).join('');
  if (!/^1*0*$/.test(bits)) return undefined;
  const length = bits.lastIndexOf('1') + 1;
  return { address: firstOf({ address: addressFromBytes(octets), length }), length };
}

function firstOf(prefix: Prefix): IpAddress {
  return prefixRange(prefix).start;
}

/** INTERNAL_IP4_SUBNET or INTERNAL_IP6_SUBNET, for the lease of a server (RFC 7296 3.15.1). */
export function subnetAttribute(prefix: Prefix): CfgAttributeValue {
  const octets = addressBytes(firstOf(prefix));
  if (isIpv6(prefix.address)) {
    return attribute(CfgAttribute.INTERNAL_IP6_SUBNET, Uint8Array.of(...octets, prefix.length));
  }
  const mask = Array.from({ length: 4 }, (_, i) => {
    const ones = Math.min(8, Math.max(0, prefix.length - 8 * i));
    return (0xff00 >>> ones) & 0xff;
  });
  return attribute(CfgAttribute.INTERNAL_IP4_SUBNET, Uint8Array.of(...octets, ...mask));
}

/** Answers a CFG_SET by accepting nothing: an empty CFG_ACK (RFC 7296 3.15). */
export function makeConfigurationAck(): CpPayload {
  return { type: 'CP', cfgType: CfgType.ACK, attributes: [] };
}
