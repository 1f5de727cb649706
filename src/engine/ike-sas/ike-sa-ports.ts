// What an IKE SA asks its host for: randomness, numbers, credentials, addresses.
import type { IkeSaPorts } from '#ike';
import { type IkeSpi, zeroIkeSpi } from '#wire';
import type { EngineState } from '../engine-state.ts';
import { guessPort } from '../guesses/guess-port.ts';
import { ticketPort } from '../resumption/resumption.ts';
import { poolAttributes } from '../virtual-addresses/pool-attributes.ts';
import { type IkeLine, peerKey } from './ike-sa-registry.ts';

/** For an IKE SA and all that rekeyings make of it: they share what they were made with. */
export function portsFor(state: EngineState, line: IkeLine): IkeSaPorts {
  return {
    randomness: state.randomness,
    allocateSpi: (like) => state.allocateSpi(like),
    releaseSpi: (spi) => state.spis.release(spi),
    allocateIkeSpi: () => allocateIkeSpi(state),
    allocateChildId: () => state.allocateChildId(),
    checkpoints: state.checkpoint.enabled,
    credentials: () => state.configuration.credentials,
    wallClockMs: () => state.wallClockMs,
    notifiesFor: (spis) => state.tokenNotifies(state.registry.byId(line.ikeId)?.sa.connection, spis),
    tickets: ticketPort(state, line.ikeId),
    guesses: guessPort(state, line),
    ownAddresses: (connection) => state.addressesFor(connection),
    connectionsFor: (peer) => state.connections.fitting(peer),
    leaseAddresses: ({ pools, identity, user, requested }) => {
      const lease = state.pools.lease(pools, peerKey(identity, user), requested);
      const entry = state.registry.byId(line.ikeId);
      if (entry !== undefined) entry.peerVirtualAddresses = lease?.addresses ?? [];
      return lease === undefined ? undefined : { ...lease, attributes: poolAttributes(lease) };
    },
    releaseAddresses: (lease) => state.pools.release(lease.addresses),
  };
}

function allocateIkeSpi({ spis, registry }: EngineState): IkeSpi {
  for (;;) {
    const spi = spis.drawIkeSpi();
    if (spi !== zeroIkeSpi && !registry.hasSpi(spi)) return spi;
  }
}
