// The addresses that a host has beside the one in use, as MOBIKE tells them (RFC 4555 3.4, 3.6, 4.2.2, 4.2.3).
import { addressBytes, addressFromBytes, type IpAddress, isIpv6, isUnicast } from '#sa';
import { type NotifyPayload, NotifyType, type Payload } from '#wire';
import { notify } from './notify.ts';

/** A peer may tell of as many as it likes; so many are remembered. */
export const additionalAddressesMax = 8;

/** The complete list: there is no adding to it (3.6). */
export function additionalAddressNotifies(addresses: readonly IpAddress[]): NotifyPayload[] {
  if (addresses.length === 0) return [notify(NotifyType.NO_ADDITIONAL_ADDRESSES)];
  return addresses
    .slice(0, additionalAddressesMax)
    .map((address) =>
      notify(
        isIpv6(address) ? NotifyType.ADDITIONAL_IP6_ADDRESS : NotifyType.ADDITIONAL_IP4_ADDRESS,
        addressBytes(address),
      ),
    );
}

/** `undefined`: the message says nothing about addresses. What is no address of one host is passed over. */
export function additionalAddresses(payloads: readonly Payload[]): readonly IpAddress[] | undefined {
  let told = false;
  const addresses = new Set<IpAddress>();
  for (const payload of payloads) {
    if (payload.type !== 'N') continue;
    const { notifyType, data } = payload;
    const length = lengths.get(notifyType);
    if (length === undefined) continue;
    told = true;
    if (length === 0 || data.length !== length || addresses.size === additionalAddressesMax) continue;
    const address = addressFromBytes(data);
    if (isUnicast(address)) addresses.add(address);
  }
  return told ? [...addresses] : undefined;
}

const lengths: ReadonlyMap<number, number> = new Map([
  [NotifyType.NO_ADDITIONAL_ADDRESSES, 0],
  [NotifyType.ADDITIONAL_IP4_ADDRESS, 4],
  [NotifyType.ADDITIONAL_IP6_ADDRESS, 16],
]);
