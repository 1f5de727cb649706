// What it means that a socket for datagrams could not be received from.
import { isWouldBlock, SystemCallError } from '../libc/errno.ts';

/**
 * What one call passes over: ICMP errors about what was sent earlier, each of which is told once and says nothing about what waits.
 * Whoever floods us with them must not keep the call from coming back. What waits behind them is told of again.
 */
export const passedOverMax = 64;

/** Of a descriptor or memory that is not what it should be: it would be the same the next time. */
const lasting: ReadonlySet<string> = new Set(['EBADF', 'EFAULT', 'EINVAL', 'ENOTSOCK', 'ENOTCONN']);

/**
 * Whether nothing waits. If not, the next call may have something.
 * @throws SystemCallError if no later call will
 */
export function isNothingWaiting(call: string, errno: number): boolean {
  if (isWouldBlock(errno)) return true;
  const error = new SystemCallError(call, errno);
  if (lasting.has(error.code)) throw error;
  return false;
}
