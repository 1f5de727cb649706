// The Security Association Database (RFC 4301 4.4.2, RFC 4303 3.3.1): inbound SAs by SPI, outbound SAs by the pair they belong to.
import type { Endpoint, IpAddress, SaName, SaProtocol } from '#sa';
import { Credit } from './credit.ts';
import type { InboundSa, OutboundSa } from './security-association.ts';
import { SpiTable } from './spi-table.ts';

/** Of the SAs of one pair, while there are any. */
interface SharedCredit {
  readonly credit: Credit;
  users: number;
}

/** The outbound SAs of one pair: during a rekey there are two, of which one sends. */
interface Pair {
  current: OutboundSa;
  readonly all: Set<OutboundSa>;
}

const none: ReadonlySet<OutboundSa> = new Set();

/** An SA of one direction. */
type NameOfPair = Omit<SaName, 'direction'>;

/** The security association database (RFC 4301 4.4.2): SAs by SPI, by pair and by where they lead. */
export class Sad {
  readonly #inbound = { esp: new SpiTable<InboundSa>(), ah: new SpiTable<InboundSa>() };
  readonly #outbound = new Map<string, OutboundSa>();
  readonly #toward = new Map<IpAddress, Set<OutboundSa>>();
  readonly #pairs = new Map<number, Pair>();
  readonly #credits = new Map<number, SharedCredit>();
  readonly #elsewhere = new Set<number>();
  /** Changes whenever another SA could be chosen for a packet. */
  version = 0;

  /** RFC 4301 4.1: a unicast SA is found by SPI and protocol alone. */
  findInbound(protocol: SaProtocol, spi: number): InboundSa | undefined {
    return this.#inbound[protocol].get(spi);
  }

  /** The SA through which a pair's traffic leaves now. */
  currentOutbound(childId: number): OutboundSa | undefined {
    return this.#pairs.get(childId)?.current;
  }

  /** The SA of this pair, wherever its peer is now. */
  find(name: SaName): InboundSa | OutboundSa | undefined {
    return name.direction === 'inbound' ? this.#inboundOf(name) : this.#outboundOf(name);
  }

  /** Whether another SAD has the outbound SAs by which the pair's traffic leaves now, whatever this one has. */
  isSealedElsewhere(childId: number): boolean {
    return this.#elsewhere.has(childId);
  }

  /** False if it was so before. */
  sealElsewhere(childId: number, elsewhere: boolean): boolean {
    if (this.#elsewhere.has(childId) === elsewhere) return false;
    if (elsewhere) this.#elsewhere.add(childId);
    else this.#elsewhere.delete(childId);
    this.version++;
    return true;
  }

  inbound(protocol: SaProtocol): Iterable<InboundSa> {
    return this.#inbound[protocol].values();
  }

  /** The SA by which a packet to this address left, whatever its pair. */
  findOutbound(protocol: SaProtocol, spi: number, remote: IpAddress): OutboundSa | undefined {
    return this.#outbound.get(outboundKey(protocol, spi, remote));
  }

  /** The outbound SAs that lead to an address. */
  toward(remote: IpAddress): ReadonlySet<OutboundSa> {
    return this.#toward.get(remote) ?? none;
  }

  /** Whether no further SA can have this SPI: at its peer's address or in its pair, if it is an outbound one. */
  isTaken(sa: SaName & { readonly remote: IpAddress }): boolean {
    if (sa.direction === 'inbound') return this.findInbound(sa.protocol, sa.spi) !== undefined;
    return (
      this.#outbound.has(outboundKey(sa.protocol, sa.spi, sa.remote)) || this.#outboundOf(sa) !== undefined
    );
  }

  *all(): Iterable<InboundSa | OutboundSa> {
    yield* this.#inbound.esp.values();
    yield* this.#inbound.ah.values();
    yield* this.#outbound.values();
  }

  /** False if the SPI is taken. */
  addInbound(sa: InboundSa, at = 0): boolean {
    if (this.isTaken(sa.parameters)) return false;
    this.#shareCredit(sa, at);
    this.#inbound[sa.parameters.protocol].add(sa.spi, sa);
    this.version++;
    return true;
  }

  /** False if the SPI is taken. The first SA of a pair sends at once, later ones from `useOutbound` on. */
  addOutbound(sa: OutboundSa, at = 0): boolean {
    const { childId } = sa.parameters;
    if (this.isTaken(sa.parameters)) return false;
    this.#shareCredit(sa, at);
    this.#setOutbound(sa);
    const pair = this.#pairs.get(childId);
    if (pair === undefined) this.#pairs.set(childId, { current: sa, all: new Set([sa]) });
    else pair.all.add(sa);
    this.version++;
    return true;
  }

  /** False if the pair has no such SA. */
  useOutbound(name: NameOfPair): boolean {
    const sa = this.#outboundOf(name);
    const pair = this.#pairs.get(name.childId);
    if (sa === undefined || pair === undefined) return false;
    pair.current = sa;
    this.version++;
    return true;
  }

  /** False if another SA to the new address has the same SPI. */
  moveOutbound(sa: OutboundSa, local: Endpoint, remote: Endpoint, encapsulated: boolean): boolean {
    const holder = this.findOutbound(sa.parameters.protocol, sa.spi, remote.address);
    if (holder !== undefined && holder !== sa) return false;
    this.#unsetOutbound(sa);
    sa.move(local, remote, encapsulated);
    this.#setOutbound(sa);
    this.version++;
    return true;
  }

  /** Takes the SA of this pair out and wipes its keys; false if it has none. If its sending SA goes, its newest remaining one sends. */
  remove(name: SaName): boolean {
    const sa = this.find(name);
    if (sa === undefined) return false;
    if ('sequence' in sa) this.#takeOutbound(sa);
    else this.#inbound[name.protocol].delete(name.spi);
    this.#leaveCredit(sa);
    sa.destroy();
    this.version++;
    return true;
  }

  #inboundOf({ protocol, spi, childId }: NameOfPair): InboundSa | undefined {
    const sa = this.findInbound(protocol, spi);
    return sa?.parameters.childId === childId ? sa : undefined;
  }

