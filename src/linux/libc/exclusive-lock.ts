// A lock on an open file or folder that ends with the process, however that ends (flock(2)).
import { attempt } from './libc.ts';

const lockExclusive = 2;
const lockNonBlocking = 4;

/** False if somebody else holds it. It is held until `fd` is closed, and not passed on to programs that are started. */
export function lockExclusively(fd: number): boolean {
  return attempt('flock', fd, lockExclusive | lockNonBlocking) === 0;
}
