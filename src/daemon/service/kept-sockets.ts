// Sockets that systemd keeps while no process of ours is there (sd_notify(3), FDSTORE): the kernel goes on taking ESP out of them, and IKE waits.
import { closeDescriptor, DatagramSocket, monotonicMs, SystemCallError } from '#linux';
import { address, type IpAddress } from '#sa';
import { hipUdpPort } from '#wire';

/** Environment variables by which systemd says which file descriptors it gives back (sd_listen_fds(3)). */
export interface KeptEnvironment {
  /** The process that they are meant for. */
  readonly LISTEN_PID?: string | undefined;
  readonly LISTEN_FDS?: string | undefined;
  readonly LISTEN_FDNAMES?: string | undefined;
}

const firstDescriptor = 3;

/** By name, what a process before us has left. Programs that we start do not get it: Node sees to that. */
export function keptDescriptors({
  LISTEN_PID: pid,
  LISTEN_FDS: count,
  LISTEN_FDNAMES: names = '',
}: KeptEnvironment): Map<string, number> {
  const kept = new Map<string, number>();
  if (pid !== String(process.pid)) return kept;
  const listed = names.split(':');
  for (let i = 0; i < Number(count); i++) {
    const fd = firstDescriptor + i;
    const name = listed[i] ?? '';
    // Nobody gives two the same name but somebody else.
    if (name === '' || kept.has(name)) closeDescriptor(fd);
    else kept.set(name, fd);
  }
  return kept;
}

/** Names of the sockets of a data plane that a process after this one is to have, in their order. */
export function socketNames(
  addresses: readonly string[],
  ports: { readonly ike: number; readonly natTraversal: number; readonly hip?: boolean },
): string[] {
  const names = (ofEach: readonly number[]): string[] =>
    addresses.flatMap((one) => ofEach.map((port) => `${one.includes(':') ? 'ipv6' : 'ipv4'}-udp-${port}`));
  return [...names([ports.ike, ports.natTraversal]), ...names(ports.hip === true ? [hipUdpPort] : [])];
}

/** What `socketNames` says of a socket. */
const socketName = /^ipv([46])-udp-(\d+)$/;
const freeMsMax = 1_000;
const askAgainMs = 10;

/** Waits until nobody has the ports of sockets with these names, not longer than a second for all of them. */
export function waitUntilFree(names: Iterable<string>): void {
  const until = monotonicMs() + freeMsMax;
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (const name of names) {
    const [, family, port] = socketName.exec(name) ?? [];
    if (port === undefined) continue;
    const own = address(family === '6' ? '::' : '0.0.0.0');
    while (isTaken(own, Number(port)) && monotonicMs() < until) Atomics.wait(pause, 0, 0, askAgainMs);
  }
}

function isTaken(own: IpAddress, port: number): boolean {
  try {
    new DatagramSocket(own, { kind: 'udp', port }).close();
    return false;
  } catch (error) {
    // Whatever else is in the way is told by who needs the port.
    return error instanceof SystemCallError && error.code === 'EADDRINUSE';
  }
}
