// Traffic selector text: `10.0.0.0/24[tcp/80]`, `dynamic[udp]`, `10.1.0.1-10.1.0.9`.

import type { ChildSelector } from '#engine';
import { parsePrefix, prefixRange } from '#sa';
import { parseRange } from './address.ts';
import { BadValue } from './bad-value.ts';

/** IANA protocol numbers by the names that operating systems' tables give them. */
const protocols: ReadonlyMap<string, number> = new Map(
  Object.entries({
    icmp: 1,
    igmp: 2,
    ipencap: 4,
    tcp: 6,
    udp: 17,
    ipv6: 41,
    gre: 47,
    esp: 50,
    ah: 51,
    'ipv6-icmp': 58,
    icmpv6: 58,
    ospf: 89,
    ipip: 94,
    pim: 103,
    vrrp: 112,
    l2tp: 115,
    sctp: 132,
    'mobility-header': 135,
    udplite: 136,
  }),
);

/** Service names that stand in for ports; others are written as numbers. */
const services: ReadonlyMap<string, number> = new Map(
  Object.entries({
    ftp: 21,
    ssh: 22,
    telnet: 23,
    smtp: 25,
    domain: 53,
    tftp: 69,
    http: 80,
    kerberos: 88,
    ntp: 123,
    snmp: 161,
    bgp: 179,
    ldap: 389,
    https: 443,
    isakmp: 500,
    syslog: 514,
    ldaps: 636,
    l2tp: 1701,
    radius: 1812,
  }),
);

const accepted =
  'a block such as 10.0.0.0/24, a range first-last or dynamic, and perhaps [protocol/port] such as [tcp/80]';

export function parseSelector(text: string): ChildSelector {
  const match = /^([^[\]]+)(?:\[([^[\]]*)\])?$/.exec(text);
  if (match === null) throw new BadValue(accepted);
  const where = match[1]!.trim();
  const what = parseProtocolAndPorts(match[2]);
  if (where === 'dynamic') return { dynamic: true, ...what };
  const prefix = parsePrefix(where);
  const range = prefix === undefined ? parseRange(where) : prefixRange(prefix);
  if (range === undefined) throw new BadValue(accepted);
  return { ...what, ...range };
}

interface ProtocolAndPorts {
  readonly protocol: number;
  readonly startPort: number;
  readonly endPort: number;
}

function parseProtocolAndPorts(text: string | undefined): ProtocolAndPorts {
  if (text === undefined || text === '') return { protocol: 0, startPort: 0, endPort: 65535 };
  const [name, ports, more] = text.split('/');
  if (more !== undefined) throw new BadValue(accepted);
  const protocol = parseProtocol(name!.trim().toLowerCase());
  if (ports === undefined) return { protocol, startPort: 0, endPort: 65535 };
  const range = parsePorts(ports.trim().toLowerCase());
  if (protocol !== 1 && protocol !== 58) return { protocol, ...range };
  // For ICMP a small number is a type with all of its codes, a larger one type << 8 | code (RFC 7296 3.13.1).
  if (range.startPort > range.endPort) return { protocol, ...range };
  return {
    protocol,
    startPort: range.startPort < 256 ? range.startPort << 8 : range.startPort,
    endPort: range.endPort < 256 ? (range.endPort << 8) | 0xff : range.endPort,
  };
}

function parseProtocol(name: string): number {
  if (name === '' || name === 'any') return 0;
  const protocol = /^\d{1,3}$/.test(name) ? Number(name) : protocols.get(name);
  if (protocol === undefined || protocol > 255) {
    throw new BadValue(`a protocol number or one of ${[...protocols.keys()].join(', ')} in brackets`);
  }
  return protocol;
}

/** OPAQUE is start 65535, end 0 (RFC 7296 3.13.1). */
function parsePorts(text: string): { startPort: number; endPort: number } {
  if (text === '' || text === 'any') return { startPort: 0, endPort: 65535 };
  if (text === 'opaque') return { startPort: 65535, endPort: 0 };
  const service = services.get(text);
  if (service !== undefined) return { startPort: service, endPort: service };
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  const startPort = match === null ? Number.NaN : Number(match[1]);
  const endPort = match?.[2] === undefined ? startPort : Number(match[2]);
  if (!(startPort <= endPort && endPort <= 65535)) {
    throw new BadValue('a port, a range first-last or opaque behind the protocol');
  }
  return { startPort, endPort };
}
