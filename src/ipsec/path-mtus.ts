// What is known of the paths to our peers: how large packets may be there, as ICMP errors say that are about packets of ours
// (RFC 4301 8.2, RFC 1191, RFC 8201).
import { type DataPlaneEvent, type IpAddress, isIpv6, type SaProtocol } from '#sa';
import { ahBytes } from './ah/layout.ts';
import { payloadBytesMax } from './esp/layout.ts';
import type { Sad } from './sad.ts';
import type { OutboundSa } from './security-association.ts';

/** No path is believed to carry less: of IPv6 none does (RFC 8200 5), and of IPv4 what does may cut packets. */
const smallestBytes = { 4: 576, 6: 1280 } as const;
/** Then a larger packet is tried again (RFC 1191 6.3, RFC 8201 4, RFC 4301 8.2.2). */
const believedMs = 600_000;
/** Of an SA. What was sent before may be known to anybody by now who once saw it. */
const sentLatelyPackets = 2 ** 18;

/** Word that a packet was too large: an ICMP error, as far as its quote goes. */
export interface TooBig {
  /** Who says so; absent: this host, of its own device. */
  readonly from?: IpAddress | undefined;
  readonly remote: IpAddress;
  readonly protocol: SaProtocol;
  readonly spi?: number | undefined;
  /** Its lower 32 bits. */
  readonly sequence?: number | undefined;
  /** Octets of the packet that fits, or 0: routers from before RFC 1191 do not say. */
  readonly mtuBytes: number;
}

/** Of a path to a peer. */
export interface KnownPath {
  /** Octets of the outer IP packet, if less than any path is thought to carry. */
  readonly pathMtuBytes?: number | undefined;
  /** Packets are smaller than a path has to carry, or nobody can say how large they may be. */
  readonly fragmentable: boolean;
}

/**
 * A path only gets smaller, by the word of whoever quotes SPI and sequence number of a packet sent lately: he has seen it, and
 * could as well have thrown it away. Of whoever quotes less, which anybody can make up, no size is believed: all that comes of it
 * is that packets of IPv4 may be cut on their way.
 */
export class PathMtus {
  readonly #sad: Sad;
  readonly #unknownBytes: number;
  /** In the order in which they are to be forgotten. */
  readonly #paths = new Map<IpAddress, KnownPath & { readonly until: number }>();

  /** @param unknownBytes of paths of which nothing is known */
  constructor(sad: Sad, unknownBytes: number) {
    this.#sad = sad;
    this.#unknownBytes = unknownBytes;
  }

  /** @returns the SA of which the error is, if it changes what is known of the path; false: no SA here could have sent it */
  hear(error: TooBig, at: number): OutboundSa | boolean {
    const { from, remote, protocol, spi, sequence, mtuBytes } = error;
    if (from === undefined) {
      const [sa] = this.#sad.toward(remote);
      return sa === undefined ? false : !this.#note(remote, pathOf(remote, mtuBytes), at) || sa;
    }
    if (spi === undefined || sequence === undefined) {
      const [sa] = this.#sad.toward(remote);
      if (sa === undefined) return false;
      return isIpv6(remote) || !this.#note(remote, { fragmentable: true }, at) || sa;
    }
    const sa = this.#sad.findOutbound(protocol, spi, remote);
    if (sa === undefined) return false;
    if (!wasSentLately(sa, sequence)) return true;
    return !this.#note(remote, pathOf(remote, mtuBytes), at) || sa;
  }

  /** What somebody else has learned, who may be believed. Like everything else, it is only believed if the path gets smaller. */
  learn(remote: IpAddress, path: KnownPath, at: number): void {
    if (this.#sad.toward(remote).size > 0) this.#note(remote, path, at);
  }

  /** Whether it is news. */
  #note(remote: IpAddress, path: KnownPath, at: number): boolean {
    const known = this.#paths.get(remote);
    const before = known?.pathMtuBytes ?? this.#unknownBytes;
    const smaller = path.pathMtuBytes !== undefined && path.pathMtuBytes < before;
    if (!smaller && (!path.fragmentable || known?.fragmentable === true)) return false;
    const next = {
      pathMtuBytes: smaller ? path.pathMtuBytes : known?.pathMtuBytes,
      fragmentable: path.fragmentable || known?.fragmentable === true,
      until: at + believedMs,
    };
    this.#paths.delete(remote);
    this.#paths.set(remote, next);
    for (const sa of this.#sad.toward(remote)) use(sa, next);
    return true;
  }

  /** An SA is new, or leads to another address. */
  follow(sa: OutboundSa): void {
    use(sa, this.#paths.get(sa.remote.address));
  }

  expire(at: number): void {
    for (const [remote, { until }] of this.#paths) {
      if (until > at) return;
      this.#paths.delete(remote);
      for (const sa of this.#sad.toward(remote)) use(sa, undefined);
    }
  }

  /** Monotonic milliseconds at which `expire` has something to do; infinite if never. */
  deadline(): number {
    for (const { until } of this.#paths.values()) return until;
    return Number.POSITIVE_INFINITY;
  }
}

function pathOf(remote: IpAddress, mtuBytes: number): KnownPath {
  const smallest = smallestBytes[isIpv6(remote) ? 6 : 4];
  if (mtuBytes === 0) return { fragmentable: true };
  return { pathMtuBytes: Math.max(smallest, mtuBytes), fragmentable: mtuBytes < smallest };
}

function use(sa: OutboundSa, path: KnownPath | undefined): void {
  sa.pathMtuBytes = path?.pathMtuBytes;
  sa.fragmentable = path?.fragmentable ?? false;
}

/** Numbers that a sequence counter of 32 bits has not come to are far behind it, too. */
function wasSentLately({ sequence: { high, low } }: OutboundSa, sequence: number): boolean {
  if (high === 0 && (sequence === 0 || sequence > low)) return false;
  return (low - sequence) >>> 0 < sentLatelyPackets;
}

/** What became known of the path of an SA. @param from who said so; absent: this host */
export function pathMtuEvent(sa: OutboundSa, from: IpAddress | undefined): DataPlaneEvent {
  const { protocol, spi, childId } = sa.parameters;
  const { pathMtuBytes, fragmentable } = sa;
  return {
    kind: 'path-mtu',
    ...{ protocol, spi, childId, fragmentable },
    remote: sa.remote.address,
    ...(from === undefined ? {} : { from }),
    ...(pathMtuBytes === undefined ? {} : { pathMtuBytes, innerMtuBytes: innerMtuBytes(sa, pathMtuBytes) }),
  };
}

/** The largest packet that the SA carries in one of so many octets. */
function innerMtuBytes(sa: OutboundSa, pathMtuBytes: number): number {
  const { mode, protocol } = sa.parameters;
  const outer = sa.outerHeaderBytes;
  if (protocol === 'ah') {
    const added = ahBytes(sa.cipher.icvBytes, isIpv6(sa.remote.address) ? 6 : 4);
    return pathMtuBytes - added - (mode === 'tunnel' ? outer : 0);
  }
  const header = mode === 'tunnel' ? 0 : isIpv6(sa.innerRemote) ? 40 : 20;
  return payloadBytesMax(sa.cipher, pathMtuBytes - outer) + header;
}
