// What is asked of a network device for an SA (XFRMA_OFFLOAD_DEV), and what the kernel says that it has taken.
import type { HardwareOffload, OffloadKind, SaDirection, SaResult } from '#sa';
import { type XfrmAttributes, XfrmOffloadFlag } from '#wire';
import type { KernelState } from './kernel-state.ts';

/** A device that has taken an SA. */
export interface DeviceOffload {
  readonly kind: OffloadKind;
  readonly interfaceIndex: number;
}

/**
 * The kernel finds the device by the way that packets of the SA take to its peer. The interface that has our address would be another
 * one where that is on the loopback device.
 */
const byRoute = 0;

/**
 * What is tried, in order; undefined is an SA without a device.
 * @param packets whether a device may do all of it, if that is left to us
 */
export function offloadAttempts(
  wanted: HardwareOffload | undefined,
  packets = true,
): readonly (OffloadKind | undefined)[] {
  if (wanted !== 'auto') return [wanted];
  return packets ? ['packet', 'crypto', undefined] : ['crypto', undefined];
}

/** An SA as a device is asked to take it. XFRM_OFFLOAD_IPV6 means nothing to any kernel. */
export function withOffload(
  { state, attributes: { offload: _, ...attributes } }: KernelState,
  direction: SaDirection,
  kind: OffloadKind | undefined,
): KernelState {
  if (kind === undefined) return { state, attributes };
  const flags =
    (direction === 'inbound' ? XfrmOffloadFlag.INBOUND : 0) |
    (kind === 'packet' ? XfrmOffloadFlag.PACKET : 0);
  return { state, attributes: { ...attributes, offload: { interfaceIndex: byRoute, flags } } };
}

/** Of an SA that the kernel tells of. It accepts what a device cannot do, too, and says nothing of one then. */
export function deviceOf({ offload }: XfrmAttributes): DeviceOffload | undefined {
  if (offload === undefined) return undefined;
  const { flags, interfaceIndex } = offload;
  return { kind: (flags & XfrmOffloadFlag.PACKET) === 0 ? 'crypto' : 'packet', interfaceIndex };
}

export function carriedOut(device: DeviceOffload | undefined): SaResult {
  return device === undefined ? { ok: true } : { ok: true, offloaded: device.kind };
}
