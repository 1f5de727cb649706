// The Security Policy Database (RFC 4301 4.4.1, 4.4.1.2): an ordered list of policies, each for both directions.
import type { PolicyParameters } from '#sa';
import type { PacketFields } from '../packet/packet-fields.ts';
import { compareRank, insertRanked, PolicyIndex, type Ranked, removeRanked } from './policy-index.ts';
import { type Crossing, SelectorMatcher } from './selector-match.ts';

/** What happens to traffic that no policy describes. RFC 4301 4.4.1 demands `discard` of a gateway. */
export type UnmatchedAction = 'discard' | 'bypass';

interface Entry extends Ranked {
  readonly policy: PolicyParameters;
  readonly matcher: SelectorMatcher;
}

/** Lower `priority` wins; among equals, the policy installed first. */
export class Spd {
  readonly unmatched: UnmatchedAction;
  readonly #entries = new Map<number, Entry>();
  readonly #byRemote = new PolicyIndex<Entry>();
  /** Those of a pair, and those that discard whatever came how: by rank. */
  readonly #byChild = new Map<number, Entry[]>();
  readonly #discarding: Entry[] = [];
  #installed = 0;
  /** Changes whenever a decision could. */
  version = 0;

  constructor(unmatched: UnmatchedAction = 'discard') {
    this.unmatched = unmatched;
  }

  /** Adds a policy; one with the same `policyId` is replaced and keeps its place among equals. */
  install(policy: PolicyParameters): void {
    const matcher = new SelectorMatcher(policy.selectors);
    const known = this.#entries.get(policy.policyId);
    if (known !== undefined) this.#take(known);
    const order = known?.order ?? this.#installed++;
    const entry = { policy, matcher, priority: policy.priority, order };
    this.#entries.set(policy.policyId, entry);
    this.#byRemote.add(entry, policy.selectors.remote);
    if (policy.action === 'discard') insertRanked(this.#discarding, entry);
    else if (policy.childId !== undefined) {
      const ofChild = this.#byChild.get(policy.childId);
      if (ofChild === undefined) this.#byChild.set(policy.childId, [entry]);
      else insertRanked(ofChild, entry);
    }
    this.version++;
  }

  /** False if there was no such policy. */
  remove(policyId: number): boolean {
    const entry = this.#entries.get(policyId);
    if (entry === undefined) return false;
    this.#take(entry);
    this.version++;
    return true;
  }

  #take(entry: Entry): void {
    const { policyId, selectors, childId } = entry.policy;
    this.#entries.delete(policyId);
    this.#byRemote.remove(entry, selectors.remote);
    removeRanked(this.#discarding, entry);
    const ofChild = childId === undefined ? undefined : this.#byChild.get(childId);
    if (ofChild === undefined) return;
    removeRanked(ofChild, entry);
    if (ofChild.length === 0) this.#byChild.delete(childId!);
  }

  /** By rank. */
  policies(): readonly PolicyParameters[] {
    return [...this.#entries.values()].sort(compareRank).map((entry) => entry.policy);
  }

  /** Whether there is traffic that this pair protects. */
  protects(childId: number): boolean {
    return this.#byChild.get(childId)?.some(({ policy }) => policy.action === 'protect') === true;
  }

  /** The policy that decides about a packet; `undefined` leaves it to `unmatched`. */
  find(bytes: Uint8Array, fields: PacketFields, crossing: Crossing): PolicyParameters | undefined {
    const remoteAt = crossing === 'outbound' ? fields.destinationOffset : fields.sourceOffset;
    const fits = ({ matcher }: Entry): boolean => matcher.matches(bytes, fields, crossing);
    return this.#byRemote.first(bytes, remoteAt, fields.addressLength, fits)?.policy;
  }

  /**
   * Whether a packet that came protected through an SA of this pair may be delivered: some protect policy of the pair
   * describes it, and no discard policy comes before. Policies of other pairs do not matter, because two pairs may
   * carry the same traffic while one of them replaces the other.
   */
  permitsProtected(bytes: Uint8Array, fields: PacketFields, childId: number): boolean {
    const isIt = ({ matcher }: Entry): boolean => matcher.matches(bytes, fields, 'inbound');
    const permitting = this.#byChild
      .get(childId)
      ?.find((entry) => entry.policy.action === 'protect' && isIt(entry));
    if (permitting === undefined) return false;
    return !this.#discarding.some((entry) => compareRank(entry, permitting) < 0 && isIt(entry));
  }
}
