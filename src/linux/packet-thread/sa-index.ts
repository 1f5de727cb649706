// SAs as commands name them: to be removed by where they lead, to be changed by the pair that they belong to.
import type { IpAddress, SaCommand, SaDirection, SaProtocol, Spi } from '#sa';

export interface IndexedSa {
  readonly protocol: SaProtocol;
  readonly direction: SaDirection;
  readonly spi: Spi;
  readonly childId: number;
  /** Where it leads now. */
  readonly remote: IpAddress;
}

type Named = Omit<IndexedSa, 'childId'>;
type OfPair = Omit<IndexedSa, 'remote'>;
type RemoveCommand = Extract<SaCommand, { kind: 'remove' }>;

/** Follows the commands that a data plane has carried out, so that no two SAs have one name. */
export class SaIndex<Sa extends IndexedSa & { remote: IpAddress }> {
  /** In the order of their installation. */
  readonly #all = new Set<Sa>();
  readonly #byName = new Map<string, Sa>();
  readonly #pairs = new Map<number, Set<Sa>>();

  get size(): number {
    return this.#all.size;
  }

  /** In the order of their installation, wherever they lead now. */
  values(): IterableIterator<Sa> {
    return this.#all.values();
  }

  hasPair(childId: number): boolean {
    return this.#pairs.has(childId);
  }

  /** Those of one pair, oldest first. */
  pair(childId: number): readonly Sa[] {
    return [...(this.#pairs.get(childId) ?? [])];
  }

  add(sa: Sa): void {
    this.#all.add(sa);
    this.#byName.set(nameOf(sa), sa);
    const pair = this.#pairs.get(sa.childId);
    if (pair === undefined) this.#pairs.set(sa.childId, new Set([sa]));
    else pair.add(sa);
  }

  named(name: Named): Sa | undefined {
    return this.#byName.get(nameOf(name));
  }

  /** Wherever it leads. */
  ofPair({ protocol, direction, spi, childId }: OfPair): Sa | undefined {
    for (const sa of this.#pairs.get(childId) ?? [])
      if (sa.spi === spi && sa.direction === direction && sa.protocol === protocol) return sa;
    return undefined;
  }

  move(sa: Sa, remote: IpAddress): void {
    this.#byName.delete(nameOf(sa));
    sa.remote = remote;
    this.#byName.set(nameOf(sa), sa);
  }

  /** The SA that is gone by this. */
  remove(command: RemoveCommand): Sa | undefined {
    const sa = this.named(command);
    if (sa === undefined) return undefined;
    this.#all.delete(sa);
    this.#byName.delete(nameOf(sa));
    const pair = this.#pairs.get(sa.childId);
    pair?.delete(sa);
    if (pair?.size === 0) this.#pairs.delete(sa.childId);
    return sa;
  }

  clear(): void {
    this.#all.clear();
    this.#byName.clear();
    this.#pairs.clear();
  }
}

/** An SPI of the peer's choice names an SA together with the peer's address only (RFC 4301 4.1). */
function nameOf({ protocol, direction, spi, remote }: Named): string {
  return direction === 'inbound' ? `${protocol} inbound ${spi}` : `${protocol} outbound ${spi} ${remote}`;
}
