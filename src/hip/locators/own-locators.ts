// Our own addresses as peers are told of them (RFC 8046 3.2.1, 5.2, RFC 8047 4.2.1, 4.2.3, 4.2.8, 5.1).
import { addressBytes, type IpAddress, type Spi, sameFamily } from '#sa';
import { type HipParameterOf, type Locator, LocatorType, TrafficType } from '#wire';
import type { HipAssociation, Standing } from '../association.ts';
import type { HipHostState } from '../host-state.ts';
import type { HipPath } from '../interface.ts';
import { sendUpdate } from '../update/send-update.ts';

const lifetimeSecondsMax = 0xffff_fffe;

/** RFC 8046 6.4: no others than the operator has named, if he has named any; and of these, those that we have. */
export function announcedAddresses(state: HipHostState): readonly IpAddress[] {
  return state.configuration.addresses.filter((one) => isOurs(state, one));
}

/** Until we are told which we have, we have all. */
export function isOurs({ ownAddresses }: HipHostState, address: IpAddress): boolean {
  return ownAddresses === undefined || ownAddresses.has(address);
}

/** From where something can be sent to an address, the likeliest first; of the other family, too (RFC 8047 4.2.9). */
export function sourcesFor(state: HipHostState, { local }: HipPath, remote: IpAddress): IpAddress[] {
  const announced = announcedAddresses(state);
  const all = announced.length > 0 ? announced : [local.address];
  const shared = (one: IpAddress): number => sharedBits(addressBytes(one), addressBytes(remote));
  return all.filter((one) => sameFamily(one, remote)).toSorted((one, other) => shared(other) - shared(one));
}

/** Whether we may send by the way by which something came: the packet may have found us where we are no more. */
export function isOpen(state: HipHostState, inUse: HipPath, { local, remote }: HipPath): boolean {
  return sourcesFor(state, inUse, remote.address).includes(local.address);
}

/** RFC 6724 5, rule 8. */
function sharedBits(one: Uint8Array, other: Uint8Array): number {
  const at = one.findIndex((octet, index) => octet !== other[index]);
  return at < 0 ? 8 * one.length : 8 * at + Math.clz32(one[at]! ^ other[at]!) - 24;
}

function locatorSet(
  state: HipHostState,
  { local }: HipPath,
  spi: Spi,
): { readonly set: HipParameterOf<'LOCATOR_SET'>; readonly count: number } {
  const announced = announcedAddresses(state);
  // RFC 8046 5.2: all that are in use, of which this is one.
  const further = announced.length === 0 || isOurs(state, local.address) ? [local.address] : [];
  const addresses = [...new Set([...announced, ...further])];
  const lifetimeSeconds = Math.max(
    1,
    Math.min(lifetimeSecondsMax, Math.round(state.configuration.locatorLifetimeMs / 1_000)),
  );
  const locators = addresses.map(
    (one): Locator => ({
      trafficType: TrafficType.BOTH,
      preferred: one === local.address,
      lifetimeSeconds,
      locatorType: LocatorType.ESP_SPI_ADDRESS,
      spi,
      address: addressBytes(one),
    }),
  );
  return { set: { type: 'LOCATOR_SET', locators }, count: locators.length };
}

/**
 * For I2 and R2: nothing, if the peer knows our only address anyhow. An R1 never has it: it goes to strangers, and is large
 * enough without.
 */
export function locatorsInExchange(
  state: HipHostState,
  path: HipPath,
  spi: Spi,
): readonly HipParameterOf<'LOCATOR_SET'>[] {
  const { set, count } = locatorSet(state, path, spi);
  return count > 1 ? [set] : [];
}

/** The peer is to be told again before it forgets: half of the lifetime is left for that. */
export function refreshAt({ configuration, at }: HipHostState): number {
  return at + configuration.locatorLifetimeMs / 2;
}

/** Tells a peer where we are, now or as soon as it has acknowledged what is on its way. */
export function announce(state: HipHostState, association: HipAssociation, standing: Standing): void {
  const { updates, pair, keys } = standing;
  if (updates.outstanding !== undefined) {
    updates.wanted.add('move');
    return;
  }
  standing.announceAt = refreshAt(state);
  sendUpdate(state, association, standing, {
    purpose: 'move',
    parameters: [
      // RFC 8046 3.2.1: old and new SPI are the same, the SAs stay as they are.
      { type: 'ESP_INFO', keymatIndex: keys.nextIndex, oldSpi: pair.inboundSpi, newSpi: pair.inboundSpi },
      locatorSet(state, association.path, pair.inboundSpi).set,
    ],
  });
}
