// LOCATOR_SET as it comes: which of its locators can be used (RFC 8046 4.1, 4.2, 5.3, RFC 8047 5.1, 5.2).
import { addressFromBytes, type Endpoint, hitFromAddress } from '#sa';
import {
  type HipParameter,
  type HipParameterOf,
  hipParameter,
  type Locator,
  LocatorType,
  TrafficType,
} from '#wire';
import { isReachable } from '../unicast.ts';
import type { ToldLocator } from './peer-locators.ts';

/** RFC 8046 5.1: the greatest value means for good. */
const lifetimeUnbounded = 0xffff_ffff;

/**
 * `undefined`: the packet has no LOCATOR_SET.
 * @param spis of the peer: a locator that belongs to another SA than ours is of no use. In R1 there are none yet.
 * @param source where the packet came from. RFC 8046 5.3: it may be used although it is not listed, behind those that are,
 *   which is what a peer behind a NAT needs, who does not know it.
 */
export function toldLocators(
  parameters: readonly HipParameter[],
  spis: readonly number[],
  source: Endpoint,
): readonly ToldLocator[] | undefined {
  const set = hipParameter(parameters, 'LOCATOR_SET');
  if (set === undefined) return undefined;
  const told = set.locators.flatMap((locator) => usable(locator, spis));
  const [longest] = told.map(({ lifetimeMs }) => lifetimeMs).toSorted((a, b) => b - a);
  if (source.port !== 0 && longest !== undefined && told.every(({ address }) => address !== source.address))
    told.push({ address: source.address, preferred: false, lifetimeMs: longest });
  // None is dropped for want of room that the peer would rather have used.
  return told.toSorted((one, other) => Number(other.preferred) - Number(one.preferred));
}

function usable(locator: Locator, spis: readonly number[]): ToldLocator[] {
  const { trafficType, preferred, lifetimeSeconds } = locator;
  if (trafficType === TrafficType.SIGNALING || !('address' in locator)) return [];
  if (locator.locatorType === LocatorType.ESP_SPI_ADDRESS) {
    if (!('spi' in locator) || !spis.includes(locator.spi)) return [];
  } else if (locator.locatorType !== LocatorType.ADDRESS) return [];
  if (!isReachable(locator.address)) return [];
  const address = addressFromBytes(locator.address);
  // What is sent to a HIT comes back to HIP.
  if (hitFromAddress(address) !== undefined) return [];
  const lifetimeMs =
    lifetimeSeconds === lifetimeUnbounded ? Number.POSITIVE_INFINITY : lifetimeSeconds * 1_000;
  return [{ address, preferred, lifetimeMs }];
}

/** RFC 8046 5.3: the locators that we would have to use and cannot read. */
export function unsupportedLocators({ locators }: HipParameterOf<'LOCATOR_SET'>): readonly Locator[] {
  return locators.filter(({ preferred, locatorType }) => preferred && !supported.has(locatorType));
}

const supported: ReadonlySet<number> = new Set([LocatorType.ADDRESS, LocatorType.ESP_SPI_ADDRESS]);
