// How many packets a source may cause: what goes out is larger than what came in, whose source may be a lie (RFC 7401 6.7).
import { addressBytes, type IpAddress } from '#sa';

/** Prefixes that collide in the table share a bucket: it never grows, and never lets more out. */
const cells = 1024;

export class PrefixRate {
  readonly #tokens: Float64Array;
  readonly #filledAt: Float64Array;
  readonly #salt: number;
  #totalTokens: number;
  #totalFilledAt: number;

  /** @param salt a secret, so that nobody can choose addresses that share a bucket with another's */
  constructor(salt: number, perSecond: { readonly perPrefix: number; readonly total: number }, at: number) {
    this.#salt = salt >>> 0;
    this.#tokens = new Float64Array(cells).fill(perSecond.perPrefix);
    this.#filledAt = new Float64Array(cells).fill(at);
    this.#totalTokens = perSecond.total;
    this.#totalFilledAt = at;
  }

  /** Takes one packet for an address: of its prefix (IPv4 /32, IPv6 /64), and of the total. A burst is one second's worth. */
  take(
    address: IpAddress,
    perSecond: { readonly perPrefix: number; readonly total: number },
    at: number,
  ): boolean {
    const cell = this.#cellOf(address);
    const own = refilled(this.#tokens[cell]!, perSecond.perPrefix, at - this.#filledAt[cell]!);
    const total = refilled(this.#totalTokens, perSecond.total, at - this.#totalFilledAt);
    const may = own >= 1 && total >= 1;
    this.#tokens[cell] = may ? own - 1 : own;
    this.#filledAt[cell] = at;
    this.#totalTokens = may ? total - 1 : total;
    this.#totalFilledAt = at;
    return may;
  }

  /** FNV-1a over the salt and the octets of the prefix. */
  #cellOf(address: IpAddress): number {
    let hash = (0x811c_9dc5 ^ this.#salt) >>> 0;
    const octets = addressBytes(address);
    for (let i = 0; i < Math.min(octets.length, 8); i++)
      hash = Math.imul(hash ^ octets[i]!, 0x0100_0193) >>> 0;
    return ((hash ^ (hash >>> 16)) >>> 0) % cells;
  }
}

function refilled(tokens: number, perSecond: number, elapsedMs: number): number {
  return Math.min(perSecond, tokens + (elapsedMs * perSecond) / 1000);
}
