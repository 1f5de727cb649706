// Packets to a peer have to be smaller than before: said to whoever reads logs, counts, or asks why large packets were lost.
import { type DataPlaneEvent, type Endpoint, formatSpi } from '#sa';
import type { EngineState } from './engine-state.ts';
import { pathMtuText } from './events/path-mtu-text.ts';
import { hipName } from './hip/hip-recovery.ts';

type PathMtu = Extract<DataPlaneEvent, { kind: 'path-mtu' }>;

export function pathMtuChanged(state: EngineState, event: PathMtu): void {
  const { spi, childId, fragmentable, pathMtuBytes, innerMtuBytes } = event;
  const remote = pathEnd(event.remote);
  const entry = state.registry.byChild(childId);
  const association = state.hip?.statusToward(event.remote).find((one) => one.childId === childId);
  const connection =
    entry?.sa.connection.name ?? (association === undefined ? undefined : hipName(association));
  const about = {
    ...(event.from === undefined ? {} : { from: event.from }),
    ...(connection === undefined ? {} : { connection }),
    ...(entry === undefined ? {} : { ikeId: entry.ikeId }),
    ...(pathMtuBytes === undefined ? {} : { pathMtuBytes }),
    ...(innerMtuBytes === undefined ? {} : { innerMtuBytes }),
  };
  state.event({ kind: 'path-mtu', remote, spi, fragmentable, ...about });
  state.recovery.incidents.add({
    atMs: state.wallClockMs,
    spis: [spi],
    remote,
    what: 'hint',
    reason: 'path-mtu',
    detail: `${pathMtuText(about)} (SPI ${formatSpi(spi)})`,
    ...(connection === undefined ? {} : { connection }),
  });
}

function pathEnd(address: Endpoint['address']): Endpoint {
  return { address, port: 0 };
}
