// What the packets of an SPI carry, told by their inner headers once they are opened.
import { addressFromBytes } from '#sa';
import { decodeIp, IpProtocol, WireError } from '#wire';
import type { EspContent } from './esp-opener.ts';

/** Kinds of inner packets that are counted one by one. */
const kindsMax = 32;
const kindsTold = 4;

const names: Readonly<Record<number, string>> = {
  [IpProtocol.ICMP]: 'icmp',
  [IpProtocol.TCP]: 'tcp',
  [IpProtocol.UDP]: 'udp',
  [IpProtocol.ICMPV6]: 'ipv6-icmp',
  [IpProtocol.SCTP]: 'sctp',
};

export class InnerTraffic {
  readonly #counts = new Map<string, number>();
  #others = 0;

  see(content: EspContent): void {
    const kind = kindOf(content);
    const known = this.#counts.get(kind);
    if (known !== undefined || this.#counts.size < kindsMax) this.#counts.set(kind, (known ?? 0) + 1);
    else this.#others++;
  }

  /** The most frequent kinds, with their numbers. */
  told(): string[] {
    const sorted = [...this.#counts].toSorted(([, a], [, b]) => b - a);
    const rest = sorted.slice(kindsTold).reduce((sum, [, count]) => sum + count, this.#others);
    return [
      ...sorted.slice(0, kindsTold).map(([kind, count]) => `${kind} (${count})`),
      ...(rest > 0 ? [`others (${rest})`] : []),
    ];
  }
}

function protocolName(protocol: number): string {
  return names[protocol] ?? `protocol ${protocol}`;
}

function kindOf({ nextHeader, text }: EspContent): string {
  // RFC 4303 2.6: dummy packets hide how much is sent.
  if (nextHeader === IpProtocol.NO_NEXT_HEADER) return 'dummy packets';
  if (nextHeader !== IpProtocol.IPV4 && nextHeader !== IpProtocol.IPV6) return protocolName(nextHeader);
  try {
    const { source, destination, protocol } = decodeIp(text, { partial: true, verifyChecksum: false });
    return `${addressFromBytes(source)} > ${addressFromBytes(destination)} ${protocolName(protocol)}`;
  } catch (error) {
    if (error instanceof WireError) return 'what is no IP packet';
    throw error;
  }
}
