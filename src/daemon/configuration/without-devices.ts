// What of a configuration has no effect because the data plane turned out to be this process.
import type { EngineConfiguration } from '#engine';

/** One line for each child that wants to be offloaded to a network device. `auto` gets what there is. */
export function withoutDevices({ connections }: Pick<EngineConfiguration, 'connections'>): string[] {
  return connections.flatMap(({ name, children }) =>
    children.flatMap(({ name: child, hardwareOffload = 'auto' }) =>
      hardwareOffload === 'auto'
        ? []
        : [
            `${name}.${child}: hw_offload = ${hardwareOffload} has no effect: devices are the kernel's, and this process protects packets`,
          ],
    ),
  );
}
