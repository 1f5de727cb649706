// Traffic selectors as the kernel has them: prefixes and masks instead of ranges, one address family each.
import {
  addressBytes,
  isIpv6,
  prefixesOfRange,
  type SaSelectors,
  sameFamily,
  selectorOfPacket,
  type TrafficSelector,
} from '#sa';
import { IpProtocol, XfrmFamily, type XfrmSelector } from '#wire';

/** How many kernel policies one pair of lists may become: odd ranges multiply. */
const selectorsMax = 1_024;

/** Ports that are equal under a mask. */
export interface PortBlock {
  readonly port: number;
  readonly mask: number;
}

const anyPort: PortBlock = { port: 0, mask: 0 };

/** The blocks that a range is made of, the largest that fit. */
export function portBlocks(start: number, end: number): PortBlock[] {
  const blocks: PortBlock[] = [];
  for (let next = start; next <= end; ) {
    let size = 1;
    while (size < 0x1_0000 && next % (2 * size) === 0 && next + 2 * size - 1 <= end) size *= 2;
    blocks.push({ port: next, mask: 0xffff & ~(size - 1) });
    next += size;
  }
  return blocks;
}

/** What a selector of the kernel's says about ports, or of ICMP about type and code. */
interface Ports {
  readonly source: PortBlock;
  readonly destination: PortBlock;
}

const isIcmp = (protocol: number): boolean => protocol === IpProtocol.ICMP || protocol === IpProtocol.ICMPV6;

/**
 * Every kernel selector for traffic from one list to the other. A protocol that only one side names counts for both.
 * @throws RangeError if they are too many
 */
export function kernelSelectors(
  source: readonly TrafficSelector[],
  destination: readonly TrafficSelector[],
): XfrmSelector[] {
  const selectors: XfrmSelector[] = [];
  for (const from of source) {
    for (const to of destination) {
      if (!sameFamily(from.start, to.start)) continue;
      if (from.protocol !== 0 && to.protocol !== 0 && from.protocol !== to.protocol) continue;
      const protocol = from.protocol === 0 ? to.protocol : from.protocol;
      for (const ports of portsOf(from, to, protocol)) {
        for (const one of prefixesOfRange(from.start, from.end)) {
          for (const other of prefixesOfRange(to.start, to.end)) {
            if (selectors.length >= selectorsMax) throw new RangeError('too many selectors');
            selectors.push({
              family: isIpv6(from.start) ? XfrmFamily.IPV6 : XfrmFamily.IPV4,
              source: addressBytes(one.address),
              destination: addressBytes(other.address),
              sourcePrefixLength: one.length,
              destinationPrefixLength: other.length,
              sourcePort: ports.source.port,
              sourcePortMask: ports.source.mask,
              destinationPort: ports.destination.port,
              destinationPortMask: ports.destination.mask,
              protocol,
              interfaceIndex: 0,
              user: 0,
            });
          }
        }
      }
    }
  }
  return selectors;
}

function portsOf(from: TrafficSelector, to: TrafficSelector, protocol: number): Ports[] {
  if (isIcmp(protocol)) return icmpPorts(from.startPort === 0 && from.endPort === 65535 ? to : from);
  // OPAQUE (RFC 7296 3.13.1) is only for packets whose ports nobody sees, which the kernel cannot tell from others.
  if (isOpaque(from) || isOpaque(to)) return [{ source: anyPort, destination: anyPort }];
  return portBlocks(from.startPort, from.endPort).flatMap((source) =>
    portBlocks(to.startPort, to.endPort).map((destination) => ({ source, destination })),
  );
}

const isOpaque = ({ startPort, endPort }: TrafficSelector): boolean => startPort === 65535 && endPort === 0;

/** RFC 7296 3.13.1: type and code are one number there; the kernel has the type as source and the code as destination port. */
function icmpPorts({ startPort, endPort }: TrafficSelector): Ports[] {
  if (startPort === 0 && endPort === 65535) return [{ source: anyPort, destination: anyPort }];
  const ports: Ports[] = [];
  for (let type = startPort >>> 8; type <= endPort >>> 8; type++) {
    const first = type === startPort >>> 8 ? startPort & 0xff : 0;
    const last = type === endPort >>> 8 ? endPort & 0xff : 0xff;
    const codes = first === 0 && last === 0xff ? [anyPort] : portBlocks(first, last);
    for (const destination of codes) ports.push({ source: { port: type, mask: 0xffff }, destination });
  }
  return ports;
}

/** What tells policies of one direction apart. */
export function selectorKey(selector: XfrmSelector): string {
  return Object.values(selector).join(' ');
}

/** The traffic selectors of a packet that the kernel wants an SA for, seen from its sender. */
export function acquiredSelectors(selector: XfrmSelector): SaSelectors {
  const { protocol, source, destination, sourcePort, destinationPort } = selector;
  const hasPorts = selector.sourcePortMask !== 0 || selector.destinationPortMask !== 0;
  const icmp = ((sourcePort & 0xff) << 8) | (destinationPort & 0xff);
  const one = (address: Uint8Array, port: number): TrafficSelector => {
    const narrow = selectorOfPacket(protocol, address, isIcmp(protocol) ? icmp : port);
    return hasPorts ? narrow : { ...narrow, startPort: 0, endPort: 65535 };
  };
  return { local: [one(source, sourcePort)], remote: [one(destination, destinationPort)] };
}
