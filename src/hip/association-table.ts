// The associations of a host, by what packets, hints and commands say of them: none of these may cost a look at all.
import { addTo, type IpAddress, removeFrom } from '#sa';
import type { Hit } from '#wire';
import { associationKey, type HipAssociation } from './association.ts';
import type { HipPath } from './interface.ts';

export class AssociationTable {
  readonly #byKey = new Map<string, HipAssociation>();
  readonly #byPeer = new Map<Hit, Set<HipAssociation>>();
  readonly #byAddress = new Map<IpAddress, Set<HipAssociation>>();
  #strangers = 0;

  /** How many there are with hosts that the configuration did not have. */
  get strangers(): number {
    return this.#strangers;
  }

  all(): Iterable<HipAssociation> {
    return this.#byKey.values();
  }

  /** @param key see `associationKey` */
  at(key: string): HipAssociation | undefined {
    return this.#byKey.get(key);
  }

  find(local: Hit, remote: Hit): HipAssociation | undefined {
    return this.#byKey.get(associationKey(local, remote));
  }

  /** One for each of our identities, at most. */
  withPeer(remote: Hit): Iterable<HipAssociation> {
    return this.#byPeer.get(remote) ?? [];
  }

  /** Those whose packets go to this address. */
  toward(address: IpAddress): Iterable<HipAssociation> {
    return this.#byAddress.get(address) ?? [];
  }

  add(association: HipAssociation): void {
    const { remote, path } = association;
    this.#byKey.set(keyOf(association), association);
    if (association.peerName === undefined) this.#strangers++;
    addTo(this.#byPeer, remote, association);
    addTo(this.#byAddress, path.remote.address, association);
  }

  delete(association: HipAssociation): void {
    const { remote, path } = association;
    if (this.#byKey.delete(keyOf(association)) && association.peerName === undefined) this.#strangers--;
    removeFrom(this.#byPeer, remote, association);
    removeFrom(this.#byAddress, path.remote.address, association);
  }

  /** It goes on by another way. */
  move(association: HipAssociation, path: HipPath): void {
    removeFrom(this.#byAddress, association.path.remote.address, association);
    association.path = path;
    addTo(this.#byAddress, path.remote.address, association);
  }
}

function keyOf({ local, remote }: HipAssociation): string {
  return associationKey(local.identity.hit, remote);
}
