// Keying daemons of other makers on this host: what SPIs they hold cannot be read.
import { readdir, readFile, readlink } from 'node:fs/promises';

/** As the kernel names their processes, which is at most 15 characters long. */
const keyingDaemons: ReadonlySet<string> = new Set([
  ...['charon', 'charon-systemd', 'charon-nm', 'charon-cmd', 'charon-tkm'],
  ...['pluto', 'iked', 'racoon', 'hipd', 'hipfw'],
]);

export interface ForeignDaemon {
  readonly pid: number;
  readonly name: string;
}

/** Those in our network namespace: only they receive what we receive. Processes that end meanwhile are left out. */
export async function foreignDaemons(): Promise<readonly ForeignDaemon[]> {
  const ours = await readlink('/proc/self/ns/net');
  const found: ForeignDaemon[] = [];
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const name = await readFile(`/proc/${entry}/comm`, 'utf8').then(
      (text) => text.trimEnd(),
      () => '',
    );
    if (!keyingDaemons.has(name)) continue;
    // Where it is can be hidden from us. Then it is here, as far as we know.
    const theirs = await readlink(`/proc/${entry}/ns/net`).catch((error: NodeJS.ErrnoException) =>
      error.code === 'EACCES' || error.code === 'EPERM' ? ours : '',
    );
    if (theirs === ours) found.push({ pid: Number(entry), name });
  }
  return found;
}
