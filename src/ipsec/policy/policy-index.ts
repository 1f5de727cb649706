// Policies by the remote addresses that they are about: of ten thousand tunnels a packet has to do with one or two.
import { addressBytes, type TrafficSelector } from '#sa';

/** Lower `priority` wins; among equals, the one that came first. */
export interface Ranked {
  readonly priority: number;
  readonly order: number;
}

/** Policies whose remote selectors begin with so many equal bits, by these bits. */
interface Block<Entry> {
  readonly addressLength: number;
  readonly prefixLength: number;
  readonly byPrefix: Map<PrefixKey, Entry[]>;
}

export function compareRank(one: Ranked, other: Ranked): number {
  return one.priority - other.priority || one.order - other.order;
}

/** Puts an entry where it belongs in a list by rank. */
export function insertRanked<Entry extends Ranked>(entries: Entry[], entry: Entry): void {
  let [from, to] = [0, entries.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (compareRank(entries[middle]!, entry) < 0) from = middle + 1;
    else to = middle;
  }
  entries.splice(from, 0, entry);
}

export function removeRanked<Entry>(entries: Entry[], entry: Entry): void {
  const at = entries.indexOf(entry);
  if (at >= 0) entries.splice(at, 1);
}

export class PolicyIndex<Entry extends Ranked> {
  /** One for each length of a prefix that occurs: there are few of them. */
  readonly #blocks: Block<Entry>[] = [];
  /** With a remote selector that is no prefix. */
  readonly #ranges: Entry[] = [];

  add(entry: Entry, remote: readonly TrafficSelector[]): void {
    for (const selector of remote) {
      const list = this.#listOf(selector);
      if (!list.includes(entry)) insertRanked(list, entry);
    }
  }

  remove(entry: Entry, remote: readonly TrafficSelector[]): void {
    for (const selector of remote) {
      removeRanked(this.#listOf(selector), entry);
      this.#dropIfEmpty(selector);
    }
  }

  /** The first by rank that fits, of those that may be about this remote address. */
  first(
    octets: Uint8Array,
    at: number,
    addressLength: number,
    fits: (entry: Entry) => boolean,
  ): Entry | undefined {
    let first = firstThatFits(this.#ranges, fits, undefined);
    for (const block of this.#blocks) {
      if (block.addressLength !== addressLength) continue;
      const entries = block.byPrefix.get(prefixKey(octets, at, addressLength, block.prefixLength));
      if (entries !== undefined) first = firstThatFits(entries, fits, first);
    }
    return first;
  }

  /** Made if there is none. */
  #listOf(selector: TrafficSelector): Entry[] {
    const prefix = prefixOf(selector);
    if (prefix === undefined) return this.#ranges;
    const { byPrefix } = this.#blockOf(prefix) ?? this.#newBlock(prefix);
    const key = keyOf(prefix);
    const known = byPrefix.get(key);
    if (known !== undefined) return known;
    const list: Entry[] = [];
    byPrefix.set(key, list);
    return list;
  }

  #blockOf({ start, length }: SelectorPrefix): Block<Entry> | undefined {
    return this.#blocks.find((one) => one.addressLength === start.length && one.prefixLength === length);
  }

  #newBlock({ start, length }: SelectorPrefix): Block<Entry> {
    const block = { addressLength: start.length, prefixLength: length, byPrefix: new Map() };
    this.#blocks.push(block);
    return block;
  }

  #dropIfEmpty(selector: TrafficSelector): void {
    const prefix = prefixOf(selector);
    const block = prefix && this.#blockOf(prefix);
    if (prefix === undefined || block === undefined) return;
    if (block.byPrefix.get(keyOf(prefix))?.length === 0) block.byPrefix.delete(keyOf(prefix));
    if (block.byPrefix.size === 0) this.#blocks.splice(this.#blocks.indexOf(block), 1);
  }
}

interface SelectorPrefix {
  readonly start: Uint8Array;
  /** In bits. */
  readonly length: number;
}

/** `undefined` if the range is no prefix. */
function prefixOf(selector: TrafficSelector): SelectorPrefix | undefined {
  const start = addressBytes(selector.start);
  const end = addressBytes(selector.end);
  const bits = 8 * start.length;
  let length = 0;
  while (length < bits && bitAt(start, length) === bitAt(end, length)) length++;
  for (let i = length; i < bits; i++) if (bitAt(start, i) !== 0 || bitAt(end, i) !== 1) return undefined;
  return { start, length };
}

function bitAt(octets: Uint8Array, i: number): number {
  return (octets[i >>> 3]! >>> (7 - (i & 7))) & 1;
}

function keyOf({ start, length }: SelectorPrefix): PrefixKey {
  return prefixKey(start, 0, start.length, length);
}

type PrefixKey = number | string;

/** The first bits of an address as a map key: a number for IPv4, which is quicker. */
function prefixKey(octets: Uint8Array, at: number, addressLength: number, prefixLength: number): PrefixKey {
  if (addressLength === 4) {
    const word = (halfWord(octets, at) << 16) | halfWord(octets, at + 2);
    return prefixLength === 0 ? 0 : word & (-1 << (32 - prefixLength));
  }
  let key = '';
  for (let i = 0; i < addressLength; i += 2) {
    const bits = Math.max(0, Math.min(16, prefixLength - 8 * i));
    key += String.fromCharCode(halfWord(octets, at + i) & (0xffff << (16 - bits)));
  }
  return key;
}

function halfWord(octets: Uint8Array, at: number): number {
  return (octets[at]! << 8) | octets[at + 1]!;
}

function firstThatFits<Entry extends Ranked>(
  entries: readonly Entry[],
  fits: (entry: Entry) => boolean,
  best: Entry | undefined,
): Entry | undefined {
  for (const entry of entries) {
    if (best !== undefined && compareRank(best, entry) <= 0) return best;
    if (fits(entry)) return entry;
  }
  return best;
}
