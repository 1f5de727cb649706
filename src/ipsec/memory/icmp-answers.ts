// Which packets that do not leave are answered by ICMP (RFC 4443 2.4(f)).
import { type IcmpError, icmpErrorAbout } from '../packet/icmp-error.ts';

const perSecondMaxDefault = 1_000;
/** How often a source is told in so long that what it sends to one destination is too large: a window of TCP comes at once. */
const sameMax = 4;
const sameMs = 100;

/** Whoever does not listen, or sends much before it hears, must not keep others from hearing. Times are monotonic milliseconds. */
export class IcmpAnswers {
  readonly #perSecondMax: number;
  #second = Number.NEGATIVE_INFINITY;
  #count = 0;
  /** By both addresses, folded. */
  readonly #told = new Map<number, number>();
  #toldSince = Number.NEGATIVE_INFINITY;

  constructor(perSecondMax: number = perSecondMaxDefault) {
    this.#perSecondMax = perSecondMax;
  }

  /** The complete IP packet to its source; undefined: there is none. */
  about(packet: Uint8Array, error: IcmpError, at: number): Uint8Array | undefined {
    if (at >= this.#second + 1000) {
      this.#second = at;
      this.#count = 0;
    }
    if (this.#count >= this.#perSecondMax) return undefined;
    if (at >= this.#toldSince + sameMs) {
      this.#toldSince = at;
      this.#told.clear();
    }
    const pair = error.kind === 'too-big' ? foldedAddresses(packet) : undefined;
    const before = pair === undefined ? 0 : (this.#told.get(pair) ?? 0);
    if (before >= sameMax) return undefined;
    const answer = icmpErrorAbout(packet, error);
    if (answer === undefined) return undefined;
    this.#count++;
    if (pair !== undefined) this.#told.set(pair, before + 1);
    return answer;
  }
}

/** FNV-1a. Of two pairs that are one here the second is told when the first has heard. */
function foldedAddresses(packet: Uint8Array): number {
  const [from, to] = packet[0]! >>> 4 === 4 ? [12, 20] : [8, 40];
  let hash = 0x811c_9dc5;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ packet[i]!, 0x0100_0193);
  return hash;
}
