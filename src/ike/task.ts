// What an established IKE SA still has to do: commands and timers become tasks, tasks become exchanges.
import type { SaProtocol, Spi, TrafficSelector } from '#sa';
import type { NotifyPayload } from '#wire';
import type { ChildConfiguration } from './configuration.ts';
import type { IkeFailure } from './interface.ts';

/** The packet that hit a trap policy (RFC 7296 2.9). */
export interface AcquiredTraffic {
  readonly local: TrafficSelector;
  readonly remote: TrafficSelector;
}

export type Work =
  | {
      readonly kind: 'initiate-child';
      readonly configuration: ChildConfiguration;
      readonly acquired?: AcquiredTraffic;
      readonly group?: number;
    }
  | {
      readonly kind: 'rekey-child';
      readonly inboundSpi: Spi;
      readonly group?: number;
      /** The peer does not have it any more: what replaces it is made from scratch (RFC 7296 2.25). */
      readonly unknownToPeer?: true;
    }
  | {
      readonly kind: 'delete-child';
      readonly protocol: SaProtocol;
      readonly inboundSpi: Spi;
      readonly failure: IkeFailure;
      /** Only the peer has it: there is nothing to remove here. */
      readonly notInstalled?: true;
    }
  | { readonly kind: 'rekey-ike'; readonly group?: number }
  | { readonly kind: 'delete-ike'; readonly failure: IkeFailure }
  | { readonly kind: 'send-notify'; readonly notify: NotifyPayload }
  | { readonly kind: 'check-liveness'; readonly reason: string }
  /** RFC 4555 3.5 */
  | { readonly kind: 'update-addresses' }
  /** RFC 4555 3.7 */
  | { readonly kind: 'check-path' }
  /** RFC 4555 3.6 */
  | { readonly kind: 'announce-addresses' }
  | { readonly kind: 'request-ticket'; readonly postponements: number };

export interface Task {
  readonly work: Work;
  /** Not to be begun before (RFC 7296 2.25: a TEMPORARY_FAILURE must not be answered by an immediate retry). */
  readonly notBefore: number;
  /** When it was first refused temporarily. */
  readonly refusedSince?: number;
  /** Groups that INVALID_KE_PAYLOAD led away from. */
  readonly triedGroups: readonly number[];
}

function sameWork(a: Work, b: Work): boolean {
  if (a.kind !== b.kind) return false;
  switch (a.kind) {
    case 'rekey-child':
    case 'delete-child':
      return 'inboundSpi' in b && a.inboundSpi === b.inboundSpi;
    case 'initiate-child':
    case 'send-notify':
      return false;
    default:
      return true;
  }
}

/** Lower comes first: what ends state goes before what makes it. */
const urgency = {
  'delete-ike': 0,
  // Where the peer or we are decides whether anything arrives.
  'update-addresses': 1,
  'check-path': 2,
  'announce-addresses': 3,
  'delete-child': 4,
  'rekey-ike': 5,
  'rekey-child': 6,
  'initiate-child': 7,
  'send-notify': 8,
  'request-ticket': 9,
  'check-liveness': 10,
} as const satisfies Record<Work['kind'], number>;

/** Tasks in the order in which they should be done; a task already waiting is not added twice. */
export class TaskQueue {
  #tasks: Task[] = [];

  add(work: Work, rest: Partial<Omit<Task, 'work'>> = {}): void {
    if (this.#tasks.some((task) => sameWork(task.work, work))) return;
    this.#tasks.push({ notBefore: 0, triedGroups: [], ...rest, work });
    this.#tasks.sort((a, b) => urgency[a.work.kind] - urgency[b.work.kind]);
  }

  /** Takes the first task that is due and that `mayBegin`. */
  take(at: number, mayBegin: (work: Work) => boolean): Task | undefined {
    const index = this.#tasks.findIndex((task) => task.notBefore <= at && mayBegin(task.work));
    return index < 0 ? undefined : this.#tasks.splice(index, 1)[0];
  }

  removeWhere(obsolete: (work: Work) => boolean): void {
    this.#tasks = this.#tasks.filter((task) => !obsolete(task.work));
  }

  has(kind: Work['kind']): boolean {
    return this.#tasks.some((task) => task.work.kind === kind);
  }

  all(): readonly Task[] {
    return this.#tasks;
  }

  /** Moves everything out, for a successor. */
  drain(): Task[] {
    const tasks = this.#tasks;
    this.#tasks = [];
    return tasks;
  }

  restore(tasks: readonly Task[]): void {
    for (const task of tasks) this.add(task.work, task);
  }

  /** When the next postponed task may begin; tasks that wait for something else than time have no say. */
  nextAt(at: number): number | undefined {
    const later = this.#tasks.filter((task) => task.notBefore > at).map((task) => task.notBefore);
    return later.length === 0 ? undefined : Math.min(...later);
  }
}
