// Whether this kernel can be the data plane.
import { Encr, firstSpi, type IpAddress, type SaParameters, type Spi } from '#sa';
import { SystemCallError } from '../libc/errno.ts';
import { kernelState, stateId } from './states/kernel-state.ts';
import { XfrmSocket } from './xfrm-socket.ts';

/** `detail` is what an operator should read about it. */
export type KernelEsp = { readonly ok: true } | { readonly ok: false; readonly detail: string };

const nobody = '192.0.2.1' as IpAddress;

/** An SA to an address that is nobody's (RFC 5737). */
const probe: SaParameters = {
  direction: 'outbound',
  protocol: 'esp',
  spi: (firstSpi + 0x57_61) as Spi,
  mode: 'tunnel',
  local: '127.0.0.1' as IpAddress,
  remote: nobody,
  encryption: { id: Encr.AES_GCM_16, keyLengthBits: 128, key: new Uint8Array(20) },
  esn: false,
  replayWindow: 0,
  selectors: { local: [], remote: [] },
  lifetimes: {},
  childId: 0,
  generation: 0,
  copyDscp: 'out',
  copyDf: true,
};

/** Tries: a kernel may know XFRM's messages and still have no ESP. What is made goes at once. */
export function kernelEsp(): KernelEsp {
  let socket: XfrmSocket | undefined;
  try {
    socket = new XfrmSocket();
    const state = kernelState(probe, 0, 0)!;
    const id = stateId(probe);
    try {
      socket.request({ kind: 'new-sa', ...state });
    } catch (error) {
      // A process that was killed in this very moment, or one that does the same now.
      if (!(error instanceof SystemCallError && error.code === 'EEXIST')) throw error;
    }
    socket.requestIfThere({ kind: 'delete-sa', id, attributes: {} });
    return { ok: true };
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    return { ok: false, detail: error.message };
  } finally {
    socket?.close();
  }
}