  #outboundOf({ protocol, spi, childId }: NameOfPair): OutboundSa | undefined {
    for (const sa of this.#pairs.get(childId)?.all ?? []) {
      if (sa.spi === spi && sa.parameters.protocol === protocol) return sa;
    }
    return undefined;
  }

  #takeOutbound(sa: OutboundSa): void {
    const { childId } = sa.parameters;
    this.#unsetOutbound(sa);
    const pair = this.#pairs.get(childId);
    pair?.all.delete(sa);
    const newest = newestOf(pair?.all ?? []);
    if (pair === undefined || newest === undefined) this.#pairs.delete(childId);
    else if (pair.current === sa) pair.current = newest;
  }

  #setOutbound(sa: OutboundSa): void {
    const { address } = sa.remote;
    this.#outbound.set(outboundKey(sa.parameters.protocol, sa.spi, address), sa);
    const there = this.#toward.get(address);
    if (there === undefined) this.#toward.set(address, new Set([sa]));
    else there.add(sa);
  }

  #unsetOutbound(sa: OutboundSa): void {
    const { address } = sa.remote;
    this.#outbound.delete(outboundKey(sa.parameters.protocol, sa.spi, address));
    const there = this.#toward.get(address);
    there?.delete(sa);
    if (there?.size === 0) this.#toward.delete(address);
  }

  #shareCredit(sa: InboundSa | OutboundSa, at: number): void {
    const { countsCredit, childId } = sa.parameters;
    if (countsCredit !== true) return;
    const shared = this.#credits.get(childId) ?? { credit: new Credit(at), users: 0 };
    shared.users++;
    this.#credits.set(childId, shared);
    sa.credit = shared.credit;
  }

  #leaveCredit(sa: InboundSa | OutboundSa): void {
    const { childId } = sa.parameters;
    const shared = sa.credit === undefined ? undefined : this.#credits.get(childId);
    if (shared !== undefined && --shared.users === 0) this.#credits.delete(childId);
  }
}

function outboundKey(protocol: SaProtocol, spi: number, remote: IpAddress): string {
  return `${protocol} ${spi} ${remote}`;
}

function newestOf(sas: Iterable<OutboundSa>): OutboundSa | undefined {
  let newest: OutboundSa | undefined;
  for (const sa of sas) {
    if (newest === undefined || sa.parameters.generation > newest.parameters.generation) newest = sa;
  }
  return newest;
}
