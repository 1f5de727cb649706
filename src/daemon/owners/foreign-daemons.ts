// Keying daemons of other makers on this host: what SPIs they hold cannot be read.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** As the kernel names their processes, which is at most 15 characters long. */
const keyingDaemons: ReadonlySet<string> = new Set([
  ...['charon', 'charon-systemd', 'charon-nm', 'charon-cmd', 'charon-tkm'],
  ...['pluto', 'iked', 'racoon', 'hipd', 'hipfw'],
]);

export interface ForeignDaemon {
  readonly pid: number;
  readonly name: string;
}

/**
 * Those in our network namespace: only they receive what we receive. Processes that end meanwhile are left out. Files of
 * /proc are in memory: to wait for them one by one would take longer than to read them all.
 */
export function foreignDaemons(): readonly ForeignDaemon[] {
  const ours = readlinkSync('/proc/self/ns/net');
  const found: ForeignDaemon[] = [];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const name = processName(entry);
    if (keyingDaemons.has(name) && (networkOf(entry) ?? ours) === ours)
      found.push({ pid: Number(entry), name });
  }
  return found;
}

function processName(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd();
  } catch {
    return '';
  }
}

/** `undefined`: it is hidden from us. Then it is here, as far as we know. */
function networkOf(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'EACCES' || code === 'EPERM' ? undefined : '';
  }
}
