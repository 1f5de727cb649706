// What a network device is to do of a child, and which other options leave it nothing to do.
import type { ChildConfiguration } from '#engine';
import type { HardwareOffload } from '#sa';
import type { Settings } from '../options/check.ts';
import type { BuildContext } from './context.ts';

const option = 'hw_offload';

export function buildHardwareOffload(
  settings: Settings,
  { findings, host }: BuildContext,
): ChildConfiguration['hardwareOffload'] {
  const wanted = settings.required(option, 'choice') as HardwareOffload | 'no';
  if (wanted === 'no') return undefined;
  // Whatever else is configured, `auto` gets what there is.
  if (wanted === 'auto') return wanted;
  const position = settings.position(option);
  if (host.withoutKernel) {
    findings.warn(
      position,
      `${option} = ${wanted} has no effect: devices are the kernel's, and data_plane = userspace`,
    );
    return wanted;
  }
  if (settings.value('ah_proposals', 'ah-proposals') !== undefined)
    findings.error('conflict', position, `${option} = ${wanted}: Linux has no device that does AH`);
  if (settings.required('tfc_padding', 'padding') !== 0)
    findings.warn(
      position,
      `${option} = ${wanted} and tfc_padding: Linux offloads no SA that pads, so that the Child SA will fail`,
    );
  return wanted;
}
