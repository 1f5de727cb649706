// Policies of ours in the kernel's SPD, which has one per selector and direction where we may have several.
import type { PolicyParameters, SaResult } from '#sa';
import { XfrmDirection, type XfrmSelector } from '#wire';
import { SystemCallError } from '../../libc/errno.ts';
import { type LookupAttributes, lookupAttributes, lookupAttributesOf } from '../kernel-ties.ts';
import { type Refusal, refuse } from '../refusal.ts';
import type { RequestIds } from '../request-ids.ts';
import type { XfrmMessageOf, XfrmSocket } from '../xfrm-socket.ts';
import { kernelSelectors } from './kernel-selectors.ts';
import {
  type PolicyPlace,
  placeKey,
  placeText,
  policyMessage,
  type TablePolicy,
  textOf,
} from './policy-message.ts';
import { type PolicyOwner, PolicyOwners } from './policy-owner.ts';

interface Place extends PolicyPlace {
  /** Policies that want this place, the latest one last. */
  readonly policies: TablePolicy[];
  /** What the kernel has, as written; undefined: nothing of ours. */
  written: string | undefined;
}

const done: SaResult = { ok: true };

export class PolicyTable {
  readonly #socket: XfrmSocket;
  readonly #owners: PolicyOwners;
  readonly #warn: (text: string) => void;
  readonly #places = new Map<string, Place>();
  readonly #policies = new Map<number, { readonly policy: TablePolicy; readonly places: readonly Place[] }>();
  /** Where the kernel did not let a policy go: it has there what is not to be there any more. */
  readonly #behind = new Set<Place>();
  /** Numbers of the policies that a pair protects the traffic of. */
  readonly #byChild = new Map<number, Set<number>>();

  /** @param warn hears which policies of others have taken the place of ours */
  constructor(socket: XfrmSocket, ids: RequestIds, warn: (text: string) => void) {
    this.#socket = socket;
    this.#owners = new PolicyOwners(socket, ids);
    this.#warn = warn;
  }

  get(policyId: number): TablePolicy | undefined {
    return this.#policies.get(policyId)?.policy;
  }

