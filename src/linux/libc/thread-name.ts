// What a thread is called by tools that show threads: `top -H`, `ps -L`, /proc/PID/task/*/comm.
import { writeFileSync } from 'node:fs';

/** Names the calling thread. @param name of 15 octets at most */
export function nameThread(name: string): void {
  try {
    writeFileSync('/proc/thread-self/comm', name);
  } catch {
    // Without /proc nobody sees it.
  }
}
