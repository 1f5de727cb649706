// SET_WINDOW_SIZE: what we promise and what the peer promised (RFC 7296 2.3).
import { NotifyType, type Payload } from '#wire';
import type { IkeSaState } from '../../ike-sa-state.ts';
import { findNotify, notify } from '../../payloads/notify.ts';

/** A peer may promise any window; we never use more of it than this. */
const windowSizeMax = 32;

export function windowAnnouncement(state: IkeSaState): Payload[] {
  const size = state.connection.windowSize;
  return size > 1 ? [notify(NotifyType.SET_WINDOW_SIZE, Uint8Array.of(0, 0, size >>> 8, size & 0xff))] : [];
}

export function noteWindowSize(state: IkeSaState, payloads: readonly Payload[]): void {
  const announced = findNotify(payloads, NotifyType.SET_WINDOW_SIZE);
  if (announced === undefined || announced.data.length !== 4) return;
  const { data } = announced;
  const size = new DataView(data.buffer, data.byteOffset, 4).getUint32(0);
  // As many as the configuration allows, at most as many as the peer keeps.
  state.requests.enlarge(Math.min(size, state.connection.windowSize, windowSizeMax));
}
