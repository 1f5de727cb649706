// What became known of the size of packets on a path, for people.
import type { DataPlaneEvent } from '#sa';

type PathMtu = Extract<DataPlaneEvent, { kind: 'path-mtu' }>;

/** What the path carries, who says so, and what is left of it for packets inside. */
export function pathMtuText({
  from,
  pathMtuBytes,
  innerMtuBytes,
}: Pick<PathMtu, 'from' | 'pathMtuBytes' | 'innerMtuBytes'>): string {
  const who = from === undefined ? 'our own device' : from;
  if (pathMtuBytes === undefined)
    return `${who} says that packets are too large, and not how large they may be: they may be cut on their way`;
  // The kernel carries packets, and tells their senders itself.
  if (innerMtuBytes === undefined)
    return `the kernel has learned that the path carries ${pathMtuBytes} octets`;
  return `${who} says that the path carries ${pathMtuBytes} octets: packets inside may have ${innerMtuBytes}`;
}
