// Whose SPI was that? A bounded ring of our inbound SPIs and their fates, found in constant time, one stored record each.
import { addTo, removeFrom, type Spi } from '#sa';
import type { IkeSpi } from '#wire';
import { decodeSpiRecord, encodeSpiRecord, type SpiEnd, type SpiRecord } from './record.ts';

/** A slot to be written: the store keeps `octets` under `key`, in place of what was there. */
export interface SpiHistoryWrite {
  readonly key: string;
  readonly octets: Uint8Array;
}

export interface LoadedSpiHistory {
  readonly history: SpiHistory;
  /** Records that were torn, garbled, or beyond the ring. */
  readonly refused: number;
  /** Records of SAs that were alive when we stopped: they are to be written again, as ended. */
  readonly writes: readonly SpiHistoryWrite[];
}

export const spiHistoryKeyPrefix = 'spi-history/';

function slotKey(slot: number): string {
  return `${spiHistoryKeyPrefix}${slot.toString().padStart(6, '0')}`;
}

/** But for how it ended. */
function sameRecord(a: SpiRecord, b: SpiRecord): boolean {
  return (
    a.initiatorSpi === b.initiatorSpi &&
    a.responderSpi === b.responderSpi &&
    a.peer === b.peer &&
    a.peerPort === b.peerPort &&
    a.quickCrashDetection === b.quickCrashDetection
  );
}

function pairKey(initiatorSpi: IkeSpi, responderSpi: IkeSpi): string {
  return `${initiatorSpi} ${responderSpi}`;
}

/**
 * Ended records give way first, the oldest of them before the others; a record of a living SA goes only when all are alive.
 */
export class SpiHistory {
  readonly #slots: (SpiRecord | undefined)[];
  readonly #bySpi = new Map<Spi, number>();
  /** Slots by IKE SPIs: a rekeying of the IKE SA moves them, and an unknown IKE message asks for them. */
  readonly #byIkeSpis = new Map<string, Set<number>>();
  /** Slots by connection: a stranger's packet asks what of it was lost. */
  readonly #byConnection = new Map<string, Set<number>>();
  /** Slots in the order in which they may be used again: free, then ended, oldest first. */
  readonly #free: number[] = [];
  readonly #endedOrder = new Set<number>();
  readonly #aliveOrder = new Set<number>();

  /** @param size records kept at a time, at least 1 */
  constructor(size: number) {
    if (!Number.isInteger(size) || size < 1 || size > 1_000_000) throw new Error(`a history of ${size}`);
    this.#slots = Array.from({ length: size }, () => undefined);
    for (let slot = size - 1; slot >= 0; slot--) this.#free.push(slot);
  }

  /**
   * From stored records, in any order. What was alive is alive no more: we restarted.
   * @param atMs wall-clock time of the restart
   */
  static load(
    size: number,
    records: Iterable<readonly [key: string, octets: Uint8Array]>,
    atMs: number,
  ): LoadedSpiHistory {
    const history = new SpiHistory(size);
    const writes: SpiHistoryWrite[] = [];
    let refused = 0;
    const loaded: { readonly slot: number; readonly record: SpiRecord }[] = [];
    for (const [key, octets] of records) {
      if (!key.startsWith(spiHistoryKeyPrefix)) continue;
      const slot = Number(key.slice(spiHistoryKeyPrefix.length));
      const record = decodeSpiRecord(octets);
      const fits = Number.isInteger(slot) && slot >= 0 && slot < size && slotKey(slot) === key;
      if (record === undefined || !fits) refused++;
      else loaded.push({ slot, record });
    }
    loaded.sort((a, b) => endOf(a.record) - endOf(b.record) || a.slot - b.slot);
    for (const { slot, record } of loaded) {
      const ended =
        record.ended === undefined ? { ...record, ended: { atMs, why: 'our-restart' as const } } : record;
      history.#put(slot, ended);
      if (record.ended === undefined) writes.push({ key: slotKey(slot), octets: encodeSpiRecord(ended) });
    }
    const free = history.#free.filter((slot) => history.#slots[slot] === undefined);
    history.#free.splice(0, size, ...free);
    return { history, refused, writes };
  }

  get size(): number {
    return this.#slots.length;
  }

