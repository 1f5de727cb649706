// What the kernel has in its SAD, ours and others', and keys only where they were asked for.
import type { XfrmState, XfrmStateId } from '#wire';
import { type LookupAttributes, lookupAttributesOf } from '../kernel-ties.ts';
import type { RequestIds } from '../request-ids.ts';
import type { XfrmSocket } from '../xfrm-socket.ts';
import type { KernelSa } from './kernel-sa.ts';
import { type KernelState, wipeKeys } from './kernel-state.ts';

/** An SA that the kernel tells of, without its keys. */
export interface ToldState {
  readonly state: XfrmState;
  readonly lookup: LookupAttributes;
}

export class ToldStates {
  readonly #socket: XfrmSocket;
  readonly #ids: RequestIds;

  constructor(socket: XfrmSocket, ids: RequestIds) {
    this.#socket = socket;
    this.#ids = ids;
  }

  all(): ToldState[] {
    const states: ToldState[] = [];
    for (const message of this.#socket.request({ kind: 'dump-sas', attributes: {} })) {
      wipeKeys(message.attributes);
      if (message.kind === 'new-sa')
        states.push({ state: message.state, lookup: lookupAttributesOf(message.attributes) });
    }
    return states;
  }

  own(): ToldState[] {
    return this.all().filter(({ state }) => this.#ids.isOurState(state));
  }

  foreign(): XfrmState[] {
    return this.all()
      .map(({ state }) => state)
      .filter((state) => !this.#ids.isOurState(state));
  }

  /** With its keys, unless it is a larval state of traffic that has found no SA. */
  at(id: XfrmStateId, attributes: LookupAttributes): KernelState | undefined {
    const answer = this.#socket.requestIfThere({ kind: 'get-sa', id, attributes })?.[0];
    return answer?.kind === 'new-sa' && !this.#ids.isLarval(answer.state) ? answer : undefined;
  }

  /** Whether an SA of ours is still there. */
  has({ id, lookup }: KernelSa): boolean {
    const told = this.at(id, lookup);
    if (told !== undefined) wipeKeys(told.attributes);
    return told !== undefined;
  }

  /** Whether anybody has an SA of that name, also one that has yet to get its keys. */
  isTaken(id: XfrmStateId): boolean {
    const found = this.#socket.requestIfThere({ kind: 'get-sa', id, attributes: {} });
    for (const { attributes } of found ?? []) wipeKeys(attributes);
    return found !== undefined;
  }
}
