// Failed system calls as one typed error.
import { constants } from 'node:os';

const names = new Map<number, string>(Object.entries(constants.errno).map(([name, value]) => [value, name]));
// Node does not name all of Linux's: of these, the first says that a TUN device is gone, the next two come of ICMP.
for (const [errno, name] of [
  [77, 'EBADFD'],
  [64, 'ENONET'],
  [112, 'EHOSTDOWN'],
  [94, 'ESOCKTNOSUPPORT'],
] as const)
  names.set(errno, name);

/** A system call failed; `code` is the errno's name, for example `EADDRINUSE`. */
export class SystemCallError extends Error {
  readonly code: string;
  readonly errno: number;
  readonly call: string;
  readonly detail: string | undefined;

  constructor(call: string, errno: number, detail?: string) {
    const code = names.get(errno) ?? `errno ${errno}`;
    super(`${call}: ${code}${detail === undefined ? '' : ` (${detail})`}`);
    this.name = 'SystemCallError';
    this.code = code;
    this.errno = errno;
    this.call = call;
    this.detail = detail;
  }
}

/** Errnos that mean "not now". */
export function isWouldBlock(errno: number): boolean {
  return errno === constants.errno.EAGAIN || errno === constants.errno.EINTR;
}

/** What the kernel makes of ICMP (icmp_err_convert, and what there is for IPv6), whoever sends it. */
const ofEarlierSends: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENONET',
  'EOPNOTSUPP',
  'ENOPROTOOPT',
  'EPROTO',
  'EACCES',
  'EMSGSIZE',
]);

/** Errnos by which a socket that asks for ICMP errors tells, once, of what became of an earlier datagram. */
export function isOfEarlierSend(errno: number): boolean {
  return ofEarlierSends.has(names.get(errno) ?? '');
}
