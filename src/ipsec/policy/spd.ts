// The Security Policy Database (RFC 4301 4.4.1, 4.4.1.2): an ordered list of policies, each for both directions.
import type { PolicyParameters } from '#sa';
import type { PacketFields } from '../packet/packet-fields.ts';
import { type Crossing, SelectorMatcher } from './selector-match.ts';

/** What happens to traffic that no policy describes. RFC 4301 4.4.1 demands `discard` of a gateway. */
export type UnmatchedAction = 'discard' | 'bypass';

interface Entry {
  readonly policy: PolicyParameters;
  readonly matcher: SelectorMatcher;
  readonly order: number;
}

/** Lower `priority` wins; among equals, the policy installed first. */
export class Spd {
  readonly unmatched: UnmatchedAction;
  #entries: Entry[] = [];
  #installed = 0;
  /** Changes whenever a decision could. */
  version = 0;

  constructor(unmatched: UnmatchedAction = 'discard') {
    this.unmatched = unmatched;
  }

  /** Adds a policy; one with the same `policyId` is replaced and keeps its place among equals. */
  install(policy: PolicyParameters): void {
    const matcher = new SelectorMatcher(policy.selectors);
    const known = this.#entries.find((entry) => entry.policy.policyId === policy.policyId);
    const entry = { policy, matcher, order: known?.order ?? this.#installed++ };
    this.#entries = this.#entries.filter((one) => one !== known);
    const before = this.#entries.findIndex((other) => comparePrecedence(entry, other) < 0);
    this.#entries.splice(before < 0 ? this.#entries.length : before, 0, entry);
    this.version++;
  }

  /** False if there was no such policy. */
  remove(policyId: number): boolean {
    const rest = this.#entries.filter((entry) => entry.policy.policyId !== policyId);
    if (rest.length === this.#entries.length) return false;
    this.#entries = rest;
    this.version++;
    return true;
  }

  policies(): readonly PolicyParameters[] {
    return this.#entries.map((entry) => entry.policy);
  }

  /** Whether there is traffic that this pair protects. */
  protects(childId: number): boolean {
    return this.#entries.some(({ policy }) => policy.action === 'protect' && policy.childId === childId);
  }

  /** The policy that decides about a packet; `undefined` leaves it to `unmatched`. */
  find(bytes: Uint8Array, fields: PacketFields, crossing: Crossing): PolicyParameters | undefined {
    for (const entry of this.#entries) {
      if (entry.matcher.matches(bytes, fields, crossing)) return entry.policy;
    }
    return undefined;
  }

  /**
   * Whether a packet that came protected through an SA of this pair may be delivered: some protect policy of the pair
   * describes it, and no discard policy comes before. Policies of other pairs do not matter, because two pairs may
   * carry the same traffic while one of them replaces the other.
   */
  permitsProtected(bytes: Uint8Array, fields: PacketFields, childId: number): boolean {
    for (const { policy, matcher } of this.#entries) {
      if (policy.action !== 'discard' && policy.childId !== childId) continue;
      if (!matcher.matches(bytes, fields, 'inbound')) continue;
      if (policy.action === 'discard') return false;
      if (policy.action === 'protect') return true;
    }
    return false;
  }
}

function comparePrecedence(a: Entry, b: Entry): number {
  return a.policy.priority - b.policy.priority || a.order - b.order;
}
