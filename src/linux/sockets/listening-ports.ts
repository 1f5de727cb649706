// At which ports applications of this host listen, by IP version: what /proc/net tells.
import { readFileSync } from 'node:fs';
import { monotonicMs } from '../libc/clock.ts';

export type ListeningProtocol = 'tcp' | 'udp';

/** States of sockets that wait for whoever comes: TCP_LISTEN, and UDP sockets without a peer (TCP_CLOSE). */
const waiting: Readonly<Record<ListeningProtocol, string>> = { tcp: '0A', udp: '07' };
/** 127.0.0.1 and ::1, in words of the machine's order. */
const loopback: ReadonlySet<string> = new Set(['0100007F', '00000000000000000000000001000000']);
/** A program that has just begun to listen is seen this late at most. */
const freshMs = 50;

/** @param text of /proc/net/tcp, tcp6, udp or udp6 */
export function listeningPorts(protocol: ListeningProtocol, text: string): ReadonlySet<number> {
  const ports = new Set<number>();
  // Number, local address, remote address, state, and what does not matter here.
  for (const [, address, port, state] of text.matchAll(
    /^ *\d+: ([\dA-F]+):([\dA-F]{4}) \S+ ([\dA-F]{2}) /gm,
  )) {
    if (state === waiting[protocol] && !loopback.has(address!)) ports.add(Number.parseInt(port!, 16));
  }
  return ports;
}

/** Reads no more often than once in a short while, however often it is asked. */
export class ListeningPorts {
  readonly #known = new Map<
    ListeningProtocol,
    { readonly at: number; readonly ipv4: ReadonlySet<number>; readonly ipv6: ReadonlySet<number> }
  >();

  /** A socket of IPv6 may serve both, and then gets the packet as it is. */
  onlyIpv4Listens(protocol: ListeningProtocol, port: number): boolean {
    const at = monotonicMs();
    let known = this.#known.get(protocol);
    if (known === undefined || at - known.at >= freshMs) {
      known = { at, ipv4: this.#read(protocol, protocol), ipv6: this.#read(protocol, `${protocol}6`) };
      this.#known.set(protocol, known);
    }
    return known.ipv4.has(port) && !known.ipv6.has(port);
  }

  #read(protocol: ListeningProtocol, file: string): ReadonlySet<number> {
    try {
      return listeningPorts(protocol, readFileSync(`/proc/net/${file}`, 'latin1'));
    } catch {
      // A kernel without IPv6 has no such file.
      return new Set();
    }
  }
}