  /** Records held. */
  get count(): number {
    return this.#endedOrder.size + this.#aliveOrder.size;
  }

  /** The newest record of an SPI. ESP and AH share our one space of SPIs. */
  find(spi: number): SpiRecord | undefined {
    const slot = this.#bySpi.get(spi as Spi);
    return slot === undefined ? undefined : this.#slots[slot];
  }

  /** Records under an IKE SA, none if it is unknown. */
  ofIkeSa(initiatorSpi: IkeSpi, responderSpi: IkeSpi): readonly SpiRecord[] {
    const slots = this.#byIkeSpis.get(pairKey(initiatorSpi, responderSpi)) ?? [];
    return [...slots].flatMap((slot) => this.#slots[slot] ?? []);
  }

  /** Records under a connection, in the order of `all`. */
  ofConnection(connection: string): readonly SpiRecord[] {
    const slots = this.#byConnection.get(connection) ?? [];
    const records = [...slots].flatMap((slot) => this.#slots[slot] ?? []);
    const ended = records.filter((record) => record.ended !== undefined);
    return [...ended, ...records.filter((record) => record.ended === undefined)];
  }

  /** Every record, the ones that ended longest ago first. */
  all(): readonly SpiRecord[] {
    return [...this.#endedOrder, ...this.#aliveOrder].flatMap((slot) => this.#slots[slot] ?? []);
  }

  /** A new SA. Its SPI may have been another's before. */
  add(record: SpiRecord): SpiHistoryWrite {
    const known = this.#bySpi.get(record.spi);
    const slot = known ?? this.#nextSlot();
    this.#drop(slot);
    return this.#write(slot, record);
  }

  /** The SA of this SPI ended; nothing to write if it is unknown or had ended before. */
  end(spi: Spi, atMs: number, why: SpiEnd): SpiHistoryWrite | undefined {
    const slot = this.#bySpi.get(spi);
    const record = slot === undefined ? undefined : this.#slots[slot];
    if (slot === undefined || record === undefined || record.ended !== undefined) return undefined;
    this.#drop(slot);
    return this.#write(slot, { ...record, ended: { atMs, why } });
  }

  /** A rekeying of the IKE SA, a move of the peer, a token given: living records of an IKE SA change. */
  update(
    spi: Spi,
    change: Partial<
      Pick<SpiRecord, 'initiatorSpi' | 'responderSpi' | 'peer' | 'peerPort' | 'quickCrashDetection'>
    >,
  ): SpiHistoryWrite | undefined {
    const slot = this.#bySpi.get(spi);
    const record = slot === undefined ? undefined : this.#slots[slot];
    if (slot === undefined || record === undefined || record.ended !== undefined) return undefined;
    const changed: SpiRecord = { ...record, ...change };
    if (sameRecord(record, changed)) return undefined;
    this.#drop(slot);
    return this.#write(slot, changed);
  }

  #nextSlot(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const [ended] = this.#endedOrder;
    if (ended !== undefined) return ended;
    const [alive] = this.#aliveOrder;
    if (alive === undefined) throw new Error('a full history without records');
    return alive;
  }

  #write(slot: number, record: SpiRecord): SpiHistoryWrite {
    this.#put(slot, record);
    return { key: slotKey(slot), octets: encodeSpiRecord(record) };
  }

  #put(slot: number, record: SpiRecord): void {
    this.#slots[slot] = record;
    this.#bySpi.set(record.spi, slot);
    (record.ended === undefined ? this.#aliveOrder : this.#endedOrder).add(slot);
    addTo(this.#byIkeSpis, pairKey(record.initiatorSpi, record.responderSpi), slot);
    addTo(this.#byConnection, record.connection, slot);
  }

  #drop(slot: number): void {
    const record = this.#slots[slot];
    if (record === undefined) return;
    this.#slots[slot] = undefined;
    if (this.#bySpi.get(record.spi) === slot) this.#bySpi.delete(record.spi);
    this.#endedOrder.delete(slot);
    this.#aliveOrder.delete(slot);
    removeFrom(this.#byIkeSpis, pairKey(record.initiatorSpi, record.responderSpi), slot);
    removeFrom(this.#byConnection, record.connection, slot);
  }
}

function endOf({ ended, createdAtMs }: SpiRecord): number {
  return ended?.atMs ?? createdAtMs;
}
