// A pair of hosts that may move (RFC 4555), and the places to which they go.
import { address, type Endpoint, type IpAddress } from '#sa';
import type { ConnectionConfiguration } from '../configuration.ts';
import { addresses, connection } from './connections.ts';
import type { Host, HostOptions } from './host.ts';
import { Pair } from './pair.ts';

export const elsewhere: IpAddress = address('198.51.100.9');
export const third: IpAddress = address('203.0.113.5');
export const otherGateway: IpAddress = address('192.0.2.22');

type Options = Partial<HostOptions> & { readonly change?: Partial<ConnectionConfiguration> };

export function mobile(options: { readonly moon?: Options; readonly sun?: Options } = {}): Pair {
  const of = (name: 'moon' | 'sun'): Partial<HostOptions> => {
    const { change, ...rest } = options[name] ?? {};
    return { connections: [connection(name, { mobike: true, ...change })], ...rest };
  };
  return new Pair({ moon: of('moon'), sun: of('sun') });
}

/** Where the SAs of a host lead. */
export function tunnels(host: Host): string[] {
  return [...host.installed.values()].map(
    ({ direction, local, remote, encapsulation }) =>
      `${direction} ${local} ${remote}${encapsulation === undefined ? '' : ` udp ${encapsulation.remotePort}`}`,
  );
}

export function between(local: IpAddress, remote: IpAddress): string[] {
  return [`inbound ${local} ${remote}`, `outbound ${local} ${remote}`];
}

export const atHome: readonly string[] = between(addresses.sun, addresses.moon);

export function at(host: IpAddress, port = 4500): Endpoint {
  return { address: host, port };
}
