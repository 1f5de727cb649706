// Commands that wait for Child SAs or IKE SAs to come up or to go, until each has its one result.
import type { CommandResult } from '../interface.ts';

interface PendingInitiation {
  readonly kind: 'initiate';
  readonly id: number;
  readonly connection: string;
  readonly children: Set<string>;
  count: number;
}

interface PendingEnd {
  readonly kind: 'end';
  readonly id: number;
  readonly ikeIds: Set<number>;
  readonly childIds: Set<number>;
  count: number;
}

/** Matches what happens with what was asked for. */
export class PendingCommands {
  readonly #pending = new Map<number, PendingInitiation | PendingEnd>();
  readonly #answer: (id: number, result: CommandResult) => void;

  constructor(answer: (id: number, result: CommandResult) => void) {
    this.#answer = answer;
  }

  get size(): number {
    return this.#pending.size;
  }

  awaitChildren(id: number, connection: string, children: readonly string[]): void {
    this.#pending.set(id, { kind: 'initiate', id, connection, children: new Set(children), count: 0 });
  }

  awaitEnd(id: number, ikeIds: readonly number[], childIds: readonly number[]): void {
    const pending: PendingEnd = {
      kind: 'end',
      id,
      ikeIds: new Set(ikeIds),
      childIds: new Set(childIds),
      count: 0,
    };
    this.#pending.set(id, pending);
    this.#settleEnd(pending);
  }

  /** Whether somebody waits for this connection to come up. */
  wants(connection: string): boolean {
    return this.#initiations(connection).length > 0;
  }

  childUp(connection: string, child: string): void {
    for (const pending of this.#initiations(connection)) {
      if (!pending.children.delete(child)) continue;
      pending.count++;
      if (pending.children.size === 0) this.#finish(pending.id, { ok: true, count: pending.count });
    }
  }

  /** @param child absent: the IKE SA itself failed, and with it all of its children */
  initiationFailed(connection: string, child: string | undefined, detail: string): void {
    for (const pending of this.#initiations(connection)) {
      if (child !== undefined && !pending.children.has(child)) continue;
      this.#finish(pending.id, { ok: false, code: 'failed', detail });
    }
  }

  ikeEnded(ikeId: number): void {
    for (const pending of this.#ends()) {
      if (pending.ikeIds.delete(ikeId)) pending.count++;
      this.#settleEnd(pending);
    }
  }

  childEnded(childId: number): void {
    for (const pending of this.#ends()) {
      if (pending.childIds.delete(childId)) pending.count++;
      this.#settleEnd(pending);
    }
  }

  /** An IKE SA was replaced while its end was awaited: its heir's end counts. */
  ikeReplaced(ikeId: number, heirId: number): void {
    for (const pending of this.#ends()) if (pending.ikeIds.has(ikeId)) pending.ikeIds.add(heirId);
  }

  #initiations(connection: string): PendingInitiation[] {
    return [...this.#pending.values()].filter(
      (pending): pending is PendingInitiation =>
        pending.kind === 'initiate' && pending.connection === connection,
    );
  }

  #ends(): PendingEnd[] {
    return [...this.#pending.values()].filter((pending): pending is PendingEnd => pending.kind === 'end');
  }

  #settleEnd(pending: PendingEnd): void {
    if (pending.ikeIds.size === 0 && pending.childIds.size === 0) {
      this.#finish(pending.id, { ok: true, count: pending.count });
    }
  }

  #finish(id: number, result: CommandResult): void {
    if (this.#pending.delete(id)) this.#answer(id, result);
  }
}
