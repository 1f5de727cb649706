// Several packet threads, and what else is configured that keeps packets away from all of them but one.
import type { HipConfiguration } from '#engine';
import type { Findings } from '../error.ts';
import type { Settings } from '../options/check.ts';

const option = 'packet_threads';

/**
 * @param settings of the section `wayward`
 * @param hip absent: this host has no Host Identity
 */
export function checkPacketThreads(
  settings: Settings | undefined,
  hip: HipConfiguration | undefined,
  findings: Findings,
): void {
  const threads = settings?.required(option, 'count') ?? 1;
  if (settings === undefined || threads === 1) return;
  const position = settings.position(option);
  if (hip !== undefined)
    findings.error(
      'conflict',
      position,
      `${option} = ${threads} and a Host Identity: HIP's traffic goes by one thread`,
    );
  if (settings.required('data_plane', 'choice') === 'kernel')
    findings.warn(
      position,
      `${option} = ${threads} has no effect: with data_plane = kernel, packets are the kernel's`,
    );
}
