// How often this host has started, and the window after a restart in which everybody it forgot may call.
import { digest } from '#crypto';

export const bootEpochRecordKey = 'boot-epoch';

/** Starts counted, this one included. */
export interface BootEpoch {
  readonly epoch: number;
  /** To be stored. */
  readonly record: Uint8Array;
}

const checksumBytes = 8;

/** A lost or torn record begins anew: there is nothing to be wrong about but politeness. */
export function nextBootEpoch(stored: Uint8Array | undefined): BootEpoch {
  const epoch = Math.min(0xffff_ffff, (stored === undefined ? 0 : (read(stored) ?? 0)) + 1);
  const body = Uint8Array.of(epoch >>> 24, epoch >>> 16, epoch >>> 8, epoch);
  const record = new Uint8Array(body.length + checksumBytes);
  record.set(body);
  record.set(digest('sha256', body).subarray(0, checksumBytes), body.length);
  return { epoch, record };
}

function read(stored: Uint8Array): number | undefined {
  if (stored.length !== 4 + checksumBytes) return undefined;
  const body = stored.subarray(0, 4);
  const sum = digest('sha256', body);
  if (stored.subarray(4).some((octet, i) => octet !== sum[i])) return undefined;
  return new DataView(stored.buffer, stored.byteOffset, 4).getUint32(0);
}

/** Whether rates are raised now. Who never ran before forgot nobody. */
export function inRebootWindow(
  boot: { readonly epoch: number; readonly startedAt: number },
  at: number,
  windowMs: number,
): boolean {
  return boot.epoch > 1 && at - boot.startedAt < windowMs;
}
