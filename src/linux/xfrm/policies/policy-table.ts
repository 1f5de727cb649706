// Policies of ours in the kernel's SPD, which has one per selector and direction where we may have several.
import type { PolicyParameters, SaDirection, SaResult } from '#sa';
import {
  XfrmAction,
  XfrmDirection,
  type XfrmMessage,
  XfrmOffloadFlag,
  type XfrmPolicy,
  type XfrmSelector,
  type XfrmTemplate,
} from '#wire';
import { SystemCallError } from '../../libc/errno.ts';
import { type LookupAttributes, lookupAttributes, lookupAttributesOf, tiesKey } from '../kernel-ties.ts';
import { type Refusal, refuse } from '../refusal.ts';
import { unlimitedLifetime, unusedYet } from '../states/kernel-state.ts';
import type { XfrmMessageOf, XfrmSocket } from '../xfrm-socket.ts';
import { kernelSelectors, selectorKey } from './kernel-selectors.ts';

/** Which SAs carry a policy's packets. */
export interface PolicyTemplates {
  readonly outbound: XfrmTemplate;
  readonly inbound: XfrmTemplate;
  /** Numbers of the devices that do all the work of these SAs: what is theirs alone finds no policy of the kernel's. */
  readonly devices?: Readonly<Partial<Record<SaDirection, number>>>;
}

/** A policy and its templates of now; without them packets pass, or are stopped, as the action says. */
export interface TablePolicy {
  readonly parameters: PolicyParameters;
  readonly templates: PolicyTemplates | undefined;
}

interface Place {
  readonly selector: XfrmSelector;
  readonly direction: number;
  readonly lookup: LookupAttributes;
  /** Policies that want this place, the latest one last. */
  readonly policies: TablePolicy[];
  /** What the kernel has, as written; undefined: nothing of ours. */
  written: string | undefined;
}

const done: SaResult = { ok: true };

export class PolicyTable {
  readonly #socket: XfrmSocket;
  readonly #isOurs: (requestId: number) => boolean;
  readonly #places = new Map<string, Place>();
  readonly #policies = new Map<number, { readonly policy: TablePolicy; readonly places: readonly Place[] }>();
  /** Numbers of the policies that a pair protects the traffic of. */
  readonly #byChild = new Map<number, Set<number>>();

  constructor(socket: XfrmSocket, isOurs: (requestId: number) => boolean) {
    this.#socket = socket;
    this.#isOurs = isOurs;
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
      if (message.kind !== 'new-policy' || !this.#isOursIn(message)) continue;
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
    const there = new Set<string>();
    for (const message of this.#socket.request({ kind: 'dump-policies', attributes: {} })) {
      if (message.kind !== 'new-policy') continue;
      const { direction, selector } = message.policy;
      there.add(placeKey(direction, selector, lookupAttributesOf(message.attributes)));
    }
    let restored = 0;
    for (const [key, place] of this.#places) if (!there.has(key) && this.#restoreAt(place)) restored++;
    return restored;
  }

  /** The same after one has gone. */
  restoreOne({ id, attributes }: XfrmMessageOf<'delete-policy'>): number {
    // Whoever names a policy by its number alone, the kernel tells of in the same way.
    if (id.index !== 0) return this.restore();
    const lookup = lookupAttributesOf(attributes);
    const place = this.#places.get(placeKey(id.direction, id.selector, lookup));
    if (place === undefined) return 0;
    const isThere = this.#socket.requestIfThere({ kind: 'get-policy', id, attributes: lookup }) !== undefined;
    return !isThere && this.#restoreAt(place) ? 1 : 0;
  }

  #restoreAt(place: Place): boolean {
    if (place.written === undefined) return false;
    place.written = undefined;
    return this.#write(place) === undefined;
  }

  #isOursIn({ attributes }: XfrmMessageOf<'new-policy'>): boolean {
    return attributes.templates?.some(({ requestId }) => this.#isOurs(requestId)) ?? false;
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
    this.#write(place);
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
    const { selector, direction, lookup } = place;
    const winner = this.#winner(place);
    if (winner === undefined) {
      if (place.written !== undefined)
        this.#socket.requestIfThere({
          kind: 'delete-policy',
          id: { selector, direction, index: 0 },
          attributes: lookup,
        });
      this.#places.delete(placeKey(direction, selector, lookup));
      return undefined;
    }
    const message = policyMessage(place, winner);
    const text = textOf(message);
    if (text === place.written) return undefined;
    try {
      this.#put(message, place.written !== undefined);
      place.written = text;
      return undefined;
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error;
      return refuse(error.code === 'EEXIST' ? 'exists' : 'failed', error.message);
    }
  }

  #put(message: XfrmMessageOf<'new-policy'>, isThere: boolean): void {
    if (isThere) {
      this.#socket.request({ ...message, kind: 'update-policy' });
      return;
    }
    try {
      this.#socket.request(message);
    } catch (error) {
      if (!(error instanceof SystemCallError) || error.code !== 'EEXIST') throw error;
      // A process before us left it, or it is somebody else's and stays.
      const { selector, direction } = message.policy;
      const id = { selector, direction, index: 0 };
      const attributes = lookupAttributesOf(message.attributes);
      const there = this.#socket.requestIfThere({ kind: 'get-policy', id, attributes })?.[0];
      if (there?.kind !== 'new-policy' || !this.#isOursIn(there)) throw error;
      this.#socket.request({ ...message, kind: 'update-policy' });
    }
  }
}

function placeKey(direction: number, selector: XfrmSelector, lookup: LookupAttributes): string {
  return `${direction} ${selectorKey(selector)} ${tiesKey(lookup)}`;
}

function policyMessage(
  { selector, direction, lookup }: Place,
  { parameters, templates }: TablePolicy,
): XfrmMessageOf<'new-policy'> {
  const policy: XfrmPolicy = {
    selector,
    limits: unlimitedLifetime,
    used: unusedYet,
    priority: parameters.priority,
    index: 0,
    direction,
    action: parameters.action === 'discard' ? XfrmAction.BLOCK : XfrmAction.ALLOW,
    flags: 0,
    share: 0,
  };
  const template = direction === XfrmDirection.OUT ? templates?.outbound : templates?.inbound;
  const interfaceIndex = deviceAt(direction, templates);
  return {
    kind: 'new-policy',
    policy,
    attributes: {
      ...lookup,
      ...(template !== undefined && { templates: [template] }),
      ...(interfaceIndex !== undefined && { offload: { interfaceIndex, flags: XfrmOffloadFlag.PACKET } }),
    },
  };
}

/** What is forwarded has been let in by a device already. */
function deviceAt(direction: number, templates: PolicyTemplates | undefined): number | undefined {
  if (direction === XfrmDirection.OUT) return templates?.devices?.outbound;
  return direction === XfrmDirection.IN ? templates?.devices?.inbound : undefined;
}

function textOf({ policy, attributes }: Extract<XfrmMessage, { policy: XfrmPolicy }>): string {
  const [template] = attributes.templates ?? [];
  const device = attributes.offload?.interfaceIndex;
  return [policy.priority, policy.action, device, ...Object.values(template ?? {})].join(' ');
}
