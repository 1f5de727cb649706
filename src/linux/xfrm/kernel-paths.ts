// How large packets to our peers may be where the kernel is the data plane: it learns that by itself (RFC 1191, RFC 8201) and tells
// nobody, so that it is asked.
import { addressBytes, type DataPlaneEvent, type IpAddress } from '#sa';
import { decodeNextHop, encodeRouteQuestion, RTM_GETROUTE } from '#wire';
import { NETLINK_ROUTE } from '../libc/constants.ts';
import { SystemCallError } from '../libc/errno.ts';
import { NetlinkSocket } from '../netlink/netlink-socket.ts';
import type { KernelSa } from './states/kernel-sa.ts';

const intervalMs = 2_000;
/** At a time. With more it takes longer until each has had its turn. */
const peersMax = 64;
/** The kernel's own packets, as ESP is, leave without a mark. */
const mark = 0;

type PathSa = Pick<KernelSa, 'protocol' | 'spi' | 'childId' | 'direction' | 'remote' | 'ended'>;

export class KernelPaths {
  readonly #socket: NetlinkSocket = new NetlinkSocket(NETLINK_ROUTE);
  readonly #unknownBytes: number;
  /** What was told of each path. */
  readonly #told = new Map<IpAddress, number>();
  /** Whose turn it is next. */
  #waiting: PathSa[] = [];
  dueAt = 0;

  /** @param unknownBytes of paths of which nothing is known */
  constructor(unknownBytes: number) {
    this.#unknownBytes = unknownBytes;
  }

  /** Paths that carry less than was known before. @param sas among which those that send say which peers there are */
  look(at: number, sas: () => Iterable<PathSa>): DataPlaneEvent[] {
    this.dueAt = at + intervalMs;
    if (this.#waiting.length === 0) this.#begin(sas());
    const events: DataPlaneEvent[] = [];
    for (const { protocol, spi, childId, remote } of this.#waiting.splice(0, peersMax)) {
      const { address } = remote;
      const pathMtuBytes = this.#ask(address);
      const before = this.#told.get(address) ?? this.#unknownBytes;
      if (pathMtuBytes === undefined) this.#told.delete(address);
      else this.#told.set(address, pathMtuBytes);
      if (pathMtuBytes === undefined || pathMtuBytes >= before) continue;
      events.push({
        ...{ kind: 'path-mtu', protocol, spi, childId, remote: address },
        ...{ fragmentable: false, pathMtuBytes },
      });
    }
    return events;
  }

  /** One SA for each peer. */
  #begin(sas: Iterable<PathSa>): void {
    const byPeer = new Map<IpAddress, PathSa>();
    for (const sa of sas) if (sa.direction === 'outbound' && !sa.ended) byPeer.set(sa.remote.address, sa);
    for (const address of this.#told.keys()) if (!byPeer.has(address)) this.#told.delete(address);
    this.#waiting = [...byPeer.values()];
  }

  /** Undefined: as much as the device, or there is no way there. */
  #ask(address: IpAddress): number | undefined {
    try {
      const [answer] = this.#socket.request(`way to ${address}`, {
        ...{ type: RTM_GETROUTE, flags: 0 },
        payload: encodeRouteQuestion(addressBytes(address), mark),
      });
      return answer === undefined ? undefined : decodeNextHop(answer.payload).mtuBytes;
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error;
      return undefined;
    }
  }

  close(): void {
    this.#socket.close();
  }
}
