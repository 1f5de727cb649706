// SAs of ours that go: at once, after they have lingered, or once the kernel is no longer too busy for it.
import { LingeringSas } from '#ipsec';
import type { DataPlaneEvent, SaCommand, SaProtocol, SaResult } from '#sa';
import type { KernelMessages } from '../kernel-messages.ts';
import { lookupAttributesOf } from '../kernel-ties.ts';
import type { PolicyTable } from '../policies/policy-table.ts';
import { refuse, unlessRefused } from '../refusal.ts';
import type { RequestIds } from '../request-ids.ts';
import type { XfrmSocket } from '../xfrm-socket.ts';
import type { KernelSa } from './kernel-sa.ts';
import type { KernelState } from './kernel-state.ts';
import type { SaPairs } from './sa-pairs.ts';

/** After the kernel had no room for a request, or whatever else it may have refused. */
const againMs = 1_000;
/** Whatever the time is. */
const atOnce = 0;
const done: SaResult = { ok: true };
type RemoveCommand = Extract<SaCommand, { readonly kind: 'remove' }>;

export interface SaRemovalOptions {
  readonly socket: XfrmSocket;
  readonly ids: RequestIds;
  readonly sas: SaPairs;
  /** A pair lives as long as it has a policy. */
  readonly policies: Pick<PolicyTable, 'get'>;
  readonly messages: Pick<KernelMessages, 'forget'>;
  readonly tell: (event: DataPlaneEvent) => void;
}

export class SaRemoval {
  readonly #of: SaRemovalOptions;
  readonly #lingering = new LingeringSas();
  /** What the kernel has refused to remove; the next try is for all of it. */
  #refused: (() => void)[] = [];
  #againAt = Number.POSITIVE_INFINITY;

  constructor(of: SaRemovalOptions) {
    this.#of = of;
  }

  remove(command: RemoveCommand, at: number): SaResult {
    return this.#lingers(command, at) ? done : this.#removeOrLater(command, at);
  }

  /** A new use of its SPI ends what lingers. @throws SystemCallError */
  endLingering(protocol: SaProtocol, spi: number): void {
    const late = this.#lingering.take(protocol, spi);
    if (late !== undefined) this.#remove(late);
  }

  /** When `handleTimeout` is due; infinity if nothing waits. */
  deadline(): number {
    return Math.min(this.#lingering.deadline(), this.#againAt);
  }

  handleTimeout(at: number): void {
    for (const command of this.#lingering.takeDue(at)) this.#removeOrLater(command, at);
    if (at < this.#againAt) return;
    const refused = this.#refused;
    this.#refused = [];
    this.#againAt = Number.POSITIVE_INFINITY;
    for (const remove of refused) this.#tryOrLater(remove, at + againMs);
  }

  /** An SA that the kernel has, and nobody else knows of. */
  takeBack({ state, attributes }: KernelState): void {
    const { family, destination, spi, protocol } = state;
    const id = { family, destination, spi, protocol };
    const lookup = lookupAttributesOf(attributes);
    const remove = (): void => {
      // Meanwhile another one may have come in its place.
      if (this.#of.sas.at(id) === undefined)
        this.#of.socket.requestIfThere({ kind: 'delete-sa', id, attributes: lookup });
    };
    this.#tryOrLater(remove, atOnce);
  }

  /** Whether it is carried out later. */
  #lingers(command: RemoveCommand, at: number): boolean {
    if (command.direction === 'outbound' || this.#of.sas.find(command) === undefined) return false;
    this.#lingering.take(command.protocol, command.spi);
    return this.#lingering.postpone(command, at);
  }

  /** For whoever has asked the SA is gone. */
  #removeOrLater(command: RemoveCommand, at: number): SaResult {
    let result = done;
    const remove = (): void => {
      result = this.#remove(command);
    };
    this.#tryOrLater(remove, at + againMs);
    return result;
  }

  /** Keys must not stay in the kernel because it was busy for a moment. */
  #tryOrLater(remove: () => void, againAt: number): void {
    if (unlessRefused(remove, 'refused') !== 'refused') return;
    this.#refused.push(remove);
    this.#againAt = Math.min(this.#againAt, againAt);
  }

  #remove(command: RemoveCommand): SaResult {
    const sa = this.#of.sas.find(command);
    if (sa === undefined) return refuse('missing', `the pair has no such ${command.direction} SA`);
    this.delete(sa);
    this.forget(sa);
    return done;
  }

  /** Where an SA was that the kernel has no more, there may be somebody else's. @throws SystemCallError */
  delete({ id, lookup, ended }: KernelSa): void {
    if (!ended) this.#of.socket.requestIfThere({ kind: 'delete-sa', id, attributes: lookup });
  }

  /** The kernel does not have it any more. */
  forget(sa: KernelSa): void {
    this.#of.messages.forget(sa);
    this.#of.sas.remove(sa);
    this.releaseIfUnused(sa.childId);
  }

  /** The number of a pair without SAs and policies is free for others. */
  releaseIfUnused(childId: number): void {
    const { ids, sas, policies } = this.#of;
    const pair = sas.pair(childId);
    if (pair === undefined || pair.sas.size > 0 || policies.get(childId) !== undefined) return;
    sas.removePair(pair);
    ids.give(pair.requestId);
  }

  /**
   * A device has counted the packets, and nobody else: with its numbers an SA cannot go on without it. It is replaced.
   * @throws SystemCallError
   */
  end(sa: KernelSa): void {
    if (sa.ended) return;
    this.delete(sa);
    sa.ended = true;
    sa.device = undefined;
    const { protocol, direction, spi, childId } = sa;
    this.#of.tell({ kind: 'soft-expired', protocol, direction, spi, childId });
  }
}
