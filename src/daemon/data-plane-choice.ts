// Which data plane this host gets, by its configuration and by what its kernel can do.
import type { LoadedConfiguration } from '#config';
import type { EngineConfiguration } from '#engine';
import { kernelEsp } from '#linux';

/** The data plane that was asked for cannot be had. */
export class DataPlaneError extends Error {
  override readonly name = 'DataPlaneError';
  readonly code = 'data-plane' as const;
}

export function hasHostIdentity({ configuration: { hip } }: LoadedConfiguration): boolean {
  return hip !== undefined && hip.identities.length > 0;
}

/**
 * Which data plane this host gets. With HIP it is ours unless the kernel is asked for: LSIs and credit are ours alone.
 * @throws DataPlaneError if it is to be the kernel and that cannot
 */
export function planeOf(loaded: LoadedConfiguration): 'kernel' | 'userspace' {
  const { dataPlane } = loaded.host;
  if (dataPlane === 'userspace' || (dataPlane === 'auto' && hasHostIdentity(loaded))) return 'userspace';
  const kernel = kernelEsp();
  if (kernel.ok) return 'kernel';
  if (dataPlane === 'auto') return 'userspace';
  throw new DataPlaneError(`wayward.data_plane = kernel: this kernel has no ESP for us: ${kernel.detail}`);
}

/** Nobody counts what the kernel sends to an address that has not answered. */
export function withoutCredit(configuration: EngineConfiguration): EngineConfiguration {
  const { hip } = configuration;
  return hip === undefined ? configuration : { ...configuration, hip: { ...hip, usesCredit: false } };
}
