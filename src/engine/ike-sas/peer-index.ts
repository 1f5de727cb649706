// IKE SAs by what a stranger can name: the address of a peer and the SPIs by which we send to it. Nobody may make a host look at
// all that it has for a packet that is under no keys.
import type { IkeSa } from '#ike';
import { addTo, type IpAddress, removeFrom } from '#sa';

interface Indexed {
  readonly sa: Pick<IkeSa, 'remote' | 'outboundSpis'>;
}

interface Place {
  readonly address: IpAddress;
  readonly spis: readonly number[];
}

export class PeerIndex<Entry extends Indexed> {
  readonly #byAddress = new Map<IpAddress, Set<Entry>>();
  readonly #byOutboundSpi = new Map<number, Set<Entry>>();
  /** Where each is to be found. */
  readonly #places = new Map<Entry, Place>();

  /** How many there are under an address, and under an SPI. */
  get sizes(): { readonly addresses: number; readonly spis: number } {
    return { addresses: this.#byAddress.size, spis: this.#byOutboundSpi.size };
  }

  /** In the order in which they came to this address. */
  withPeer(address: IpAddress): Iterable<Entry> {
    return this.#byAddress.get(address) ?? [];
  }

  /** Those with a Child SA that has this outbound SPI. Each peer chooses its own, so that there may be several. */
  sendingBy(spi: number): Iterable<Entry> {
    return this.#byOutboundSpi.get(spi) ?? [];
  }

  /** Called after whatever may have moved it or changed its Child SAs. */
  follow(entry: Entry): void {
    const { outboundSpis, remote } = entry.sa;
    const place = this.#places.get(entry);
    if (place !== undefined && place.address === remote.address && areSame(place.spis, outboundSpis)) return;
    this.#take(entry, place);
    addTo(this.#byAddress, remote.address, entry);
    for (const spi of outboundSpis) addTo(this.#byOutboundSpi, spi, entry);
    this.#places.set(entry, { address: remote.address, spis: outboundSpis });
  }

  remove(entry: Entry): void {
    this.#take(entry, this.#places.get(entry));
    this.#places.delete(entry);
  }

  #take(entry: Entry, place: Place | undefined): void {
    if (place === undefined) return;
    removeFrom(this.#byAddress, place.address, entry);
    for (const spi of place.spis) removeFrom(this.#byOutboundSpi, spi, entry);
  }
}

function areSame(some: readonly number[], others: readonly number[]): boolean {
  return some.length === others.length && some.every((spi, i) => spi === others[i]);
}
