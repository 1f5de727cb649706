// When a process has bound its sockets, seen from outside: the kernel's list of UDP sockets in its namespace.
import { readFileSync, readlinkSync, statSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

const askAgainMs = 2;
const ports = [500, 4500];

function isBound(pid: number, namespace: string): boolean {
  try {
    // Until `ip netns exec` is through, the process still sees the sockets of another namespace.
    if (readlinkSync(`/proc/${pid}/ns/net`) !== `net:[${statSync(`/run/netns/${namespace}`).ino}]`)
      return false;
    const table = readFileSync(`/proc/${pid}/net/udp`, 'latin1');
    return ports.every((port) =>
      new RegExp(`^ *\\d+: [0-9A-F]{8}:${port.toString(16).toUpperCase().padStart(4, '0')} `, 'm').test(
        table,
      ),
    );
  } catch {
    return false;
  }
}

/** When both IKE ports were bound, on the clock of `performance.now()`. @throws Error after `timeoutMs` */
export async function boundSockets(
  pid: () => number | undefined,
  namespace: string,
  timeoutMs: number,
): Promise<number> {
  const until = performance.now() + timeoutMs;
  for (;;) {
    const known = pid();
    if (known !== undefined && isBound(known, namespace)) return performance.now();
    if (performance.now() > until) throw new Error(`no sockets are bound within ${timeoutMs} ms`);
    await pause(askAgainMs);
  }
}
