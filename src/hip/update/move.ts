// A host that is somewhere else now, and what its peer does before it believes so (RFC 8046 3.2, 3.3, 5).
import { addressBytes, addressFromBytes, type Endpoint, type IpAddress, sameFamily } from '#sa';
import { type HipParameter, type HipParameterOf, LocatorType, TrafficType } from '#wire';
import type { HipAssociation, Standing } from '../association.ts';
import type { HipHostState } from '../host-state.ts';
import { isUnicast } from '../unicast.ts';
import { sendUpdate } from './send-update.ts';

const echoBytes = 16;
/** How long a peer may use the address; it is told anew when it changes. */
const locatorLifetimeSeconds = 3600;

/** Tells the peers of an address that we are at another one. */
export function move(state: HipHostState, from: IpAddress, to: IpAddress): void {
  for (const association of state.associations.values()) {
    const { path, standing } = association;
    if (path.local.address !== from || !sameFamily(to, path.remote.address)) continue;
    const before = path;
    association.path = { ...path, local: { address: to, port: path.local.port } };
    const { attempt } = association;
    if (attempt !== undefined) association.attempt = { ...attempt, path: association.path };
    if (standing === undefined) continue;
    updateAddresses(state, association, standing);
    state.emit({
      kind: 'moved',
      context: association.context,
      from: before.local,
      to: association.path.local,
    });
    if (standing.updates.outstanding !== undefined) {
      // Whatever waits for an answer may wait for one that goes to the old address.
      standing.updates.wanted.add('move');
      standing.updates.outstanding = {
        ...standing.updates.outstanding,
        path: association.path,
        nextAt: state.at,
      };
    } else announceAddress(state, association, standing);
  }
}

export function announceAddress(state: HipHostState, association: HipAssociation, standing: Standing): void {
  const { pair } = standing;
  const locator = {
    trafficType: TrafficType.BOTH,
    preferred: true,
    lifetimeSeconds: locatorLifetimeSeconds,
    locatorType: LocatorType.ESP_SPI_ADDRESS,
    spi: pair.inboundSpi,
    address: addressBytes(association.path.local.address),
  };
  sendUpdate(state, association, standing, {
    purpose: 'move',
    parameters: [
      // RFC 8046 3.2.1: old and new SPI are the same, the SAs stay as they are.
      {
        type: 'ESP_INFO',
        keymatIndex: standing.keys.nextIndex,
        oldSpi: pair.inboundSpi,
        newSpi: pair.inboundSpi,
      },
      { type: 'LOCATOR_SET', locators: [locator] },
    ],
  });
}

/** The address that a peer wants to be reached at, if it is another one than before. */
export function newAddress(
  { path }: HipAssociation,
  locatorSet: HipParameterOf<'LOCATOR_SET'>,
): Endpoint | undefined {
  for (const locator of locatorSet.locators) {
    if (!locator.preferred || locator.trafficType === TrafficType.SIGNALING || !('address' in locator))
      continue;
    const address = addressFromBytes(locator.address);
    if (!sameFamily(address, path.local.address) || !isUnicast(locator.address)) continue;
    if (address === path.remote.address) return undefined;
    return { address, port: path.remote.port };
  }
  return undefined;
}

/** The request to the new address; with it go the acknowledgement of the peer's UPDATE and the answers to it. */
export function verifyAddress(
  state: HipHostState,
  association: HipAssociation,
  standing: Standing,
  remote: Endpoint,
  acknowledges?: readonly number[],
  answers: readonly HipParameter[] = [],
): Uint8Array {
  const { pair, keys } = standing;
  const parameters: HipParameter[] = [
    { type: 'ESP_INFO', keymatIndex: keys.nextIndex, oldSpi: pair.inboundSpi, newSpi: pair.inboundSpi },
    ...answers,
  ];
  return sendUpdate(state, association, standing, {
    purpose: 'verify-address',
    parameters,
    ...(acknowledges !== undefined && { acknowledges }),
    echo: state.ports.randomness.bytes(echoBytes),
    path: { local: association.path.local, remote },
  });
}

/** The peer has answered from there. */
export function adoptAddress(
  state: HipHostState,
  association: HipAssociation,
  standing: Standing,
  remote: Endpoint,
): void {
  const from = association.path.remote;
  association.path = { local: association.path.local, remote };
  updateAddresses(state, association, standing);
  state.emit({ kind: 'moved', context: association.context, from, to: remote });
}

function updateAddresses(state: HipHostState, { path }: HipAssociation, standing: Standing): void {
  const { local, remote } = path;
  for (const pair of [standing.former?.pair, standing.pair, standing.updates.rekeying?.prepared?.pair]) {
    if (pair === undefined) continue;
    for (const direction of ['inbound', 'outbound'] as const) {
      state.command({
        kind: 'update-addresses',
        protocol: 'esp',
        direction,
        spi: direction === 'inbound' ? pair.inboundSpi : pair.outboundSpi,
        childId: standing.childId,
        local,
        remote,
        encapsulated: remote.port !== 0,
      });
    }
  }
}
