// What an operator should read when the machine refuses something that a daemon needs.
import { PacketThreadError, SystemCallError } from '#linux';
import { DataPlaneError } from './data-plane-choice.ts';
import { ControlSocketError } from './endpoints/private-socket.ts';
import { RecordKeyError } from './state/record-key.ts';

/** `undefined`: nothing that an operator could do something about. */
export function refusalText(error: unknown): string | undefined {
  if (error instanceof PacketThreadError || error instanceof SystemCallError) {
    if (error.code === 'EADDRINUSE') return `${error.message}: is another IKE daemon running?`;
    if (error.code === 'EBUSY') return `${error.message}: is another wayward running?`;
    if (error.code === 'EPERM' || error.code === 'EACCES') {
      return `${error.message}: wayward needs root, or CAP_NET_ADMIN, CAP_NET_RAW and CAP_NET_BIND_SERVICE`;
    }
    if (error.code === 'ENOENT' || error.code === 'ENXIO' || error.code === 'ENODEV') {
      return `${error.message}: the tun driver is missing (modprobe tun)`;
    }
    return error.message;
  }
  if (
    error instanceof ControlSocketError ||
    error instanceof RecordKeyError ||
    error instanceof DataPlaneError
  ) {
    return error.message;
  }
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.message;
  return undefined;
}
