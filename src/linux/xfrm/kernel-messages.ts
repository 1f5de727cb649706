// What the kernel says of its own accord, as events: traffic that asks for an SA, the end of one, a peer that moved.
import { addressFromBytes, type DataPlaneEvent } from '#sa';
import type { XfrmMessage, XfrmState } from '#wire';
import { lookupAttributesOf } from './kernel-ties.ts';
import { acquiredSelectors } from './policies/kernel-selectors.ts';
import { type KernelSa, stateKey } from './states/kernel-sa.ts';
import type { LarvalStates } from './states/larval-states.ts';
import type { SaPairs } from './states/sa-pairs.ts';
import type { ToldStates } from './states/told-states.ts';
import type { XfrmMessageOf } from './xfrm-socket.ts';

/** A mapping that the engine did not follow is told again after this time. */
const mappingIntervalMs = 1_000;

/** What the messages are about. */
export interface KernelMessagesOptions {
  readonly sas: SaPairs;
  /** Request IDs of trap policies. */
  readonly traps: ReadonlyMap<number, number>;
  readonly larval: LarvalStates;
  readonly told: ToldStates;
  readonly tell: (event: DataPlaneEvent) => void;
}

export class KernelMessages {
  readonly #of: KernelMessagesOptions;
  readonly #mappingsToldAt = new Map<string, number>();

  constructor(of: KernelMessagesOptions) {
    this.#of = of;
  }

  /** @param at monotonic milliseconds */
  take(message: XfrmMessage, at: number): void {
    const { sas } = this.#of;
    switch (message.kind) {
      case 'acquire':
        this.#takeAcquire(message, at);
        break;
      case 'expire':
        this.#takeExpire(message);
        break;
      case 'mapping':
        this.#takeMapping(message, at);
        break;
      case 'delete-sa':
        this.#expireIfGone(sas.at(message.id));
        break;
      case 'flush-sas':
        for (const sa of [...sas.all()]) this.#expireIfGone(sa);
        break;
      default:
        break;
    }
  }

  /** Some found no room, and each says what it says but once. @param states what the kernel has of ours now */
  lookUpLost(states: readonly XfrmState[]): void {
    const there = new Map(states.map((state) => [stateKey(state), state]));
    for (const sa of this.#of.sas.all()) {
      if (sa.ended) continue;
      const state = there.get(sa.key);
      if (state === undefined) this.#tellExpiry('hard-expired', sa);
      else if (isSoftExpired(state)) this.#tellExpiry('soft-expired', sa);
    }
  }

  /** The SA is not ours any more. */
  forget({ key }: KernelSa): void {
    this.#mappingsToldAt.delete(key);
  }

  #takeAcquire({ acquire, attributes }: XfrmMessageOf<'acquire'>, at: number): void {
    const { traps, larval, tell } = this.#of;
    const [wanted] = attributes.templates ?? [];
    for (const [policyId, requestId] of traps) {
      if (wanted?.requestId !== requestId) continue;
      larval.add(acquire, wanted, lookupAttributesOf(attributes), at);
      const { local, remote } = acquiredSelectors(acquire.selector);
      tell({ kind: 'acquire', policyId, local: local[0]!, remote: remote[0]! });
      return;
    }
  }

  #takeExpire({ state, hard }: XfrmMessageOf<'expire'>): void {
    const sa = this.#of.sas.at(state);
    if (sa !== undefined) this.#tellExpiry(hard ? 'hard-expired' : 'soft-expired', sa);
  }

  #tellExpiry(kind: 'hard-expired' | 'soft-expired', { protocol, direction, spi, childId }: KernelSa): void {
    this.#of.tell({ kind, protocol, direction, spi, childId });
  }

  /** Somebody else removed an SA of ours: it is over, and its peer should know. */
  #expireIfGone(sa: KernelSa | undefined): void {
    if (sa === undefined || sa.ended || this.#of.told.has(sa)) return;
    this.#tellExpiry('hard-expired', sa);
  }

  #takeMapping({ mapping }: XfrmMessageOf<'mapping'>, at: number): void {
    const sa = this.#of.sas.at(mapping.id);
    if (sa === undefined) return;
    const remote = { address: addressFromBytes(mapping.newSource), port: mapping.newSourcePort };
    const text = `${remote.address} ${remote.port}`;
    const told = this.#mappingsToldAt.get(sa.key) ?? Number.NEGATIVE_INFINITY;
    // Every packet says so until the SA has followed.
    if (sa.mapping === text && at - told < mappingIntervalMs) return;
    sa.mapping = text;
    this.#mappingsToldAt.set(sa.key, at);
    const { protocol, spi, childId } = sa;
    this.#of.tell({ kind: 'mapping-changed', protocol, spi, childId, remote });
  }
}

function isSoftExpired({ used, limits }: XfrmState): boolean {
  return used.bytes >= limits.softBytes || used.packets >= limits.softPackets;
}
