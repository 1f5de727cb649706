// Whether the kernel's SPD can be tested here.
import { XfrmSocket } from '../xfrm-socket.ts';

/** Why not; `false` if it can. */
export function missingForXfrm(): string | false {
  if (process.getuid?.() !== 0) return 'needs root for network namespaces';
  try {
    new XfrmSocket().close();
    return false;
  } catch (error) {
    return `this kernel has no XFRM: ${(error as Error).message}`;
  }
}
