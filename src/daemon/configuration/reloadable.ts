// What a reload changes at once, and what has to wait.
import type { LoadedConfiguration } from '#config';
import type { EngineConfiguration } from '#engine';

/** What of a new configuration a running daemon takes, and the options that wait for its next start. */
export function reloadable(
  running: LoadedConfiguration,
  next: LoadedConfiguration,
): { readonly configuration: EngineConfiguration; readonly waiting: readonly string[] } {
  const { ports } = running.configuration;
  const waiting = [
    ...(next.configuration.ports.ike === ports.ike ? [] : ['port']),
    ...(next.configuration.ports.natTraversal === ports.natTraversal ? [] : ['port_nat_t']),
    ...(next.host.tunName === running.host.tunName ? [] : ['tun_name']),
    ...(next.host.dataPlane === running.host.dataPlane ? [] : ['data_plane']),
    ...(next.host.recordKeyPath === running.host.recordKeyPath ? [] : ['record_key']),
    ...(JSON.stringify(next.host.http) === JSON.stringify(running.host.http) ? [] : ['http']),
    ...(next.host.logFormat === running.host.logFormat ? [] : ['log_format']),
    ...(next.host.tunMtuBytes === running.host.tunMtuBytes ? [] : ['tun_mtu']),
    ...(next.host.packetThreads === running.host.packetThreads ? [] : ['packet_threads']),
    ...(JSON.stringify(next.host.checkpoint) === JSON.stringify(running.host.checkpoint)
      ? []
      : ['checkpoint']),
  ];
  return { configuration: { ...next.configuration, ports }, waiting };
}