  all(): TablePolicy[] {
    return [...this.#policies.values()].map(({ policy }) => policy);
  }

  /** Those whose traffic this pair protects. */
  ofChild(childId: number): TablePolicy[] {
    return [...(this.#byChild.get(childId) ?? [])].map((policyId) => this.#policies.get(policyId)!.policy);
  }

  /**
   * Makes a policy, or changes it. What cannot be done leaves everything as it was.
   * @param instead what is made if the kernel refuses it
   */
  set(policy: TablePolicy, instead?: TablePolicy): SaResult {
    const { policyId } = policy.parameters;
    const before = this.get(policyId);
    const refusal = this.#enter(policy);
    if (refusal === undefined) return done;
    if (instead !== undefined && this.#enter(instead) === undefined) return done;
    if (before === undefined || this.#enter(before) !== undefined) this.remove(policyId);
    return refusal;
  }

  /** Each place goes from one policy to the next without a gap. */
  #enter(policy: TablePolicy): Refusal | undefined {
    const { policyId } = policy.parameters;
    const places = this.#placesOf(policy.parameters);
    for (const place of this.#policies.get(policyId)?.places ?? []) {
      if (!places.includes(place)) this.#leave(place, policyId);
    }
    this.#forget(policyId);
    this.#policies.set(policyId, { policy, places });
    const { childId } = policy.parameters;
    if (childId !== undefined) {
      const ofChild = this.#byChild.get(childId);
      if (ofChild === undefined) this.#byChild.set(childId, new Set([policyId]));
      else ofChild.add(policyId);
    }
    let refusal: Refusal | undefined;
    for (const place of places) {
      const at = place.policies.findIndex(({ parameters }) => parameters.policyId === policyId);
      if (at < 0) place.policies.push(policy);
      else place.policies[at] = policy;
      refusal ??= this.#write(place);
    }
    return refusal;
  }

  /** False if there is none. */
  remove(policyId: number): boolean {
    const known = this.#policies.get(policyId);
    if (known === undefined) return false;
    this.#forget(policyId);
    for (const place of known.places) this.#leave(place, policyId);
    return true;
  }

  #forget(policyId: number): void {
    const childId = this.#policies.get(policyId)?.policy.parameters.childId;
    this.#policies.delete(policyId);
    const ofChild = childId === undefined ? undefined : this.#byChild.get(childId);
    if (ofChild?.delete(policyId) && ofChild.size === 0) this.#byChild.delete(childId!);
  }

  /** Removes what is in the kernel from a process before us. */
  removeEarlier(): number {
    let removed = 0;
    for (const message of this.#socket.request({ kind: 'dump-policies', attributes: {} })) {
      if (message.kind !== 'new-policy' || !this.#owners.isOurs(message)) continue;
      const { selector, direction, index } = message.policy;
      const attributes = lookupAttributesOf(message.attributes);
      if (this.#places.has(placeKey(direction, selector, attributes))) continue;
      this.#socket.requestIfThere({
        kind: 'delete-policy',
        id: { selector, direction, index },
        attributes,
      });
      removed++;
    }
    return removed;
  }

  /**
   * Puts policies that somebody else has removed back into the kernel, where it has none by now.
   * @returns how many
   */
  restore(): number {
    const owners = new Map<string, PolicyOwner>();
    for (const message of this.#socket.request({ kind: 'dump-policies', attributes: {} })) {
      if (message.kind !== 'new-policy') continue;
      const { direction, selector } = message.policy;
      const key = placeKey(direction, selector, lookupAttributesOf(message.attributes));
      owners.set(key, this.#owners.isOurs(message) ? 'ours' : 'others');
    }
    let restored = 0;
    for (const [key, place] of this.#places) if (this.#restoreAt(place, owners.get(key))) restored++;
    return restored;
  }

  /** The same after one has gone. */
  restoreOne({ id, attributes }: XfrmMessageOf<'delete-policy'>): number {
    // Whoever names a policy by its number alone, the kernel tells of in the same way.
    if (id.index !== 0) return this.restore();
    const place = this.#places.get(placeKey(id.direction, id.selector, lookupAttributesOf(attributes)));
    return place !== undefined && this.#restoreAt(place, this.#ownerAt(place)) ? 1 : 0;
  }

  /** @param owner of what is there now */
  #restoreAt(place: Place, owner: PolicyOwner | undefined): boolean {
    if (owner === 'others') this.#lose(place);
    if (owner !== undefined) return false;
    place.written = undefined;
    const isWanted = place.policies.length > 0;
    return this.#write(place) === undefined && isWanted;
  }

  /** Whether the kernel has policies that are not to be there any more: for `catchUp`. */
  get isBehind(): boolean {
    return this.#behind.size > 0;
  }

  /** Tries again what the kernel has refused. */
  catchUp(): void {
    for (const place of [...this.#behind])
      if (this.#write(place)?.code === 'exists') this.#behind.delete(place);
  }

  #ownerAt({ selector, direction, lookup }: Place): PolicyOwner | undefined {
    return this.#owners.at({ selector, direction, index: 0 }, lookup);
  }

  /** What is there is another key manager's, to change or to remove. */
  #lose(place: Place): void {
    if (place.written === undefined) return;
    place.written = undefined;
    this.#warn(
      `another key manager has a policy in the place of one of ours, which stays: ${placeText(place)}`,
    );
  }

  #placesOf({ selectors, mode, kernelTies }: PolicyParameters): Place[] {
    const { local, remote } = selectors;
    const inward = kernelSelectors(remote, local);
    const at = (direction: number, all: readonly XfrmSelector[]): Place[] => {
      const ties = direction === XfrmDirection.OUT ? kernelTies?.outbound : kernelTies?.inbound;
      return all.map((selector) => this.#place(direction, selector, lookupAttributes(ties)));
    };
    return [
      // What comes must be let in before anybody answers to what goes out.
      ...at(XfrmDirection.IN, inward),
      ...(mode === 'transport' ? [] : at(XfrmDirection.FORWARD, inward)),
      ...at(XfrmDirection.OUT, kernelSelectors(local, remote)),
    ];
  }

  #place(direction: number, selector: XfrmSelector, lookup: LookupAttributes): Place {
    const key = placeKey(direction, selector, lookup);
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    const place: Place = { selector, direction, lookup, policies: [], written: undefined };
    this.#places.set(key, place);
    return place;
  }

  #leave(place: Place, policyId: number): void {
    const at = place.policies.findIndex(({ parameters }) => parameters.policyId === policyId);
    if (at >= 0) place.policies.splice(at, 1);
    const refusal = this.#write(place);
    // What somebody else has in its place stays, and when that goes we are told.
    if (refusal === undefined || refusal.code === 'exists' || this.#behind.has(place)) return;
    this.#behind.add(place);
    this.#warn(`a policy of ours stays in the kernel for now: ${placeText(place)}: ${refusal.detail}`);
  }

  /** Lower priorities win, and among equals the latest. */
  #winner({ policies }: Place): TablePolicy | undefined {
    let winner: TablePolicy | undefined;
    for (const policy of policies) {
      if (winner === undefined || policy.parameters.priority <= winner.parameters.priority) winner = policy;
    }
    return winner;
  }

  #write(place: Place): Refusal | undefined {
    const winner = this.#winner(place);
    try {
      if (winner === undefined) this.#remove(place);
      else this.#put(place, winner);
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error;
      return refuse(error.code === 'EEXIST' ? 'exists' : 'failed', error.message);
    }
    this.#behind.delete(place);
    return undefined;
  }

  #remove(place: Place): void {
    const { selector, direction, lookup } = place;
    const owner = place.written === undefined ? undefined : this.#ownerAt(place);
    if (owner === 'others') this.#lose(place);
    if (owner === 'ours') {
      const id = { selector, direction, index: 0 };
      this.#socket.requestIfThere({ kind: 'delete-policy', id, attributes: lookup });
    }
    this.#places.delete(placeKey(direction, selector, lookup));
  }

  #put(place: Place, winner: TablePolicy): void {
    const message = policyMessage(place, winner, this.#owners.limits);
    const text = textOf(message);
    if (text === place.written) return;
    this.#request(message, place);
    place.written = text;
  }

  /** Where nothing of ours was, the kernel itself tells if there is something: of a process before us, or somebody else's. */
  #request(message: XfrmMessageOf<'new-policy'>, place: Place): void {
    const wasOurs = place.written !== undefined;
    if (wasOurs && this.#ownerAt(place) === 'others') this.#lose(place);
    else if (wasOurs) {
      this.#socket.request({ ...message, kind: 'update-policy' });
      return;
    }
    try {
      this.#socket.request(message);
    } catch (error) {
      if (!(error instanceof SystemCallError) || error.code !== 'EEXIST') throw error;
      if (this.#ownerAt(place) !== 'ours') throw error;
      this.#socket.request({ ...message, kind: 'update-policy' });
    }
  }
}
