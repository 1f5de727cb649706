// Sockets that systemd keeps while no process of ours is there (sd_notify(3), FDSTORE): the kernel goes on taking ESP out of them, and IKE waits.
import { closeDescriptor } from '#linux';

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

/** Names of the sockets of a data plane, in the order in which it opens them. */
export function socketNames(
  addresses: readonly string[],
  { ike, natTraversal }: { readonly ike: number; readonly natTraversal: number },
): string[] {
  return addresses.flatMap((address) =>
    [ike, natTraversal].map((port) => `${address.includes(':') ? 'ipv6' : 'ipv4'}-udp-${port}`),
  );
}
